// Package platformtest holds the conformance suites of the platform's
// interfaces: one for all implementations, the fake's too, so that the fake
// stays honest.
//
// Every test opens its implementation anew, in its own goroutine: those that
// work on a real machine can give each test a network namespace of its own by
// locking that goroutine to its thread.
package platformtest

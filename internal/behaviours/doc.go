// Package behaviours keeps docs/behaviours.md, the list of what the finished
// system shows and of the tests that show it, as a test.
//
// A test shows the behaviours that its name numbers:
//
//	TestBehaviour42DisabledPeer
//	TestBehaviour24And28AssociationDecides
//	TestBehaviour14To18CIDRRanges
//
// After a test was added, renamed or removed,
//
//	go test ./internal/behaviours -update
//
// writes the page again.
package behaviours

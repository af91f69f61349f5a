// Package archtest keeps the design's rules on the module, as tests: who
// imports whom, which packages are pure, what is linked into the product, and
// the sizes, names and comments a reader may count on.
//
// Each rule is a function from one source file to the violations in it, so it
// is shown to fail on a few lines in its own test. Where a rule has an
// exception, the table of exceptions says why; an exception that is no longer
// needed fails as well.
package archtest

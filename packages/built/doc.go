// Package built has no code: its tests look at the packages that `make packages`
// built, in ../../dist, as package managers will see them. `make packages-test`
// builds them and runs the tests.
package built

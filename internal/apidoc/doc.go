// Package apidoc holds the description of both APIs, docs/openapi.json, to what
// they are. The description is made, by the tests of this package, of the
// tables of routes, of the Go types with their comments, and of a table of
// operations that tells for each route what it is for, its types, and requests
// that show it. Those requests are made of the real handlers, and every answer
// is checked against the description.
//
//	go test ./internal/apidoc -update
//
// writes it.
package apidoc

// Package packagestest has what the tests of all formats share.
package packagestest

import (
	"bytes"
	"testing"
	"time"

	"ginnel/packages"
)

// Sample returns a package with all that one may have.
func Sample() *packages.Package {
	return &packages.Package{
		Name: "sample", Version: "1.2.3", Commits: 7, Release: 4, Architecture: "all", Depends: []string{"zebra", "aardvark"},
		License: "MIT", Maintainer: "Nobody <nobody@example.org>", URL: "https://example.org/", Summary: "a package to test with",
		Time: time.Unix(1_700_000_000, 0), User: "sam",
		Files: []packages.File{
			{Path: "/usr/bin/sample", Mode: 0o755, Content: bytes.Repeat([]byte("binary"), 20_000)},
			{Path: "/etc/config/sample", Mode: 0o600, Content: []byte("config sample\n"), Config: true},
			{Path: "/etc/init.d/sample", Mode: 0o755, Content: []byte("#!/bin/sh /etc/rc.common\n")},
			{Path: "/etc/empty", Mode: 0o644},
		},
		Scripts: packages.Scripts{PostInstall: ": installed\n", PreRemove: ": removing\n", PostRemove: ": removed\n"},
	}
}

// Reproducible checks that write makes the same bytes of the same package,
// whatever the order of its files, and returns them.
func Reproducible(t *testing.T, write func(*packages.Package) ([]byte, error)) []byte {
	t.Helper()
	p := Sample()
	first, err := write(p)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(p.Files)-1; i < j; i, j = i+1, j-1 {
		p.Files[i], p.Files[j] = p.Files[j], p.Files[i]
	}
	second, err := write(p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the same package has other bytes when it is written again")
	}
	return first
}

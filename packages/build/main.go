// Command build makes the packages of a release from binaries that the Makefile
// built: .ipk and .apk for OpenWrt, .deb for Debian, in folders that are feeds.
//
//	build -version 0.1.0 -commits 7 -time 1700000000 -root .. -out ../dist
//	build -sizes ../docs/openwrt.md
//
// The binaries are expected in ROOT/bin/openwrt/ginnel-TARGET and
// ROOT/bin/ginnel-TARGET, TARGET being a name of the Makefile's CROSS. All else
// comes from ROOT's folders openwrt, rc.d and systemd.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ginnel/packages"
	"ginnel/packages/adb"
)

// job is what was asked for.
type job struct {
	root, out string
	targets   []string // empty: all
	packer    packer
	key       *adb.Key // nil: what is built is not signed
	only      string   // "openwrt" or "debian"; empty: both
	about     packages.Package
}

func main() {
	j := job{packer: packer{map[[sha256.Size]byte][]byte{}}, about: packages.Package{
		Name: "ginnel", Release: 1, License: "MIT", Maintainer: "The Ginnel authors <ginnel@example.org>",
		Summary: "Private networks over WireGuard, self-hosted, for routers, servers and laptops",
	}}
	unix := flag.Int64("time", 0, "when it was made, in seconds since 1970")
	key := flag.String("key", "", "a private key in PEM to sign the .apk with")
	flag.StringVar(&j.about.Version, "version", "", "the version, such as 1.2.3")
	flag.IntVar(&j.about.Commits, "commits", 0, "how many commits there are since that version")
	flag.StringVar(&j.only, "only", "", "build nothing but the packages for openwrt, or for debian")
	targets := flag.String("targets", "", "build for these `TARGETS` alone, such as \"mips arm64\"; empty: for all")
	sizes := flag.String("sizes", "", "build nothing, and write the sizes of what was built into this document")
	flag.StringVar(&j.root, "root", "..", "the project")
	flag.StringVar(&j.out, "out", "../dist", "where packages go")
	flag.Parse()
	j.about.Time = time.Unix(*unix, 0).UTC()
	j.targets = strings.Fields(*targets)
	work := func() error { return j.run(*key) }
	if *sizes != "" {
		work = func() error { return j.writeSizes(*sizes) }
	}
	if err := work(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n", err)
		os.Exit(1)
	}
}

func (j *job) run(key string) error {
	if key != "" {
		text, err := os.ReadFile(key)
		if err != nil {
			return err
		}
		if j.key, err = adb.ParseKey(text); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	for _, kind := range []struct {
		name  string
		build func() error
	}{{"openwrt", j.openwrt}, {"debian", j.debian}} {
		if j.only != "" && j.only != kind.name {
			continue
		}
		if err := kind.build(); err != nil {
			return err
		}
	}
	return nil
}

// wants tells whether packages for a target are to be built.
func (j *job) wants(target string) bool {
	return len(j.targets) == 0 || slices.Contains(j.targets, target)
}

// file reads a file of the project for a package.
func (j *job) file(source, path string, mode uint32) (packages.File, error) {
	content, err := os.ReadFile(filepath.Join(j.root, source))
	return packages.File{Path: path, Mode: mode, Content: content}, err
}

// create makes a file for writing, and its directories.
func create(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.Create(path)
}

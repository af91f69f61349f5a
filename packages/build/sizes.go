package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The lines of a document between which the table of sizes is.
const (
	sizesBegin = "<!-- sizes: make sizes writes what follows -->\n"
	sizesEnd   = "<!-- end of sizes -->\n"
)

// writeSizes puts the sizes of what was built for OpenWrt into a document.
func (j *job) writeSizes(document string) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), sizesBegin)
	_, after, ended := strings.Cut(rest, sizesEnd)
	if !ok || !ended {
		return fmt.Errorf("%s has no lines %q and %q", document, sizesBegin, sizesEnd)
	}
	table, err := j.sizes()
	if err != nil {
		return err
	}
	return os.WriteFile(document, []byte(before+sizesBegin+table+sizesEnd+after), 0o644)
}

// sizes has a line for each binary and the architectures that it is packed for.
func (j *job) sizes() (string, error) {
	table := "| architecture | binary | `.ipk` | `.apk` |\n|---|---|---|---|\n"
	for i, a := range architectures {
		if i > 0 && architectures[i-1].target == a.target {
			continue
		}
		var names []string
		var ipk, apk int64
		for _, other := range architectures {
			if other.target != a.target {
				continue
			}
			names = append(names, other.name)
			errs := errors.Join(j.largest(&ipk, "opkg", other.name, "*.ipk"), j.largest(&apk, "apk", other.name, "*.apk"))
			if errs != nil {
				return "", errs
			}
		}
		binary, err := os.Stat(filepath.Join(j.root, "bin/openwrt/ginnel-"+a.target))
		if err != nil {
			return "", err
		}
		if !strings.Contains(table, "| "+strings.Join(names, ", ")+" |") { // armv5 comes twice
			table += fmt.Sprintf("| %s | %s | %s | %s |\n", strings.Join(names, ", "), megabytes(binary.Size()), megabytes(ipk), megabytes(apk))
		}
	}
	return table, nil
}

// largest raises size to that of the one package in a folder.
func (j *job) largest(size *int64, kind, architecture, pattern string) error {
	found, err := filepath.Glob(filepath.Join(j.out, kind, architecture, pattern))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%d packages %s for %s in %s, want one: run make packages first", len(found), pattern, architecture, j.out)
	}
	info, err := os.Stat(found[0])
	if err == nil {
		*size = max(*size, info.Size())
	}
	return err
}

func megabytes(n int64) string { return fmt.Sprintf("%.2f MB", float64(n)/1e6) }

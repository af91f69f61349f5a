// Package deb writes packages for dpkg, with nfpm.
package deb

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	writer "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"

	"ginnel/packages"
)

// Version is the version as dpkg has it: 1.2.3-1, or 1.2.3+git7-1.
func Version(p *packages.Package) string {
	return fmt.Sprintf("%s-%d", p.SinceVersion("+git"), p.Release)
}

// FileName is what dpkg's tools call a package's file.
func FileName(p *packages.Package) string {
	return p.Name + "_" + Version(p) + "_" + p.Architecture + ".deb"
}

// Write writes a package. It uses a temporary directory.
func Write(w io.Writer, p *packages.Package) error {
	if err := p.Check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ginnel-deb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	info := &nfpm.Info{
		Name: p.Name, Arch: p.Architecture, Platform: "linux", Version: Version(p),
		VersionSchema: "none", Section: "net", Priority: "optional", Maintainer: p.Maintainer,
		Description: p.Summary, Homepage: p.URL, License: p.License, MTime: p.Time, DisableGlobbing: true,
	}
	info.Depends = p.Depends
	info.Deb.Compression = "xz"
	if err := fill(info, dir, p); err != nil {
		return err
	}
	info = nfpm.WithDefaults(info)
	if err := nfpm.PrepareForPackager(info, "deb"); err != nil {
		return fmt.Errorf("package %s for %s: %w", p.Name, p.Architecture, err)
	}
	if err := writer.Default.Package(info, w); err != nil {
		return fmt.Errorf("package %s for %s: %w", p.Name, p.Architecture, err)
	}
	return nil
}

// fill writes files and scripts below dir, from where nfpm takes them.
func fill(info *nfpm.Info, dir string, p *packages.Package) error {
	put := func(name string, content []byte) (string, error) {
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "%"))
		return path, os.WriteFile(path, content, 0o600)
	}
	for _, f := range p.Sorted() {
		source, err := put(f.Path, f.Content)
		if err != nil {
			return err
		}
		c := &files.Content{
			Source: source, Destination: f.Path,
			FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: os.FileMode(f.Mode), MTime: p.Time},
		}
		if f.Config {
			c.Type = files.TypeConfig
		}
		info.Contents = append(info.Contents, c)
	}
	for _, s := range []struct {
		name, text string
		field      *string
	}{
		{"postinst", p.Scripts.PostInstall, &info.Scripts.PostInstall},
		{"prerm", p.Scripts.PreRemove, &info.Scripts.PreRemove},
		{"postrm", p.Scripts.PostRemove, &info.Scripts.PostRemove},
	} {
		if s.text == "" {
			continue
		}
		path, err := put(s.name, []byte("#!/bin/sh\nset -e\n"+s.text))
		if err != nil {
			return err
		}
		*s.field = path
	}
	return nil
}

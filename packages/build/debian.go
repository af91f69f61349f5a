package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"ginnel/packages"
	"ginnel/packages/deb"
)

// debianArchitectures are Debian's names of what packages are built for.
var debianArchitectures = []architecture{{"amd64", "amd64"}, {"arm64", "arm64"}, {"armhf", "armv7"}}

// debian builds the packages for Debian, all into one folder.
func (j *job) debian() error {
	common := j.about
	// No dependencies: the program is static, and has a WireGuard of its own for
	// kernels that have none.
	for _, f := range []struct {
		source, path string
		mode         uint32
	}{
		{"systemd/ginnel.service", "/usr/lib/systemd/system/ginnel.service", 0o644},
		{"systemd/sysusers.conf", "/usr/lib/sysusers.d/ginnel.conf", 0o644},
		{"LICENSE", "/usr/share/doc/ginnel/copyright", 0o644},
		{"docs/ginnel.conf.example", "/usr/share/doc/ginnel/ginnel.conf.example", 0o644},
	} {
		file, err := j.file(f.source, f.path, f.mode)
		if err != nil {
			return err
		}
		file.Content = bytes.ReplaceAll(file.Content, []byte("@PREFIX@"), []byte("/usr"))
		common.Files = append(common.Files, file)
	}
	share, err := j.share()
	if err != nil {
		return err
	}
	common.Files = append(common.Files, share...)
	for _, s := range []struct {
		source string
		text   *string
	}{
		{"systemd/postinst", &common.Scripts.PostInstall}, {"systemd/prerm", &common.Scripts.PreRemove}, {"systemd/postrm", &common.Scripts.PostRemove},
	} {
		text, err := os.ReadFile(filepath.Join(j.root, s.source))
		if err != nil {
			return err
		}
		*s.text = string(text)
	}
	for _, a := range debianArchitectures {
		if !j.wants(a.target) {
			continue
		}
		if err := j.debianFor(a, common); err != nil {
			return err
		}
	}
	return nil
}

// share returns what `make share` put into bin/share: manual pages and
// completions of shells.
func (j *job) share() (list []packages.File, err error) {
	root := filepath.Join(j.root, "bin/share")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f, err := j.file(filepath.Join("bin/share", below), "/usr/share/"+below, 0o644)
		list = append(list, f)
		return err
	})
	return list, err
}

func (j *job) debianFor(a architecture, p packages.Package) error {
	binary, err := j.file("bin/ginnel-"+a.target, "/usr/bin/ginnel", 0o755)
	if err != nil {
		return err
	}
	p.Architecture = a.name
	p.Files = append([]packages.File{binary}, p.Files...)
	f, err := create(filepath.Join(j.out, "debian", deb.FileName(&p)))
	if err != nil {
		return err
	}
	return errors.Join(deb.Write(f, &p), f.Close())
}

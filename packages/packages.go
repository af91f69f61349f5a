// Package packages is what the packages of all kinds are made of: the files and
// the metadata of one, independent of its format. The formats are the folders
// below: ipk for opkg, apk (made of adb) for apk-tools 3, deb for dpkg.
//
// The same input makes the same bytes: files are sorted, times are the one time
// that is given, owners are root, and nothing of the machine that builds gets
// in.
package packages

import (
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
	"time"
)

// Package is one package for one architecture.
type Package struct {
	Name         string
	Version      string // 1.2.3
	Commits      int    // since that version; 0: it is that version
	Release      int    // of the same version, from 1
	Architecture string // as the package manager calls it
	Depends      []string
	License      string // SPDX
	Maintainer   string
	URL          string
	Summary      string // one line
	Time         time.Time
	User         string // a user, and a group of that name, that the package needs; empty: none
	Files        []File
	Scripts      Scripts
}

// File is a regular file. Its directories come with it.
type File struct {
	Path    string // absolute, clean
	Mode    uint32 // permissions
	Content []byte
	Config  bool // the administrator's to change: an upgrade does not overwrite changes
}

// Scripts are the package's own parts, in shell, of what the package manager
// runs on the machine. Each may be empty. The formats put around them what their
// systems want.
type Scripts struct {
	PostInstall string // after installing or upgrading
	PreRemove   string // before removing or upgrading
	PostRemove  string
}

// SinceVersion is the version, followed, where there are commits since, by their
// number after the word that the package manager sorts behind it.
func (p *Package) SinceVersion(word string) string {
	if p.Commits == 0 {
		return p.Version
	}
	return fmt.Sprint(p.Version, word, p.Commits)
}

// Check refuses a package that no format can hold.
func (p *Package) Check() error {
	switch {
	case p.Name == "" || p.Version == "" || p.Release < 1 || p.Commits < 0 || p.Architecture == "":
		return errors.New("a package needs a name, version, release and architecture")
	case strings.Trim(p.Version, "0123456789.") != "":
		return fmt.Errorf("version %q: want numbers and dots, such as 1.2.3", p.Version)
	case strings.Contains(p.Summary+p.Maintainer+p.URL+p.License, "\n"):
		return errors.New("a field has more than one line")
	}
	seen := map[string]bool{}
	for _, f := range p.Files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || seen[f.Path] {
			return fmt.Errorf("file %q: want an absolute, clean path that is there once", f.Path)
		}
		seen[f.Path] = true
	}
	return nil
}

// Sorted returns the files by their paths.
func (p *Package) Sorted() []File {
	files := append([]File(nil), p.Files...)
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files
}

// Size is how many bytes the files have.
func (p *Package) Size() (n int) {
	for _, f := range p.Files {
		n += len(f.Content)
	}
	return n
}

// ConfigFiles returns the paths of files that are the administrator's.
func (p *Package) ConfigFiles() (paths []string) {
	for _, f := range p.Sorted() {
		if f.Config {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// Directories returns the directories of the files, each after its parent,
// without the root.
func (p *Package) Directories() (dirs []string) {
	seen := map[string]bool{"/": true}
	for _, f := range p.Files {
		for d := path.Dir(f.Path); !seen[d]; d = path.Dir(d) {
			seen[d] = true
			dirs = append(dirs, d)
		}
	}
	sort.Strings(dirs)
	return dirs
}

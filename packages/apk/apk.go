// Package apk writes packages and indexes for apk-tools 3, which OpenWrt has
// from 25.12 on. The numbers of the fields are those of apk-tools' src/apk_adb.h.
package apk

import (
	"crypto/sha256"
	"fmt"
	"io"
	"path"
	"sort"
	"strings"

	"ginnel/packages"
	"ginnel/packages/adb"
)

// identitySize is how many bytes of a SHA-256 a package calls itself by.
const identitySize = 20

// Fields of an object are numbered from 1; these are the places in our slices.
const (
	infoName = iota
	infoVersion
	infoHashes
	infoDescription
	infoArch
	infoLicense
	infoOrigin
	infoMaintainer
	infoURL
	infoCommit
	infoBuildTime
	infoInstalledSize
	infoFileSize
	infoPriority
	infoDepends
	infoFields
)

const (
	packageInfo = iota
	packagePaths
	packageScripts
	packageFields
)

const (
	scriptTrigger = iota
	scriptPreInstall
	scriptPostInstall
	scriptPreDeinstall
	scriptPostDeinstall
	scriptPreUpgrade
	scriptPostUpgrade
	scriptFields
)

// Built is a package that was written, as an index lists it.
type Built struct {
	Package *packages.Package
	digest  []byte // of its tree, by which the index vouches for it
	size    uint64 // of its file in bytes
}

// Write writes a package, signed when there is a key.
func Write(w io.Writer, p *packages.Package, key *adb.Key) (*Built, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	t := adb.NewTree()
	hole := t.Hole(identitySize)
	fields := info(t, p, hole)
	fields[infoInstalledSize] = t.Int(uint64(max(p.Size(), 1)))
	paths, data := contents(t, withLists(p))
	root := make([]adb.Value, packageFields)
	root[packageInfo] = t.Object(fields...)
	root[packagePaths] = paths
	root[packageScripts] = scripts(t, p)
	tree := t.Bytes(t.Object(root...))
	sum := sha256.Sum256(tree)
	t.Fill(hole, sum[:identitySize])
	sum = sha256.Sum256(tree)
	f := adb.File{Schema: adb.Package, Tree: tree, Data: data, Key: key}
	n, err := f.WriteTo(w)
	if err != nil {
		return nil, fmt.Errorf("package %s for %s: %w", p.Name, p.Architecture, err)
	}
	return &Built{p, sum[:], uint64(n)}, nil
}

// WriteIndex writes the index of a folder of packages, which makes it a
// repository.
func WriteIndex(w io.Writer, list []*Built, key *adb.Key) error {
	list = append([]*Built(nil), list...)
	sort.Slice(list, func(i, j int) bool { return list[i].Package.Name < list[j].Package.Name })
	t := adb.NewTree()
	var items []adb.Value
	for _, b := range list {
		fields := info(t, b.Package, t.Blob(b.digest))
		fields[infoInstalledSize] = t.Int(uint64(max(b.Package.Size(), 1)))
		fields[infoFileSize] = t.Int(b.size)
		items = append(items, t.Object(fields...))
	}
	f := adb.File{Schema: adb.Index, Tree: t.Bytes(t.Object(adb.Null, t.Array(items...))), Key: key}
	_, err := f.WriteTo(w)
	return err
}

// Version is the version as apk has it: 1.2.3-r1, or 1.2.3_git7-r1.
func Version(p *packages.Package) string {
	return fmt.Sprintf("%s-r%d", p.SinceVersion("_git"), p.Release)
}

// FileName is what the index expects a package's file to be called.
func FileName(p *packages.Package) string { return p.Name + "-" + Version(p) + ".apk" }

func info(t *adb.Tree, p *packages.Package, identity adb.Value) []adb.Value {
	v := make([]adb.Value, infoFields)
	v[infoName] = t.String(p.Name)
	v[infoVersion] = t.String(Version(p))
	v[infoHashes] = identity
	v[infoDescription] = t.String(p.Summary)
	v[infoArch] = t.String(p.Architecture)
	v[infoLicense] = t.String(p.License)
	v[infoOrigin] = t.String(p.Name)
	v[infoMaintainer] = t.String(p.Maintainer)
	v[infoURL] = t.String(p.URL)
	v[infoBuildTime] = t.Int(uint64(p.Time.Unix()))
	var depends []adb.Value
	names := append([]string(nil), p.Depends...)
	sort.Strings(names)
	for _, d := range names {
		depends = append(depends, t.Object(t.String(d)))
	}
	v[infoDepends] = t.Array(depends...)
	return v
}

// standard is what OpenWrt's packages run: its functions find users and
// services by the lists of [withLists].
const standard = `#!/bin/sh
[ "$IPKG_NO_SCRIPT" = 1 ] && exit 0
[ -s "$IPKG_INSTROOT/lib/functions.sh" ] || exit 0
. "$IPKG_INSTROOT/lib/functions.sh"
export root="$IPKG_INSTROOT" pkgname=%s%s
%s`

func scripts(t *adb.Tree, p *packages.Package) adb.Value {
	wrap := func(upgrade, text string) adb.Value {
		return t.String(fmt.Sprintf(standard, p.Name, upgrade, text))
	}
	const isUpgrade = " PKG_UPGRADE=1"
	install := "add_group_and_user\ndefault_postinst\n" + p.Scripts.PostInstall
	v := make([]adb.Value, scriptFields)
	v[scriptPostInstall] = wrap("", install)
	v[scriptPostUpgrade] = wrap(isUpgrade, install)
	v[scriptPreDeinstall] = wrap("", p.Scripts.PreRemove+"default_prerm\n")
	if p.Scripts.PostRemove != "" {
		v[scriptPostDeinstall] = wrap("", p.Scripts.PostRemove)
	}
	return t.Object(v...)
}

// contents stores directories and files, and returns what goes into the data
// blocks.
func contents(t *adb.Tree, p *packages.Package) (adb.Value, []adb.Data) {
	files := p.Sorted()
	var dirs []adb.Value
	var data []adb.Data
	for i, dir := range append([]string{"/"}, p.Directories()...) {
		var items []adb.Value
		for _, f := range files {
			if path.Dir(f.Path) != dir {
				continue
			}
			items = append(items, file(t, &f, p.Time.Unix()))
			if len(f.Content) > 0 {
				data = append(data, adb.Data{Dir: uint32(i + 1), File: uint32(len(items)), Content: f.Content})
			}
		}
		dirs = append(dirs, t.Object(t.String(dir[1:]), access(t, 0o755), t.Array(items...)))
	}
	return t.Array(dirs...), data
}

func file(t *adb.Tree, f *packages.File, unix int64) adb.Value {
	sum := sha256.Sum256(f.Content)
	return t.Object(t.String(path.Base(f.Path)), access(t, f.Mode), t.Int(uint64(len(f.Content))), t.Int(uint64(unix)), t.Blob(sum[:]))
}

func access(t *adb.Tree, mode uint32) adb.Value {
	return t.Object(t.Int(uint64(mode)), t.String("root"), t.String("root"))
}

// withLists adds the lists that OpenWrt's own scripts read: of all files, by
// which they find the service, of those that are the administrator's, and of the
// users to make.
func withLists(p *packages.Package) *packages.Package {
	const folder = "/lib/apk/packages/"
	var all, static strings.Builder
	for _, f := range p.Sorted() {
		fmt.Fprintln(&all, f.Path)
		if f.Config {
			fmt.Fprintf(&static, "%s %x\n", f.Path, sha256.Sum256(f.Content))
		}
	}
	q := *p
	q.Files = append([]packages.File(nil), p.Files...)
	add := func(suffix, content string) {
		q.Files = append(q.Files, packages.File{Path: folder + p.Name + suffix, Mode: 0o644, Content: []byte(content)})
	}
	add(".list", all.String())
	if p.User != "" {
		add(".rusers", p.User+":"+p.User+"\n")
	}
	if static.Len() > 0 {
		add(".conffiles", strings.Join(p.ConfigFiles(), "\n")+"\n")
		add(".conffiles_static", static.String())
	}
	return &q
}

// Package ipk writes packages and indexes for opkg, which OpenWrt has up to
// 24.10: gzipped tars in a gzipped tar, in GNU's format. opkg takes others, such
// as tars with PAX headers, installs nothing of them and reports success.
package ipk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"ginnel/packages"
)

// Built is a package that was written, as an index lists it.
type Built struct {
	Package *packages.Package
	control string
	size    int
	digest  [sha256.Size]byte
}

// Gzip makes a gzip file of b, the same one every time: [Compress], or a program
// that does it better.
type Gzip func(b []byte) ([]byte, error)

// Write writes a package, with pack for what is in it.
func Write(w io.Writer, p *packages.Package, pack Gzip) (*Built, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	control := Control(p)
	b, err := outer(p, control, pack)
	if err != nil {
		return nil, fmt.Errorf("package %s for %s: %w", p.Name, p.Architecture, err)
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	return &Built{p, control, len(b), sha256.Sum256(b)}, nil
}

func outer(p *packages.Package, control string, pack Gzip) ([]byte, error) {
	c, err := controlTar(p, control)
	if err != nil {
		return nil, err
	}
	d, err := dataTar(p, pack)
	if err != nil {
		return nil, err
	}
	a := archive{time: p.Time}
	a.file("./debian-binary", 0o644, []byte("2.0\n"))
	a.file("./control.tar.gz", 0o644, c)
	a.file("./data.tar.gz", 0o644, d)
	return a.bytes()
}

// Version is the version as opkg has it, which sorts by Debian's rules:
// 1.2.3-r1, or 1.2.3+git7-r1.
func Version(p *packages.Package) string {
	return fmt.Sprintf("%s-r%d", p.SinceVersion("+git"), p.Release)
}

// FileName is what a package's file is usually called.
func FileName(p *packages.Package) string {
	return p.Name + "_" + Version(p) + "_" + p.Architecture + ".ipk"
}

// WriteIndex writes the index of a folder of packages, Packages, which, beside
// its gzipped copy, makes it a feed.
func WriteIndex(w io.Writer, list []*Built) error {
	list = append([]*Built(nil), list...)
	sort.Slice(list, func(i, j int) bool { return FileName(list[i].Package) < FileName(list[j].Package) })
	for _, b := range list {
		_, err := fmt.Fprintf(w, "%sFilename: %s\nSize: %d\nSHA256sum: %x\n\n", b.control, FileName(b.Package), b.size, b.digest)
		if err != nil {
			return err
		}
	}
	return nil
}

// Compress is a Gzip by Go's own means.
func Compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Control returns the metadata, in the form of Debian's control files.
func Control(p *packages.Package) string {
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	field("Package", p.Name)
	field("Version", Version(p))
	field("Depends", strings.Join(p.Depends, ", "))
	field("License", p.License)
	field("Section", "net")
	if p.User != "" {
		field("Require-User", p.User+":"+p.User)
	}
	field("URL", p.URL)
	field("Maintainer", p.Maintainer)
	field("Architecture", p.Architecture)
	field("SourceDateEpoch", fmt.Sprint(p.Time.Unix()))
	field("Installed-Size", fmt.Sprint(p.Size()))
	field("Description", " "+p.Summary)
	return b.String()
}

func controlTar(p *packages.Package, control string) ([]byte, error) {
	a := archive{time: p.Time}
	a.dir("./")
	a.file("./control", 0o644, []byte(control))
	for _, s := range scripts(p) {
		if s.text != "" {
			a.file(s.name, 0o755, []byte(s.text))
		}
	}
	return a.bytes()
}

// standard is what OpenWrt's packages run: its functions find users and
// services by the package's name, and run the package's own part, NAME-pkg.
const standard = `#!/bin/sh
[ "$IPKG_NO_SCRIPT" = 1 ] && exit 0
[ -s "$IPKG_INSTROOT/lib/functions.sh" ] || exit 0
. "$IPKG_INSTROOT/lib/functions.sh"
default_%s "$0" "$@"
`

type script struct{ name, text string }

func scripts(p *packages.Package) []script {
	return []script{
		{"./postinst", fmt.Sprintf(standard, "postinst")}, {"./postinst-pkg", configure(p) + p.Scripts.PostInstall},
		{"./postrm", shell(p.Scripts.PostRemove)},
		{"./prerm", fmt.Sprintf(standard, "prerm")}, {"./prerm-pkg", p.Scripts.PreRemove},
	}
}

// configure makes the configuration files that are missing. None is a conffile
// of opkg's: it unpacks the new one over what is there, and puts a changed one
// back when all the rest is unpacked. A power cut between leaves the new one,
// and the next try may take that for the changed one, and lose it. A file that
// an earlier package had as conffile, opkg removes, but for its copy.
func configure(p *packages.Package) string {
	var b strings.Builder
	for _, f := range p.ConfigFiles() {
		fmt.Fprintf(&b, `f="$IPKG_INSTROOT%s"
[ -e "$f" ] || mv "$f-opkg.backup" "$f" 2>/dev/null || cp -p "$IPKG_INSTROOT%s" "$f"
`, f, original(p, f))
	}
	return b.String()
}

// original is where a configuration file is unpacked to.
func original(p *packages.Package, path string) string { return "/usr/share/" + p.Name + path }

// shell makes a program of a part that nothing sources.
func shell(text string) string {
	if text == "" {
		return ""
	}
	return "#!/bin/sh\n" + text
}

func dataTar(p *packages.Package, pack Gzip) ([]byte, error) {
	a := archive{time: p.Time}
	unpacked := packages.Package{Files: p.Sorted()}
	for i, f := range unpacked.Files {
		if f.Config {
			unpacked.Files[i].Path = original(p, f.Path)
		}
	}
	a.dir("./")
	for _, d := range unpacked.Directories() {
		a.dir("." + d + "/")
	}
	for _, f := range unpacked.Sorted() {
		a.file("."+f.Path, f.Mode, f.Content)
	}
	return a.packed(pack)
}

// archive is a gzipped tar under construction.
type archive struct {
	time time.Time
	out  bytes.Buffer
	tar  *tar.Writer
	err  error // the first one
}

func (a *archive) dir(name string) {
	a.add(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}, nil)
}

func (a *archive) file(name string, mode uint32, content []byte) {
	a.add(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(mode), Size: int64(len(content))}, content)
}

func (a *archive) add(h *tar.Header, content []byte) {
	if a.tar == nil {
		a.tar = tar.NewWriter(&a.out)
	}
	h.Format, h.ModTime, h.Uname, h.Gname = tar.FormatGNU, a.time.Truncate(time.Second), "root", "root"
	if a.err == nil {
		a.err = a.tar.WriteHeader(h)
	}
	if a.err == nil {
		_, a.err = a.tar.Write(content)
	}
}

func (a *archive) bytes() ([]byte, error) { return a.packed(Compress) }

func (a *archive) packed(pack Gzip) ([]byte, error) {
	if a.err == nil {
		a.err = a.tar.Close()
	}
	if a.err != nil {
		return nil, a.err
	}
	return pack(a.out.Bytes())
}

package ipk_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ginnel/packages"
	"ginnel/packages/ipk"
	"ginnel/packages/packagestest"
)

func write(p *packages.Package) ([]byte, error) {
	var b bytes.Buffer
	_, err := ipk.Write(&b, p, ipk.Compress)
	return b.Bytes(), err
}

// member is an entry of a tar and what was in it.
type member struct {
	*tar.Header
	content string
}

// open reads a gzipped tar and checks that opkg can as well: that all of its
// headers are of GNU's format and of types it knows.
func open(t *testing.T, gz []byte) (list []member) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		t.Errorf("gzip's header has time %v and name %q", z.ModTime, z.Name)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	checkHeaders(t, raw)
	r := tar.NewReader(bytes.NewReader(raw))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, member{h, string(content)})
	}
}

// checkHeaders walks over the blocks of a tar by itself.
func checkHeaders(t *testing.T, raw []byte) {
	t.Helper()
	const block = 512
	for at := 0; raw[at] != 0; {
		h := raw[at : at+block]
		if magic := string(h[257:265]); magic != "ustar  \x00" {
			t.Errorf("header at %d has magic %q, want GNU's", at, magic)
		}
		if typ := h[156]; typ != '0' && typ != '5' {
			t.Errorf("header at %d has type %q, want a file or a directory", at, typ)
		}
		var size int
		if _, err := fmt.Sscanf(string(h[124:135]), "%o", &size); err != nil {
			t.Fatal(err)
		}
		at += block + (size+block-1)/block*block
	}
}

func names(list []member) string {
	var b []string
	for _, m := range list {
		b = append(b, fmt.Sprintf("%s %o", m.Name, m.Mode))
	}
	return strings.Join(b, ", ")
}

func TestWrite(t *testing.T) {
	p := packagestest.Sample()
	outer := open(t, packagestest.Reproducible(t, write))
	if got := names(outer); got != "./debian-binary 644, ./control.tar.gz 644, ./data.tar.gz 644" || outer[0].content != "2.0\n" {
		t.Fatalf("the outer archive has %s, %q", got, outer[0].content)
	}
	control, data := open(t, []byte(outer[1].content)), open(t, []byte(outer[2].content))
	if got, want := names(control), "./ 755, ./control 644, ./postinst 755, ./postinst-pkg 755, ./postrm 755, ./prerm 755, ./prerm-pkg 755"; got != want {
		t.Errorf("control.tar.gz has %s, want %s", got, want)
	}
	for i, want := range map[int]string{
		2: "default_postinst \"$0\" \"$@\"\n", 3: p.Scripts.PostInstall, 4: "#!/bin/sh\n" + p.Scripts.PostRemove,
		5: "default_prerm \"$0\" \"$@\"\n", 6: p.Scripts.PreRemove,
	} {
		if !strings.HasSuffix(control[i].content, want) {
			t.Errorf("%s is %q, want it to end with %q", control[i].Name, control[i].content, want)
		}
	}
	want := "./ 755, ./etc/ 755, ./etc/init.d/ 755, ./usr/ 755, ./usr/bin/ 755, " +
		"./usr/share/ 755, ./usr/share/sample/ 755, ./usr/share/sample/etc/ 755, ./usr/share/sample/etc/config/ 755, " +
		"./etc/empty 644, ./etc/init.d/sample 755, ./usr/bin/sample 755, ./usr/share/sample/etc/config/sample 600"
	if got := names(data); got != want {
		t.Errorf("data.tar.gz has %s, want %s", got, want)
	}
	if data[11].content != string(p.Files[0].Content) {
		t.Error("the binary is another one")
	}
	for _, m := range append(append(outer, control...), data...) {
		if m.Uid != 0 || m.Gid != 0 || !m.ModTime.Equal(p.Time) {
			t.Errorf("%s belongs to %d:%d, is of %v", m.Name, m.Uid, m.Gid, m.ModTime)
		}
	}
}

// TestConfiguration: a configuration file that is there is never written, not by
// opkg either, which has no power cut to fear then.
func TestConfiguration(t *testing.T) {
	outer := open(t, packagestest.Reproducible(t, write))
	var script string
	for _, m := range open(t, []byte(outer[1].content)) {
		if m.Name == "./postinst-pkg" {
			script = m.content
		}
	}
	for _, tc := range []struct{ name, mine, backup, want string }{
		{"none", "", "", "config sample\n"},
		{"mine", "mine\n", "", "mine\n"},
		{"mine, and a copy of an earlier time", "mine\n", "older\n", "mine\n"},
		{"opkg removed what an earlier package had", "", "mine\n", "mine\n"},
	} {
		root := t.TempDir()
		for _, m := range open(t, []byte(outer[2].content)) {
			put(t, filepath.Join(root, m.Name), m.content, m.FileInfo().Mode())
		}
		file := filepath.Join(root, "etc/config/sample")
		put(t, filepath.Dir(file), "", os.ModeDir|0o755)
		for path, content := range map[string]string{file: tc.mine, file + "-opkg.backup": tc.backup} {
			if content != "" {
				put(t, path, content, 0o600)
			}
		}
		cmd := exec.Command("sh", "-ec", script)
		cmd.Env = append(os.Environ(), "IPKG_INSTROOT="+root)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v, %s", tc.name, err, out)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if got, err := os.ReadFile(file); string(got) != tc.want || info.Mode() != 0o600 {
			t.Errorf("%s: %q of mode %v (%v), want %q", tc.name, got, info.Mode(), err, tc.want)
		}
	}
}

// put makes a file or directory.
func put(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	create := func() error { return os.WriteFile(path, []byte(content), mode) }
	if mode.IsDir() {
		create = func() error { return os.MkdirAll(path, mode.Perm()) }
	}
	if err := create(); err != nil {
		t.Fatal(err)
	}
}

func TestControl(t *testing.T) {
	want := `Package: sample
Version: 1.2.3+git7-r4
Depends: zebra, aardvark
License: MIT
Section: net
Require-User: sam:sam
URL: https://example.org/
Maintainer: Nobody <nobody@example.org>
Architecture: all
SourceDateEpoch: 1700000000
Installed-Size: 120039
Description:  a package to test with
`
	if got := ipk.Control(packagestest.Sample()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestIndex(t *testing.T) {
	p := packagestest.Sample()
	var file, index bytes.Buffer
	built, err := ipk.Write(&file, p, ipk.Compress)
	if err != nil {
		t.Fatal(err)
	}
	if err := ipk.WriteIndex(&index, []*ipk.Built{built, built}); err != nil {
		t.Fatal(err)
	}
	one := ipk.Control(p) + fmt.Sprintf("Filename: sample_1.2.3+git7-r4_all.ipk\nSize: %d\nSHA256sum: %x\n\n", file.Len(), sha256.Sum256(file.Bytes()))
	if got := index.String(); got != one+one {
		t.Errorf("got:\n%s\nwant twice:\n%s", got, one)
	}
}

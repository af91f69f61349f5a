package deb_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ginnel/packages"
	"ginnel/packages/deb"
	"ginnel/packages/packagestest"
)

// TestWrite reads what was written with dpkg itself.
func TestWrite(t *testing.T) {
	b := packagestest.Reproducible(t, func(p *packages.Package) ([]byte, error) {
		var b bytes.Buffer
		err := deb.Write(&b, p)
		return b.Bytes(), err
	})
	p := packagestest.Sample()
	file := filepath.Join(t.TempDir(), deb.FileName(p))
	if filepath.Base(file) != "sample_1.2.3+git7-4_all.deb" {
		t.Error(file)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	fields := dpkg(t, "-f", file, "Package", "Version", "Architecture", "Depends", "Maintainer", "Section")
	for _, want := range []string{"Package: sample\n", "Version: 1.2.3+git7-4\n", "Architecture: all\n", "Depends: zebra, aardvark\n", "Nobody <nobody@example.org>\n", "Section: net\n"} {
		if !strings.Contains(fields, want) {
			t.Errorf("no %q in:\n%s", want, fields)
		}
	}
	list := dpkg(t, "-c", file)
	for _, want := range []string{"-rwxr-xr-x root/root    120000 2023-11-14", "./usr/bin/sample\n", "-rw------- root/root        14", "./etc/config/sample\n", "-rw-r--r-- root/root         0"} {
		if !strings.Contains(list, want) {
			t.Errorf("no %q in:\n%s", want, list)
		}
	}
	const head = "#!/bin/sh\nset -e\n"
	control := t.TempDir()
	dpkg(t, "-e", file, control)
	for name, want := range map[string]string{
		"conffiles": "/etc/config/sample\n", "postinst": head + p.Scripts.PostInstall, "prerm": head + p.Scripts.PreRemove, "postrm": head + p.Scripts.PostRemove,
	} {
		if got, err := os.ReadFile(filepath.Join(control, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestVersions: later ones sort later, by dpkg's own rule.
func TestVersions(t *testing.T) {
	p := packagestest.Sample()
	last := "0"
	for _, v := range []struct {
		version          string
		commits, release int
	}{{"0.1.0", 0, 1}, {"0.1.0", 0, 2}, {"0.1.0", 1, 1}, {"0.1.0", 9, 1}, {"0.1.0", 10, 1}, {"0.1.1", 0, 1}, {"0.2", 0, 1}, {"0.10", 0, 1}} {
		p.Version, p.Commits, p.Release = v.version, v.commits, v.release
		if out, err := exec.Command("dpkg", "--compare-versions", last, "lt", deb.Version(p)).CombinedOutput(); err != nil {
			t.Errorf("%s does not sort before %s: %v\n%s", last, deb.Version(p), err, out)
		}
		last = deb.Version(p)
	}
}

func dpkg(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command("dpkg-deb", args...)
	c.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, out)
	}
	return string(out)
}

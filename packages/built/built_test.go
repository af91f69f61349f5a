package built_test

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
)

const dist = "../../dist"

// What routers' flash allows, in bytes.
const (
	maxBinary  = 5_500_000
	maxPackage = 2_000_000
)

// promised are the architectures that packages must be there for, and the
// emulators of qemu-user that run their binaries.
var promised = map[string]string{
	"mips_24kc": "qemu-mips-static", "mipsel_24kc": "qemu-mipsel-static",
	"arm_cortex-a7_neon-vfpv4": "qemu-arm-static", "aarch64_cortex-a53": "qemu-aarch64-static", "x86_64": "qemu-x86_64-static",
}

// member is an entry of an archive.
type member struct {
	tar.Header
	content []byte
}

// archive reads a gzipped tar as opkg does: headers of GNU's format or ustar,
// of files and directories alone.
func archive(t *testing.T, gz []byte) map[string]member {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]member{}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Format != tar.FormatGNU && h.Format != tar.FormatUSTAR || len(h.PAXRecords) > 0 {
			t.Errorf("%s has a header of format %v", h.Name, h.Format)
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir || h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s is of type %q and belongs to %d:%d", h.Name, h.Typeflag, h.Uid, h.Gid)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list[h.Name] = member{*h, content}
	}
}

// one returns the only file that a pattern below dist matches, and its name.
func one(t *testing.T, pattern string) (string, []byte) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dist, pattern))
	if err != nil || len(list) != 1 {
		t.Fatalf("%s is %q, %v: want one file; `make packages` builds it", pattern, list, err)
	}
	b, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	return list[0], b
}

// TestIPK: what opkg will find, for every architecture.
func TestIPK(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(dist, "opkg", "*"))
	if err != nil || len(dirs) < len(promised) {
		t.Fatalf("there are packages for %q, %v: `make packages` builds them", dirs, err)
	}
	for _, dir := range dirs {
		arch := filepath.Base(dir)
		t.Run(arch, func(t *testing.T) {
			path, b := one(t, "opkg/"+arch+"/*.ipk")
			t.Logf("%s: %d bytes", filepath.Base(path), len(b))
			if len(b) > maxPackage {
				t.Errorf("%s has %d bytes, at most %d", path, len(b), maxPackage)
			}
			outer := archive(t, b)
			if string(outer["./debian-binary"].content) != "2.0\n" || len(outer) != 3 {
				t.Errorf("the package has %d members, and version %q", len(outer), outer["./debian-binary"].content)
			}
			checkControl(t, arch, archive(t, outer["./control.tar.gz"].content))
			files := archive(t, outer["./data.tar.gz"].content)
			checkFiles(t, files)
			if n := len(files["./usr/bin/ginnel"].content); promised[arch] != "" && n > maxBinary {
				t.Errorf("the binary has %d bytes, at most %d", n, maxBinary)
			}
			checkFeed(t, dir, path, b)
		})
	}
	for arch := range promised {
		if _, err := os.Stat(filepath.Join(dist, "opkg", arch)); err != nil {
			t.Errorf("%s has no package: %v", arch, err)
		}
	}
}

func checkControl(t *testing.T, arch string, control map[string]member) {
	t.Helper()
	for _, want := range []string{"Package: ginnel\n", "\nVersion: ", "\nDepends: kmod-wireguard\n", "\nArchitecture: " + arch + "\n", "\nRequire-User: ginnel:ginnel\n", "\nLicense: ", "\nDescription: ", "\nInstalled-Size: "} {
		if !strings.Contains(string(control["./control"].content), want) {
			t.Errorf("control has no %q:\n%s", want, control["./control"].content)
		}
	}
	for name, says := range map[string]string{"./postinst": "default_postinst", "./postinst-pkg": "/etc/config/ginnel", "./prerm": "default_prerm", "./prerm-pkg": "ginnel clear"} {
		m := control[name]
		if m.Mode != 0o755 || !strings.Contains(string(m.content), says) {
			t.Errorf("%s has mode %o, and says %q", name, m.Mode, m.content)
		}
	}
}

func checkFiles(t *testing.T, files map[string]member) {
	t.Helper()
	for name, mode := range map[string]int64{
		"./usr/bin/ginnel": 0o755, "./etc/init.d/ginnel": 0o755, "./usr/share/ginnel/etc/config/ginnel": 0o644,
		"./lib/upgrade/keep.d/ginnel": 0o644, "./etc/capabilities/ginnel.json": 0o644,
	} {
		if m, ok := files[name]; !ok || m.Mode != mode {
			t.Errorf("%s is there: %v, with mode %o, want %o", name, ok, m.Mode, mode)
		}
	}
	if _, ok := files["./etc/config/ginnel"]; ok {
		t.Error("opkg would write over /etc/config/ginnel")
	}
}

// checkFeed checks that the folder's index lists the package.
func checkFeed(t *testing.T, dir, path string, b []byte) {
	t.Helper()
	index, err := os.ReadFile(filepath.Join(dir, "Packages"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(index), "\nFilename: "+filepath.Base(path)+"\n") || !strings.Contains(string(index), fmt.Sprintf("\nSHA256sum: %x\n", sha256.Sum256(b))) {
		t.Errorf("the index does not list %s:\n%s", filepath.Base(path), index)
	}
	zipped, err := os.ReadFile(filepath.Join(dir, "Packages.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	if unzipped, err := io.ReadAll(z); err != nil || !bytes.Equal(unzipped, index) {
		t.Errorf("Packages.gz is not Packages: %v", err)
	}
}

// TestAPK: the folders for apk-tools have a package and an index; what is in
// them ../apk's tests say.
func TestAPK(t *testing.T) {
	for arch := range promised {
		path, b := one(t, "apk/"+arch+"/*.apk")
		_, index := one(t, "apk/"+arch+"/packages.adb")
		if !strings.HasPrefix(string(b), "ADBd") || !strings.HasPrefix(string(index), "ADBd") {
			t.Errorf("%s or its index is not a file of apk-tools 3", path)
		}
	}
}

// TestRuns: the binary in each package runs on its architecture, as far as an
// emulated processor tells.
func TestRuns(t *testing.T) {
	for arch, emulator := range promised {
		t.Run(arch, func(t *testing.T) {
			_, b := one(t, "opkg/"+arch+"/*.ipk")
			data := archive(t, archive(t, b)["./data.tar.gz"].content)
			binary := filepath.Join(t.TempDir(), "ginnel")
			if err := os.WriteFile(binary, data["./usr/bin/ginnel"].content, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, tc := range []struct{ command, says string }{{"version", "ginnel "}, {"help", "peer invite"}} {
				out, err := exec.Command(emulator, binary, tc.command).CombinedOutput()
				if err != nil || !strings.Contains(string(out), tc.says) {
					t.Errorf("ginnel %s: %v\n%s", tc.command, err, out)
				}
			}
		})
	}
}

package archtest

import (
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What the binary for the smallest routers may take, in bytes. They have 16 MB
// of flash, most of it the system's.
const (
	maxBinary = 5_500_000
	// maxPackage is for the binary as a package has it, compressed; the rest of
	// a package is a few kB.
	maxPackage = 2_000_000
)

// TestSize builds the binary as it is released.
func TestSize(t *testing.T) {
	const target = "bin/ginnel-mipsle"
	build := exec.Command("make", "-s", target)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	binary, err := os.ReadFile(filepath.Join(root, target))
	if err != nil {
		t.Fatal(err)
	}
	size, compressed := len(binary), compressedSize(t, binary)
	t.Logf("%s: %d bytes, %d compressed", target, size, compressed)
	if size > maxBinary {
		t.Errorf("%s has %d bytes, at most %d: `go tool nm -size -sort size` of a build without -s shows what is large", target, size, maxBinary)
	}
	if compressed > maxPackage {
		t.Errorf("%s has %d bytes when compressed, at most %d", target, compressed, maxPackage)
	}
}

// compressedSize is what gzip -9, which packages are made with, makes of b.
func compressedSize(t *testing.T, b []byte) int {
	var n counter
	z, err := gzip.NewWriterLevel(&n, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// counter counts the bytes written to it.
type counter int

func (n *counter) Write(b []byte) (int, error) { *n += counter(len(b)); return len(b), nil }

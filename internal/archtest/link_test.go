package archtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// notLinked are the packages the product must do without: they would double
// the binary and the idle memory, or need a C library; those of the second
// line are large beside what does their work here (docs/dependencies.md).
var notLinked = []string{"net/http/...", "crypto/tls/...", "html/template", "text/template", "runtime/cgo", "expvar", "testing/...",
	"encoding/json/...", "log/slog", "flag", "text/tabwriter", "github.com/jsimonetti/rtnetlink/...", "github.com/google/nftables/...", "golang.zx2c4.com/wireguard/wgctrl/...", "github.com/mdlayher/..."}

// notInRouters is of Go's module of ciphers what links all the others for its
// self-tests: crypto/sha256, crypto/hmac and crypto/rand bring it along.
const notInRouters = "crypto/internal/fips140"

// targets are the architectures and tags the product is looked at for: what is
// linked can differ.
var targets = []struct{ arch, tag string }{{"amd64", ""}, {"mipsle", "kernelonly"}}

// TestLinked asks the go command what the product consists of.
func TestLinked(t *testing.T) {
	main, err := filepath.Glob(filepath.Join(root, "cmd/ginnel/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(main) == 0 {
		t.Log("cmd/ginnel has no Go files yet")
		return
	}
	for _, target := range targets {
		arch, linked := target.arch, dependencies(t, target.arch, target.tag, "./cmd/ginnel")
		if len(linked) < 50 {
			t.Errorf("%s: only %d packages are linked: is the list whole?", arch, len(linked))
		}
		for _, p := range forbidden(linked) {
			t.Errorf("%s: %s is linked into the product", arch, p)
		}
		if target.tag != "" && slices.Contains(linked, notInRouters) {
			t.Errorf("%s: %s is linked into the binary for routers", arch, notInRouters)
		}
	}
}

// forbidden picks what may not be linked, and what of ours is for tests.
func forbidden(linked []string) []string {
	var found []string
	for _, p := range linked {
		bad := slices.ContainsFunc(notLinked, func(pattern string) bool { return matches(pattern, p) })
		ours, isOurs := strings.CutPrefix(p, modulePath)
		bad = bad || isOurs && (strings.HasSuffix(ours, "test") || ours == "platform/fake" || matches("netlab/...", ours) || matches("internal/...", ours))
		if bad {
			found = append(found, p)
		}
	}
	return found
}

func dependencies(t *testing.T, arch, tag, pkg string) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-tags="+tag, pkg)
	list.Dir = root
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%s: %v: %s", list, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func TestForbidden(t *testing.T) {
	got := forbidden([]string{"net", "net/http", "net/http/httptrace", "net/textproto", "crypto/tls", "ginnel/key", "ginnel/platform/fake", "ginnel/platform/platformtest", "ginnel/netlab"})
	want := []string{"net/http", "net/http/httptrace", "crypto/tls", "ginnel/platform/fake", "ginnel/platform/platformtest", "ginnel/netlab"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := forbidden(dependencies(t, "amd64", "", "net/http/httptest")); !slices.Contains(got, "crypto/tls") {
		t.Errorf("httptest links %q", got)
	}
}

package machine

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// tree writes what depmod writes, and returns its directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestResolve(t *testing.T) {
	known, err := readModules(tree(t, map[string]string{
		"modules.dep":     "net/wireguard.ko: lib/chacha20poly1305.ko net/udp-tunnel.ko lib/chacha.ko\nlib/chacha20poly1305.ko: lib/chacha.ko\nlib/chacha.ko:\nnet/udp-tunnel.ko:\nfs/jffs2.ko:\nmtd/phram.ko:\nlib/libcrc32c.ko:\ncrypto/crc32c_generic.ko: lib/libcrc32c.ko\n",
		"modules.builtin": "kernel/net/unix.ko\n",
		"modules.softdep": "# by hand\nsoftdep libcrc32c pre: crypto-crc32c\nsoftdep jffs2 pre: udp-tunnel post: phram\nsoftdep crc32c_generic pre: nowhere\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		what        string
		asked, want []string
	}{
		{"what it needs comes first, once", []string{"wireguard", "udp_tunnel"}, []string{"lib/chacha.ko", "net/udp-tunnel.ko", "lib/chacha20poly1305.ko", "net/wireguard.ko"}},
		{"dashes", []string{"udp-tunnel"}, []string{"net/udp-tunnel.ko"}},
		{"parameters", []string{"phram phram=a,1,2 x=y"}, []string{"mtd/phram.ko phram=a,1,2 x=y"}},
		{"in the kernel", []string{"unix"}, nil},
		{"what it wants", []string{"jffs2"}, []string{"net/udp-tunnel.ko", "fs/jffs2.ko"}},
		{"in a circle", []string{"libcrc32c"}, []string{"crypto/crc32c_generic.ko", "lib/libcrc32c.ko"}},
	} {
		list, err := known.resolve(tc.asked)
		var got []string
		for _, m := range list {
			if m.Parameters != "" {
				m.Path += " " + m.Parameters
			}
			got = append(got, m.Path)
		}
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %v, want %q", tc.what, got, err, tc.want)
		}
	}
	if _, err := known.resolve([]string{"wireguard", "nonsense"}); err == nil {
		t.Error("a module that is not there is not missed")
	}
}

func TestReadModules(t *testing.T) {
	for what, files := range map[string]map[string]string{
		"no modules.dep":     {"modules.builtin": ""},
		"no modules.builtin": {"modules.dep": ""},
		"not modules.dep":    {"modules.dep": "nonsense\n", "modules.builtin": ""},
	} {
		if _, err := readModules(tree(t, files)); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

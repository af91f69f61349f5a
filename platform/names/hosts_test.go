package names_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/names"
)

var entries = []platform.HostEntry{
	{Address: netip.MustParseAddr("10.42.0.1"), Names: []string{"gate.home.wg"}},
	{Address: netip.MustParseAddr("10.42.0.7"), Names: []string{"nas.home.wg", "nas"}},
}

const original = "127.0.0.1\tlocalhost\r\n# mine"

func TestBehaviour113OwnBlockOnly(t *testing.T) {
	h, path := hosts(t, original)
	set(t, h, "home", entries)
	set(t, h, "work", []platform.HostEntry{{Address: netip.MustParseAddr("fd00::1"), Names: []string{"pc.work.wg"}}})
	want, err := os.ReadFile("testdata/hosts.golden")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	set(t, h, "home", nil)
	set(t, h, "work", nil)
	if got := read(t, path); got != original {
		t.Errorf("after removal: %q", got)
	}
	alone(t, path)
}

// TestBehaviour114LockedDirectory: everybody may lock the directory, and stops
// nobody for long by it.
func TestBehaviour114LockedDirectory(t *testing.T) {
	h, path := hosts(t, original)
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := h.Set("home", entries); err == nil || !strings.Contains(err.Error(), "another program has had it locked") {
		t.Errorf("while it is locked: %v", err)
	}
	if got := read(t, path); got != original {
		t.Errorf("the file has become %q", got)
	}
	d.Close()
	set(t, h, "home", entries)
}

func TestBehaviour114UnchangedFileIsNotTouched(t *testing.T) {
	h, path := hosts(t, original)
	set(t, h, "home", entries)
	long := time.Unix(1e9, 0)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	before := stat(t, path)
	set(t, h, "home", entries)
	set(t, h, "other", nil)
	after := stat(t, path)
	if !after.ModTime().Equal(long) || !os.SameFile(before, after) {
		t.Errorf("the file was written: %v", after.ModTime())
	}
}

func TestBehaviour114OwnerPermissionsAndLabelAreKept(t *testing.T) {
	h, path := hosts(t, original)
	if err := errors.Join(os.Chown(path, 1234, 4321), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	label := []byte("system_u:object_r:net_conf_t:s0")
	labelled := unix.Setxattr(path, "security.selinux", label, 0)
	before := stat(t, path)
	set(t, h, "home", entries)
	after := stat(t, path)
	st := after.Sys().(*syscall.Stat_t)
	if after.Mode() != 0o640 || st.Uid != 1234 || st.Gid != 4321 {
		t.Errorf("now %v of %d:%d", after.Mode(), st.Uid, st.Gid)
	}
	if os.SameFile(before, after) {
		t.Error("the file was written in place, not replaced")
	}
	if labelled == nil { // only a file system with labels can lose one
		got := make([]byte, 100)
		n, err := unix.Getxattr(path, "security.selinux", got)
		if err != nil || !bytes.Equal(bytes.TrimRight(got[:n], "\x00"), label) {
			t.Errorf("label is now %q, %v", got[:max(n, 0)], err)
		}
	}
	alone(t, path)
}

func TestMissingFileIsMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	h := names.New(path)
	set(t, h, "home", nil)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("made for nothing: %v", err)
	}
	defer unix.Umask(unix.Umask(0o077))
	set(t, h, "home", entries)
	if mode := stat(t, path).Mode(); mode != 0o644 {
		t.Errorf("made with mode %v", mode)
	}
	set(t, h, "home", nil)
	if got := read(t, path); got != "" {
		t.Errorf("after removal: %q", got)
	}
}

func TestStaleTemporaryIsReplaced(t *testing.T) {
	h, path := hosts(t, original)
	stale := filepath.Join(filepath.Dir(path), ".hosts.ginnel")
	if err := os.Symlink("/dev/null", stale); err != nil {
		t.Fatal(err)
	}
	set(t, h, "home", entries)
	set(t, h, "home", nil)
	if got := read(t, path); got != original {
		t.Errorf("got %q", got)
	}
	alone(t, path)
}

func TestSymbolicLinkStays(t *testing.T) {
	_, path := hosts(t, original)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	set(t, names.New(link), "home", entries)
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("link leads to %q, %v", to, err)
	}
	if read(t, path) == original {
		t.Error("the file behind the link was not written")
	}
}

func TestRefusals(t *testing.T) {
	h, path := hosts(t, original)
	bad := []platform.HostEntry{{Address: entries[0].Address, Names: []string{"a b"}}}
	if err := h.Set("home", bad); err == nil {
		t.Error("a name with a blank was accepted")
	}
	if read(t, path) != original {
		t.Error("the file was changed")
	}
	if err := names.New(t.TempDir()).Set("home", entries); err == nil {
		t.Error("wrote to a directory")
	}
	if err := names.New(filepath.Join(t.TempDir(), "no", "hosts")).Set("home", entries); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing directory: %v", err)
	}
}

func TestBehaviour114BindMountIsWrittenInPlace(t *testing.T) {
	h, path := hosts(t, original)
	inMountNamespace(t, func() {
		backing := filepath.Join(t.TempDir(), "backing")
		if err := os.WriteFile(backing, []byte(original), 0o600); err != nil {
			t.Error(err)
			return
		}
		if err := unix.Mount(backing, path, "", unix.MS_BIND, ""); err != nil {
			t.Error(err)
			return
		}
		before := stat(t, path)
		if err := h.Set("home", entries); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(backing); err != nil || len(got) <= len(original) || !os.SameFile(before, stat(t, path)) {
			t.Errorf("backing file: %q, %v", got, err)
		}
		if err := h.Set("home", nil); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(backing); err != nil || string(got) != original {
			t.Errorf("after removal: %q, %v", got, err)
		}
	})
	alone(t, path)
}

func TestReadOnlyDirectoryIsWrittenInPlace(t *testing.T) {
	h, path := hosts(t, original)
	dir := filepath.Dir(path)
	inMountNamespace(t, func() {
		// The directory becomes read-only, the file in it is mounted writable.
		backing := filepath.Join(t.TempDir(), "backing")
		if err := os.WriteFile(backing, []byte(original), 0o644); err != nil {
			t.Error(err)
			return
		}
		for _, err := range []error{
			unix.Mount(dir, dir, "", unix.MS_BIND, ""),
			unix.Mount(backing, path, "", unix.MS_BIND, ""),
			unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""),
		} {
			if err != nil {
				t.Error(err)
				return
			}
		}
		if err := h.Set("home", entries); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(backing); err != nil || len(got) <= len(original) {
			t.Errorf("backing file: %q, %v", got, err)
		}
	})
}

func TestFullDiskLeavesTheFile(t *testing.T) {
	h, path := hosts(t, original)
	var many []platform.HostEntry
	for range 500 {
		many = append(many, entries...)
	}
	inMountNamespace(t, func() {
		small := t.TempDir()
		backing := filepath.Join(small, "backing")
		if err := errors.Join(
			unix.Mount("tmpfs", small, "tmpfs", 0, "size=4k"),
			os.WriteFile(backing, []byte(original), 0o644),
			unix.Mount(backing, path, "", unix.MS_BIND, ""),
		); err != nil {
			t.Error(err)
			return
		}
		if err := h.Set("home", many); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("set: %v", err)
		}
		if got, err := os.ReadFile(backing); err != nil || string(got) != original {
			t.Errorf("after the error: %q, %v", got, err)
		}
	})
}

func TestNetworksAtOnce(t *testing.T) {
	_, path := hosts(t, original)
	var wg sync.WaitGroup
	for _, network := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			h := names.New(path)
			for range 5 {
				if err := errors.Join(h.Set(network, entries), h.Set(network, nil)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := read(t, path); got != original {
		t.Errorf("got %q", got)
	}
	alone(t, path)
}

// inMountNamespace runs f on a thread with mounts of its own. The thread dies
// with the goroutine that stays locked to it, and the mounts with the thread.
func inMountNamespace(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
			t.Errorf("mount namespace: %v", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Errorf("private mounts: %v", err)
			return
		}
		f()
	}()
	<-done
}

// hosts makes a hosts file with that content.
func hosts(t *testing.T, content string) (*names.Hosts, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return names.New(path), path
}

func set(t *testing.T, h *names.Hosts, network string, entries []platform.HostEntry) {
	t.Helper()
	if err := h.Set(network, entries); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func stat(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Error(err)
	}
	return info
}

// alone checks that nothing else is left in the file's directory.
func alone(t *testing.T, path string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(all) != 1 {
		t.Errorf("in the directory: %v, %v", all, err)
	}
}

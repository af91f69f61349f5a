package netlab

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// Host is a machine of the world. See the package comment for what is its own
// and what it shares.
type Host struct {
	w     *World
	name  string
	dir   string // its private files
	ns    *namespaces
	links []*Link
	runs  int // programs started: names their logs
}

// Host makes a machine, plugs it into a switch, and gives it a default route
// there. Each address is "192.0.2.7" or, outside the switch's prefixes,
// "192.0.2.7/24"; none means a free one of each family that the switch has. The
// name is its host name too.
func (w *World) Host(name string, at *Switch, addrs ...string) *Host {
	w.t.Helper()
	h := w.newHost(name)
	h.Connect(at, addrs...)
	return h
}

// newHost makes a machine without links.
func (w *World) newHost(name string) *Host {
	w.t.Helper()
	if w.hosts[name] != nil {
		w.t.Fatalf("netlab: a host named %q exists already", name)
	}
	h := &Host{w: w, name: name, dir: filepath.Join(w.dir, name)}
	var err error
	h.ns, err = newNamespaces(unix.CLONE_NEWNET|unix.CLONE_NEWNS|unix.CLONE_NEWUTS, h.setUp)
	w.must(err, "host %s", name)
	w.nodes = append(w.nodes, h.ns)
	w.must(h.ns.rtnl(func(c *rtnetlink.Conn) error { return setUp(c, 1, true) }), "host %s: loopback", name)
	w.hosts[name] = h
	return h
}

// setUp runs in the new namespaces.
func (h *Host) setUp() error {
	if err := unix.Sethostname([]byte(h.name)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	if err := h.mounts(); err != nil {
		return err
	}
	return writeSysctls("net/ipv4/conf/all/rp_filter", "0", "net/ipv4/conf/default/rp_filter", "0",
		"net/ipv6/conf/all/accept_dad", "0", "net/ipv6/conf/default/accept_dad", "0",
		"net/ipv6/conf/all/accept_ra", "0", "net/ipv6/conf/default/accept_ra", "0",
		"net/ipv4/ping_group_range", "0 2147483647")
}

// Programs is the directory, on everybody's PATH, where a host's own programs
// are: see Host.Install.
const Programs = "/usr/local/bin"

// mounts makes /etc, /var/lib, Programs, /run and /sys the host's own. Overlays, because
// then the machine needs no mount points for Ginnel's directories.
func (h *Host) mounts() error {
	for _, path := range []string{"/etc", "/var/lib", Programs} {
		if err := h.overlay(path); err != nil {
			return err
		}
	}
	run := filepath.Join(h.dir, "run")
	if err := os.MkdirAll(run+strings.TrimPrefix(baseDir, "/run"), 0o755); err != nil {
		return fmt.Errorf("make /run: %w", err)
	}
	// The library's own directory stays visible: binaries and logs are there.
	if err := unix.Mount(baseDir, run+strings.TrimPrefix(baseDir, "/run"), "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s: %w", baseDir, err)
	}
	if err := unix.Mount(run, "/run", "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	// sysfs shows the links of the network namespace it is mounted from.
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return fmt.Errorf("mount /sys: %w", err)
	}
	return h.nameFiles()
}

// overlay makes changes below path stay in the host.
func (h *Host) overlay(path string) error {
	upper, work := filepath.Join(h.dir, "upper", path), filepath.Join(h.dir, "work", path)
	for _, dir := range []string{upper, work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make overlay: %w", err)
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", path, upper, work)
	if err := unix.Mount("netlab", path, "overlay", 0, options); err != nil {
		return fmt.Errorf("mount overlay on %s: %w", path, err)
	}
	return nil
}

// nameFiles writes the files that name the host and its servers. They replace
// the machine's, which may be links into /run.
func (h *Host) nameFiles() error {
	for path, text := range map[string]string{
		"/etc/hostname":    h.name + "\n",
		"/etc/hosts":       "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t" + h.name + "\n",
		"/etc/resolv.conf": "",
	} {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("replace %s: %w", path, err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("replace %s: %w", path, err)
		}
	}
	return nil
}

// Name is the host's name.
func (h *Host) Name() string { return h.name }

// Link is the host's nth cable, from 0; one that does not exist fails the test.
func (h *Host) Link(n int) *Link {
	h.w.t.Helper()
	if n < 0 || n >= len(h.links) {
		h.w.t.Fatalf("netlab: %s has %d links, so none is number %d", h.name, len(h.links), n)
	}
	return h.links[n]
}

// Addr is the first IPv4 address of the first link that has one; of a host that
// has none at all, its IPv6 address.
func (h *Host) Addr() netip.Addr {
	if a := h.addr(true); a.IsValid() {
		return a
	}
	return h.Addr6()
}

// Addr6 is the first IPv6 address of the first link that has one, or the zero
// Addr. Link-local addresses do not count.
func (h *Host) Addr6() netip.Addr { return h.addr(false) }

func (h *Host) addr(is4 bool) netip.Addr {
	for _, l := range h.links {
		if a := l.addr(is4); a.IsValid() {
			return a
		}
	}
	return netip.Addr{}
}

// SetAddress gives the first link other addresses: see Link.SetAddress.
func (h *Host) SetAddress(addrs ...string) { h.w.t.Helper(); h.Link(0).SetAddress(addrs...) }

// MoveTo plugs the first link into another switch: see Link.MoveTo.
func (h *Host) MoveTo(sw *Switch, addrs ...string) { h.w.t.Helper(); h.Link(0).MoveTo(sw, addrs...) }

// Route sends dst (a CIDR) through the address via, in place of an earlier Route
// and before the routes of the links.
func (h *Host) Route(dst, via string) {
	h.w.t.Helper()
	gw, err := netip.ParseAddr(via)
	h.w.must(err, "%s: gateway", h.name)
	to := h.w.prefixes([]string{dst})[0]
	const first = 1 // what IPv6 takes for 0 is last: 1024
	h.w.must(h.ns.rtnl(func(c *rtnetlink.Conn) error { return replaceRoute(c, 0, first, to, gw) }), "%s", h.name)
}

// Sysctl sets a kernel setting of the host's network namespace, for example
// Sysctl("net.ipv4.ip_forward", "1"). Link names must not contain dots.
func (h *Host) Sysctl(name, value string) {
	h.w.t.Helper()
	h.w.must(h.ns.do(func() error { return writeSysctls(strings.ReplaceAll(name, ".", "/"), value) }), "%s", h.name)
}

// Do runs f inside the host: sockets that it opens are the host's, and so are
// the files it sees. That holds for f's own goroutine only, not for goroutines
// it starts (net.Dial of a literal address starts none that matter). f must not
// fail the test, but return an error. A socket keeps working after f returns.
func (h *Host) Do(f func() error) error {
	if err := h.ns.do(f); err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	return nil
}

// ReadFile reads a file as the host sees it.
func (h *Host) ReadFile(path string) (content []byte, err error) {
	err = h.Do(func() error { content, err = os.ReadFile(path); return err })
	return content, err
}

// Resolve is the first address that the host's /etc/hosts has for a name, as
// "getent hosts NAME" finds it. It is for machines without a C library.
func (h *Host) Resolve(name string) (netip.Addr, error) {
	text, err := h.ReadFile("/etc/hosts")
	if err != nil {
		return netip.Addr{}, err
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) > 1 && slices.Contains(words[1:], name) {
			return netip.ParseAddr(words[0])
		}
	}
	return netip.Addr{}, fmt.Errorf("%s: /etc/hosts has no %s", h.name, name)
}

// WriteFile writes a file as the host sees it, replacing its content, and makes
// its directory if there is none.
func (h *Host) WriteFile(path string, content []byte, mode os.FileMode) error {
	return h.Do(func() error {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, content, mode)
	})
}

// Install makes the program at target, a path of the machine, a command called
// name in the host, and returns the command's path.
func (h *Host) Install(name, target string) string {
	h.w.t.Helper()
	path := filepath.Join(Programs, name)
	h.w.must(h.Do(func() error {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
		return os.Symlink(target, path)
	}), "install %s", name)
	return path
}

// Enter is a command line that opens a shell in the host, to be typed by root
// on the machine while the world exists.
func (h *Host) Enter() string {
	initPID := os.Getenv(initPIDVariable)
	in := fmt.Sprintf("/proc/%s/root/proc/%d/fd/", initPID, os.Getpid())
	return fmt.Sprintf("nsenter --pid=/proc/%s/ns/pid --net=%s%d --uts=%s%d --mount=%s%d -- sh",
		initPID, in, h.ns.net.Fd(), in, h.ns.uts.Fd(), in, h.ns.mnt.Fd())
}

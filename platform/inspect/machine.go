package inspect

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// settings are the kernel's, of the network namespace.
const settings = "/proc/sys/net"

// Machine implements platform.Inspector.
func (Inspector) Machine(dir string) platform.Machine {
	m := platform.Machine{
		WireGuard: wireGuard(), LegacyFilter: legacyFilter("/proc/net"), Strict: strict(settings + "/ipv4/conf"),
		NoForward4: setting(settings+"/ipv4/ip_forward") == "0", NoForward6: setting(settings+"/ipv6/conf/all/forwarding") == "0",
	}
	if info, err := os.Stat("/dev/net/tun"); err == nil {
		m.TUN = info.Mode()&os.ModeCharDevice != 0
	}
	m.Free, m.Total = space(dir)
	return m
}

// space tells of the file system of dir, or of the nearest directory above it
// that is there.
func space(dir string) (free, total uint64) {
	for {
		var s unix.Statfs_t
		if err := unix.Statfs(dir, &s); err == nil {
			return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return 0, 0
		}
		dir = up
	}
}

// wireGuard looks without asking the kernel for WireGuard's netlink family,
// which would load the module.
func wireGuard() platform.Module {
	if _, err := os.Stat("/sys/module/wireguard"); err == nil {
		return platform.ModuleLoaded
	}
	release := setting("/proc/sys/kernel/osrelease")
	if release == "" {
		return platform.ModuleUnknown
	}
	dir := filepath.Join("/lib/modules", release)
	for _, file := range []string{"modules.dep", "modules.builtin"} {
		if list, err := os.ReadFile(filepath.Join(dir, file)); err == nil && strings.Contains(string(list), "/wireguard.ko") {
			return platform.ModuleInstalled
		}
	}
	// OpenWrt has no modules.dep: the modules lie in the directory itself.
	if _, err := os.Stat(filepath.Join(dir, "wireguard.ko")); err == nil {
		return platform.ModuleInstalled
	}
	return platform.ModuleMissing
}

// legacyFilter tells whether iptables of before nftables is in use beside, or
// instead of, nftables: dir has the lists of its tables.
func legacyFilter(dir string) bool {
	return setting(dir+"/ip_tables_names")+setting(dir+"/ip6_tables_names") != ""
}

// strict lists the links whose reverse path filter is strict: the higher of
// their own setting and that for all counts (ip-sysctl).
func strict(conf string) (links []string) {
	entries, err := os.ReadDir(conf) // sorted
	if err != nil {
		return nil
	}
	all := setting(conf + "/all/rp_filter") // "0", "1" or "2", which compare as text
	for _, e := range entries {
		name := e.Name()
		if name != "all" && name != "default" && name != "lo" && max(all, setting(conf+"/"+name+"/rp_filter")) == "1" {
			links = append(links, name)
		}
	}
	return links
}

// setting is what a file of the kernel's says; empty where it cannot be read.
func setting(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

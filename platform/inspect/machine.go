package inspect

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// Machine implements platform.Inspector.
func (Inspector) Machine(dir string) platform.Machine {
	m := platform.Machine{WireGuard: wireGuard(), LegacyFilter: legacyFilter(), Strict: strict("/proc/sys/net/ipv4/conf")}
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
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return platform.ModuleUnknown
	}
	dir := filepath.Join("/lib/modules", strings.TrimSpace(string(release)))
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

// legacyFilter tells whether the table filter of iptables is in use beside, or
// instead of, nftables.
func legacyFilter() bool {
	for _, file := range []string{"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"} {
		names, err := os.ReadFile(file)
		if err == nil && slices.Contains(strings.Fields(string(names)), "filter") {
			return true
		}
	}
	return false
}

// strict lists the links whose reverse path filter is strict: the higher of
// their own setting and that for all counts (ip-sysctl).
func strict(conf string) (links []string) {
	entries, err := os.ReadDir(conf) // sorted
	if err != nil {
		return nil
	}
	all := setting(conf, "all")
	for _, e := range entries {
		name := e.Name()
		if name != "all" && name != "default" && name != "lo" && max(all, setting(conf, name)) == "1" {
			links = append(links, name)
		}
	}
	return links
}

// setting is "0", "1" or "2", which compare as text; empty where it cannot be
// read.
func setting(conf, link string) string {
	text, err := os.ReadFile(filepath.Join(conf, link, "rp_filter"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

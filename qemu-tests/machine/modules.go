package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ginnel/qemu-tests/guest"
)

// WireGuard is what the product's tunnels need of the kernel.
var WireGuard = []string{"wireguard"}

// Worlds is what netlab needs, and the product inside of it.
var Worlds = []string{
	"wireguard", "tun", "veth", "bridge", "dummy", "overlay",
	"nf_tables", "nft_chain_nat", "nft_nat", "nft_masq", "nft_ct", "nft_fib_ipv4", "nft_fib_ipv6", "nft_fib_inet", "nf_conntrack_netlink",
}

// modules knows a kernel's modules by what depmod wrote about them.
type modules struct {
	paths   map[string]string   // of each module, by its name
	needs   map[string][]string // by path: the paths of what it needs, to be loaded from the last to the first
	wants   map[string][]string // by name: names of what it would have the kernel load before it
	builtin map[string]bool     // names of what is in the kernel itself
}

// readModules reads the tree /lib/modules/VERSION. Of its files it needs
// modules.dep and modules.builtin.
func readModules(tree string) (*modules, error) {
	m := &modules{paths: map[string]string{}, needs: map[string][]string{}, wants: map[string][]string{}, builtin: map[string]bool{}}
	deps, err := os.ReadFile(filepath.Join(tree, "modules.dep"))
	if err != nil {
		return nil, fmt.Errorf("read modules: %w", err)
	}
	builtin, err := os.ReadFile(filepath.Join(tree, "modules.builtin"))
	if err != nil {
		return nil, fmt.Errorf("read modules: %w", err)
	}
	soft, err := os.ReadFile(filepath.Join(tree, "modules.softdep"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read modules: %w", err)
	}
	for line := range strings.Lines(string(deps)) {
		p, needs, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("modules.dep: %q is not a module and what it needs", line)
		}
		m.paths[moduleName(p)] = p
		m.needs[p] = strings.Fields(needs)
	}
	for _, p := range strings.Fields(string(builtin)) {
		m.builtin[moduleName(p)] = true
	}
	for line := range strings.Lines(string(soft)) {
		m.readSoft(strings.Fields(line))
	}
	return m, nil
}

// readSoft reads a line of modules.softdep: "softdep NAME pre: NAME... post: NAME...".
func (m *modules) readSoft(words []string) {
	if len(words) < 4 || words[0] != "softdep" || words[2] != "pre:" {
		return
	}
	for _, want := range words[3:] {
		if want == "post:" {
			return
		}
		name := moduleName(words[1])
		m.wants[name] = append(m.wants[name], want)
	}
}

// moduleName is a module's name, which a file name may have with dashes.
func moduleName(p string) string {
	return strings.ReplaceAll(strings.TrimSuffix(path.Base(p), ".ko"), "-", "_")
}

// resolve is what to load, in order, for the modules asked for, each "name
// parameter=value...". The paths are the tree's.
func (m *modules) resolve(asked []string) ([]guest.Module, error) {
	l := loading{modules: m, seen: map[string]bool{}}
	for _, ask := range asked {
		name, parameters, _ := strings.Cut(ask, " ")
		p, ok := m.paths[moduleName(name)]
		if !ok && m.builtin[moduleName(name)] {
			continue
		}
		if !ok {
			return nil, fmt.Errorf("this kernel has no module %s", name)
		}
		l.add(p, parameters)
	}
	return l.list, nil
}

// loading is a list of modules that grows.
type loading struct {
	*modules
	seen map[string]bool // paths; wishes may go round in circles
	list []guest.Module
}

// add adds a module, after what has to be there before it.
func (l *loading) add(p, parameters string) {
	if l.seen[p] {
		return
	}
	l.seen[p] = true
	for _, need := range slices.Backward(l.needs[p]) {
		l.add(need, "")
	}
	for _, want := range l.wants[moduleName(p)] {
		// It is the name of a module, or of an algorithm that several have.
		want = strings.TrimPrefix(want, "crypto-")
		for _, name := range []string{want, want + "_generic"} {
			if wanted, ok := l.paths[moduleName(name)]; ok {
				l.add(wanted, "")
			}
		}
	}
	l.list = append(l.list, guest.Module{Path: p, Parameters: parameters})
}

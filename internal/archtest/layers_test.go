package archtest

import (
	"slices"
	"strings"
)

// modulePath starts the import path of every package of ours.
const modulePath = "ginnel/"

// layer says what a package may import of the module. A path that ends in
// "/..." is the package and all below it.
type layer struct {
	pkg string
	may []string
}

// layers has the first match for every package. Tests may import what they
// like: the two roles meet in them. What is for tests (fakes, suites, netlab)
// is in nobody's list, so it cannot reach the product.
var layers = []layer{
	{"key", nil},
	{"journal", nil},
	{"wire", []string{"key", "wire/json"}},
	{"wire/json", []string{"key"}},
	{"wire/pace", nil},
	{"wire/stun", nil},
	{"wire/http1", []string{"key", "journal", "wire", "wire/json", "wire/pace"}},
	{"network", []string{"key"}},
	{"platform", []string{"key"}},
	{"platform/platformtest", []string{"key", "platform"}},
	{"platform/fake", []string{"key", "platform"}},
	{"platform/wireguard", []string{"key", "journal", "platform", "platform/wireguard/kernel", "platform/wireguard/uapi", "platform/wireguard/userspace"}},
	{"platform/wireguard/kernel", []string{"key", "platform", "platform/netlink", "platform/wireguard/kernel/message"}},
	{"platform/wireguard/userspace", []string{"key", "journal", "platform", "platform/netlink", "platform/wireguard/uapi"}},
	{"platform/...", []string{"key", "journal", "platform", "platform/dirlock", "platform/netlink"}},
	{"daemon/core", []string{"key", "wire", "platform"}},
	{"daemon/config", []string{"key", "wire", "network", "platform", "platform/uci"}},
	{"daemon/state", []string{"key", "wire", "wire/json", "platform", "platform/dbfile", "daemon/core"}},
	{"daemon/...", []string{"key", "journal", "wire/...", "network", "platform", "platform/dbfile", "daemon/..."}},
	{"coordinator/store", []string{"key", "wire", "wire/json", "network", "platform", "platform/dbfile"}},
	{"coordinator/commandtest", []string{"key", "network"}},
	{"coordinator/coordinatortest", []string{"key", "wire/...", "network", "platform", "coordinator/..."}},
	{"coordinator/...", []string{"key", "journal", "wire/...", "network", "platform", "coordinator", "coordinator/api", "coordinator/store"}},
	{"cmd/ginnel", []string{"key", "journal", "wire/...", "network", "daemon/...", "coordinator", "coordinator/store",
		"platform", "platform/dbfile", "platform/firewall", "platform/inspect", "platform/link", "platform/memory", "platform/names", "platform/random", "platform/service", "platform/terminal", "platform/uci", "platform/wireguard"}},
	{"netlab/...", []string{"key", "wire/...", "network", "platform/...", "daemon/...", "coordinator/...", "netlab/..."}},
	{"qemu-tests/...", []string{"key", "wire/...", "netlab/...", "qemu-tests/..."}},
	{"systemd-tests", nil},
	{"internal/...", nil},
}

func checkLayers(s *source) []string {
	if s.test() {
		return nil
	}
	i := slices.IndexFunc(layers, func(l layer) bool { return matches(l.pkg, s.pkg()) })
	if i < 0 {
		return []string{s.at(s.file.Name, "package %s is in no layer: add it to the table of layers", s.pkg())}
	}
	var found []string
	for p, spec := range s.imports() {
		ours, ok := strings.CutPrefix(p, modulePath)
		if ok && !slices.ContainsFunc(layers[i].may, func(may string) bool { return matches(may, ours) }) {
			found = append(found, s.at(spec, "%s may not import %s", s.pkg(), ours))
		}
	}
	return found
}

func matches(pattern, pkg string) bool {
	above, tree := strings.CutSuffix(pattern, "/...")
	return pkg == above || tree && strings.HasPrefix(pkg, above+"/")
}

// foreign says who may import a module that is not ours, or a part of it.
// Those that are not listed may be imported by nobody.
var foreign = []layer{
	{"filippo.io/edwards25519", []string{"key"}},
	{"github.com/coreos/go-systemd/v22", []string{"platform/service"}},
	{"go.etcd.io/bbolt", []string{"coordinator/store", "daemon/state", "platform/dbfile"}},
	{"golang.org/x/sys/unix", []string{"platform/...", "netlab/...", "qemu-tests/..."}},
	{"golang.zx2c4.com/wireguard", []string{"platform/wireguard/userspace", "platform/wireguard/uapi", "netlab/..."}},
	{"github.com/jsimonetti/rtnetlink/v2", []string{"platform/...", "netlab/..."}},
	{"github.com/mdlayher/netlink", []string{"netlab/..."}},
	{"github.com/google/nftables", []string{"platform/firewall", "platform/inspect", "netlab/..."}},
}

// checkForeign looks at tests as well. internal/deps is the one place that
// lists modules before they have a user.
func checkForeign(s *source) []string {
	if s.pkg() == "internal/deps" {
		return nil
	}
	var found []string
	for p, spec := range s.imports() {
		host, _, _ := strings.Cut(p, "/")
		if !strings.Contains(host, ".") {
			continue
		}
		i := slices.IndexFunc(foreign, func(l layer) bool { return matches(l.pkg+"/...", p) })
		if i < 0 || !slices.ContainsFunc(foreign[i].may, func(may string) bool { return matches(may, s.pkg()) }) {
			found = append(found, s.at(spec, "%s may not import %s", s.pkg(), p))
		}
	}
	return found
}

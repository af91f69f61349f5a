package scenarios_test

import (
	"net/netip"
	"testing"

	"ginnel/wire"
)

// TestBehaviour01And04And06And48Readme: the README's commands, typed as they
// stand there, lead from nothing to two machines that ping each other by name.
// The coordinator's endpoint is a name.
func TestBehaviour01And04And06And48Readme(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		vps, laptop := l.machine(l.Host("vps", inet)), l.machine(l.Host("laptop", inet))
		laptop.knows("vps.example.com", vps.Addr())

		vps.ginnel("network", "create", "home", l.home.root(), "--endpoint", "vps.example.com:"+port)
		vps.begins()
		vps.ginnel("cidr", "add", "laptops", l.home.cidr(1))
		const file = "/run/anna.invitation"
		vps.ginnel("peer", "invite", "anna", "--cidr", "laptops", "--output", file)
		token, err := vps.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := laptop.WriteFile(file, token, 0o600); err != nil {
			t.Fatal(err)
		}
		laptop.ginnel("join", file)
		if status := laptop.ginnel("status"); !inOrder(status, "home", "anna", l.home.address(1, 1).String(), "vps", l.home.address(0, 1).String()) {
			t.Errorf("status says\n%s", status)
		}
		laptop.reaches(vps, patience)
		vps.reaches(laptop, patience)
		laptop.resolves("vps", l.home.address(0, 1), patience)
		vps.resolves("anna", l.home.address(1, 1), patience)

		vps.ginnel("cidr", "add", "servers", l.home.cidr(2))
		vps.ginnel("association", "add", "laptops", "servers")
		server := l.machine(l.Host("server", inet))
		server.knows("vps.example.com", vps.Addr())
		server.ginnel("join", vps.invite("server", "servers"))
		l.allReach(laptop, server, vps)
	})
}

// begins fails unless m's network "home" is as it is made: the root, and in it
// infra, with the coordinator at the first address.
func (m *machine) begins() {
	m.lab.t.Helper()
	first := m.lab.home.address(0, 1)
	infra := netip.PrefixFrom(first, first.BitLen()).String()
	if list := m.ginnel("cidr", "list"); !inOrder(list, "home", m.lab.home.root(), "infra", infra) {
		m.lab.t.Errorf("a new network has\n%s", list)
	}
	n, err := m.network()
	if err != nil || n.Self.Address != first || n.Self.Name != m.Name() || n.Self.Role != wire.RoleCoordinator || len(n.Peers) != 0 {
		m.lab.t.Errorf("the new coordinator is %+v (%v)", n, err)
	}
}

package scenarios_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ginnel/netlab"
)

// ordinary is a user like any other.
const ordinary = 12345

// unprivileged starts the daemon on a host as an ordinary user, who has his
// directories, as a service manager makes them, and CAP_NET_ADMIN.
func (l *lab) unprivileged(h *netlab.Host) *machine {
	l.t.Helper()
	for _, dir := range []string{"/etc/ginnel", "/var/lib/ginnel", "/run/ginnel"} {
		h.Run("install", "-d", "-o", strconv.Itoa(ordinary), "-g", strconv.Itoa(ordinary), "-m", "750", dir)
	}
	h.Run("mount", "-t", "tmpfs", "tmpfs", "/dev/net")
	h.Run("mknod", "-m", "666", "/dev/net/tun", "c", "10", "200") // as udev makes it; for kernels without WireGuard
	m := &machine{Host: h, lab: l, user: ordinary}
	m.start()
	return m
}

// TestBehaviour68Unprivileged: a daemon without root, with CAP_NET_ADMIN alone,
// does everything in either role while root gives the commands; that it cannot
// write the hosts file is a problem that status tells of, not a failure.
func TestBehaviour68Unprivileged(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		vps, anna := l.unprivileged(l.Host("vps", inet)), l.unprivileged(l.Host("anna", inet))
		bob := l.machine(l.Host("bob", inet))
		vps.ginnel("network", "create", "home", l.home.root(), "--endpoint", endpointAt(vps.Addr()))
		vps.ginnel("cidr", "add", "machines", l.home.cidr(1))
		for _, m := range []*machine{anna, bob} {
			m.ginnel("join", vps.invite(m.Name(), "machines"))
		}
		l.allReach(vps, anna, bob)
		for _, m := range []*machine{vps, anna} {
			m.complains("let the daemon's user write the file")
			if others := m.Run("find", "/var/lib/ginnel", "/etc/ginnel", "/run/ginnel", "!", "-user", strconv.Itoa(ordinary)); others != "" {
				t.Errorf("%s: not the daemon's are\n%s", m.Name(), others)
			}
		}
		anna.Run("chown", strconv.Itoa(ordinary), "/etc/hosts")
		anna.names(bob)

		for _, m := range []*machine{vps, anna} {
			m.daemon.Kill()
			m.start()
		}
		l.allReach(vps, anna, bob)
		vps.ginnel("peer", "rename", "bob", "robert")
		anna.resolves("robert", bob.overlay(), patience)
		anna.ginnel("down")
		anna.stopped()
		anna.ginnel("up")
		anna.reaches(bob, patience)
		anna.ginnel("leave", "--yes")
		anna.clean()
		bob.ginnel("leave", "--yes")
		vps.ginnel("network", "remove", "home", "--yes")
		vps.clean()
	})
}

// complains waits until status tells of a problem.
func (m *machine) complains(of string) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+" complains", func() error {
		n, err := m.network()
		if err == nil && !strings.Contains(strings.Join(n.Problems, "\n"), of) {
			err = fmt.Errorf("%q is not among the problems %q", of, n.Problems)
		}
		return err
	})
}

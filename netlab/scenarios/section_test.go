package scenarios_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"ginnel/daemon/local"
	"ginnel/netlab"
	"ginnel/wire"
)

// TestInvitationInSection: a router that has nothing but a section with an
// invitation, and starts before its line is there, is in the network once it is,
// and after every restart. Nobody writes its configuration, until leave takes the
// section out.
func TestInvitationInSection(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("server")
		host := l.Host("router", l.Switch("dark", l.lan(1).String()))
		token := o.coordinator.invite("router", "machines")
		section := "config network 'home'\n\toption invitation '" + token + "'\n"
		router := l.invited(host, section)
		router.isJoining("no answer from the coordinator at [" + endpointAt(o.coordinator.Addr()) + "]")
		host.MoveTo(o.internet)
		netlab.Eventually(t, 3*patience, "the router has joined", router.isUp)
		all := append(o.all(), router)
		l.allReach(all...)

		before, err := router.network()
		if err != nil {
			t.Fatal(err)
		}
		router.daemon.Kill()
		router.start()
		l.allReach(all...)
		if after, err := router.network(); err != nil || after.PublicKey != before.PublicKey || len(after.Problems) > 0 {
			t.Errorf("after a restart it is %+v (%v)", after, err)
		}
		if conf, err := router.ReadFile(configuration); err != nil || string(conf) != section {
			t.Errorf("the configuration has become (%v)\n%s", err, conf)
		}
		if out := router.daemon.Log() + router.ginnel("export") + router.ginnel("status"); strings.Contains(out, token[:20]) {
			t.Errorf("the invitation is told:\n%s", out)
		}

		router.ginnel("leave", "home", "--yes")
		router.clean()
		router.daemon.Kill()
		router.start()
		router.clean()
	})
}

// TestInvitationInSectionTwice: a daemon that is killed while it joins goes on
// when it is started again; a member ignores another invitation, and says so.
func TestInvitationInSectionTwice(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office()
		host := l.Host("router", l.Switch("dark", l.lan(1).String()))
		router := l.invited(host, "config network 'home'\n\toption invitation '"+o.coordinator.invite("router", "machines")+"'\n")
		netlab.Eventually(t, patience, "the interface is there", func() error {
			_, err := router.Try("ip", "link", "show", "dev", "home")
			return err
		})
		router.daemon.Kill()
		host.MoveTo(o.internet)
		router.start()
		netlab.Eventually(t, 3*patience, "the router has joined", router.isUp)
		router.reaches(o.coordinator, patience)

		other := o.coordinator.invite("other", "machines")
		if err := router.WriteFile(configuration, []byte("config network 'home'\n\toption invitation '"+other+"'\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := router.daemon.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		netlab.Eventually(t, patience, "status speaks of the other invitation", func() error {
			n, err := router.network()
			if err == nil && (n.State != local.Up || !strings.Contains(fmt.Sprint(n.Problems), "`ginnel leave` first")) {
				err = fmt.Errorf("it is %s, problems: %q", n.State, n.Problems)
			}
			return err
		})
		router.reaches(o.coordinator, patience)
		if p, err := o.coordinator.book("other"); err != nil || p.State != wire.PeerInvited {
			t.Errorf("the other invitation is %+v (%v)", p, err)
		}
	})
}

// invited starts a daemon on a host that has a configuration.
func (l *lab) invited(h *netlab.Host, section string) *machine {
	l.t.Helper()
	if err := h.WriteFile(configuration, []byte(section), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return l.machine(h)
}

// isJoining waits until m tells why it has not joined "home" yet.
func (m *machine) isJoining(why string) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, 3*patience, m.Name()+" tells why it has not joined", func() error {
		n, err := m.network()
		if err == nil && (n.State != local.Joining || !strings.Contains(n.Error, why)) {
			err = fmt.Errorf("it is %s: %s", n.State, n.Error)
		}
		return err
	})
}

// isUp tells whether m is in "home" and has heard of the coordinator.
func (m *machine) isUp() error {
	n, err := m.network()
	if err == nil && n.LastContact.IsZero() {
		err = errors.New(string(n.State) + " " + n.Error)
	}
	return err
}

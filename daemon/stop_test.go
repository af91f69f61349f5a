package daemon_test

import (
	"bytes"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/network"
	"ginnel/wire"
)

// saved reads the map of a daemon that does not run.
func (m *machine) saved() *core.Map {
	m.rig.Helper()
	s, err := state.Open(m.state("home"))
	m.rig.ok(err)
	saved, err := s.Map()
	m.rig.ok(err)
	m.rig.ok(s.Close())
	return saved
}

func (m *machine) stateFile() []byte {
	m.rig.Helper()
	b, err := os.ReadFile(m.state("home"))
	m.rig.ok(err)
	return b
}

// endpointOf is the endpoint in use of one of m's peers.
func (m *machine) endpointOf(name string) netip.AddrPort {
	m.rig.Helper()
	for _, p := range m.status("home").Peers {
		if p.Name == name {
			return p.Endpoint
		}
	}
	return netip.AddrPort{}
}

// TestCleanStopSavesEndpoints checks that flash is not touched by endpoints
// while the daemon runs, and once when it stops.
func TestCleanStopSavesEndpoints(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "bob": "servers"})
		hub, ann, bob := r.find("hub"), r.find("ann"), r.find("bob")
		r.within(5*time.Second, "sessions", func() bool { return ann.sees("bob", "hub")() && bob.sees("ann", "hub")() })
		r.pass(time.Minute)
		before := ann.stateFile()

		bob.under = netip.MustParseAddr("192.0.2.77")
		bob.SetLink("eth0", netip.PrefixFrom(bob.under, 24))
		r.within(time.Minute, "bob's new endpoint", func() bool { return ann.endpointOf("bob").Addr() == bob.under })
		r.do("home", network.AddCIDR{Name: "printers", Prefix: netip.MustParsePrefix("10.42.3.0/24")}) // no business of ann's
		r.pass(10 * time.Minute)
		if !bytes.Equal(ann.stateFile(), before) {
			t.Error("the state was written while nothing durable changed")
		}

		ann.halt()
		m := ann.saved()
		i := slices.IndexFunc(m.Members, func(m wire.Member) bool { return m.Name == "bob" })
		if i < 0 || m.Members[i].Endpoints.Seen.Addr() != bob.under {
			t.Errorf("saved is %+v", m)
		}
		if m.Position.Revision != r.book("home").Revision() {
			t.Errorf("saved is revision %d, the book is at %d", m.Position.Revision, r.book("home").Revision())
		}
		hub.halt()
		ann.start()
		r.pass(time.Second)
		before = ann.stateFile()
		ann.halt()
		if !bytes.Equal(ann.stateFile(), before) {
			t.Error("a stop without news wrote the state")
		}
	})
}

// TestStopWithoutMap: what is not known does not take the place of what is
// saved.
func TestStopWithoutMap(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		ann := r.machine("ann")
		r.join(ann, "home", "servers")
		ann.start() // the coordinator does not run
		r.pass(time.Second)
		ann.halt()
		if m := ann.saved(); m != nil {
			t.Errorf("saved is %+v", m)
		}
		s, err := state.Open(ann.state("home"))
		r.ok(err)
		odd := &core.Map{Position: wire.Position{Revision: 9}, Self: wire.Member{Address: s.Identity().Address, Name: "Not A Label"}}
		r.ok(s.Save(core.Save{Map: odd}))
		r.ok(s.Close())
		ann.start()
		r.pass(time.Second)
		ann.halt()
		if m := ann.saved(); m == nil || m.Position.Revision != 9 {
			t.Errorf("saved is %+v", m)
		}
	})
}

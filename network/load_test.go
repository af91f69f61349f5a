package network_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ginnel/key"
	"ginnel/network"
)

// cloneSnapshot copies a snapshot so that it shares nothing with its book.
func cloneSnapshot(s network.Snapshot) network.Snapshot {
	s.CIDRs = slices.Clone(s.CIDRs)
	s.Peers = slices.Clone(s.Peers)
	s.Associations = slices.Clone(s.Associations)
	s.Retired = slices.Clone(s.Retired)
	s.Endpoints = slices.Clone(s.Endpoints)
	return s
}

func TestLoadNamesTheBrokenRecord(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	w.cidr("ops", "10.42.2.0/24")
	w.join("alice", "dev", "")
	w.join("bob", "dev", "")
	w.invite("carol", "ops", "")
	w.join("gone", "ops", "10.42.2.8")
	w.join("gone-too", "ops", "10.42.2.9")
	w.do(network.RemovePeer{Name: "gone"}, network.RemovePeer{Name: "gone-too"},
		network.Associate{A: "dev", B: "ops"}, network.Associate{A: "dev", B: "dev"})

	// CIDRs: net, infra, dev, ops. Peers: hub, alice, bob, carol.
	type snap = network.Snapshot
	cases := []struct {
		breakIt func(*snap)
		word    string
	}{
		{func(s *snap) { s.Revision = 0 }, "revision"},
		{func(s *snap) { s.Name = "Net" }, "Net"},
		{func(s *snap) { s.Name = "other" }, "other"},
		{func(s *snap) { s.CIDRs = nil }, "root"},
		{func(s *snap) { s.CIDRs = s.CIDRs[1:] }, "10.42.0.1/32"},
		{func(s *snap) { s.CIDRs[0].Prefix = prefix("127.0.0.0/8") }, "loopback"},
		{func(s *snap) { s.CIDRs[0].Isolated = true }, "isolated"},
		{func(s *snap) { s.CIDRs[2], s.CIDRs[3] = s.CIDRs[3], s.CIDRs[2] }, "dev"},
		{func(s *snap) { s.CIDRs[3].Prefix = s.CIDRs[2].Prefix }, "ops"},
		{func(s *snap) { s.CIDRs[3].Prefix = prefix("10.43.0.0/24") }, "ops"},
		{func(s *snap) { s.CIDRs[3].Prefix = prefix("10.42.3.7/24") }, "ops"},
		{func(s *snap) { s.CIDRs[3].Prefix = netip.Prefix{} }, "ops"},
		{func(s *snap) { s.CIDRs[3].Name = "dev" }, "dev (10.42.2.0/24)"},
		{func(s *snap) { s.CIDRs[3].Name = "o_ps" }, "o_ps"},
		{func(s *snap) { s.CIDRs[1].Name = "infra-2" }, "infra"},
		{func(s *snap) { s.CIDRs[1].Isolated = true }, "infra"},
		{func(s *snap) { s.CIDRs = slices.Delete(s.CIDRs, 1, 2) }, "infra"},
		{func(s *snap) {
			s.CIDRs = slices.Insert(s.CIDRs, 1, network.CIDR{Name: "around", Prefix: prefix("10.42.0.0/24")})
		}, "infra"},
		{func(s *snap) { s.Coordinator = addr("10.42.1.1") }, "10.42.1.1"},
		{func(s *snap) { s.Peers = s.Peers[1:] }, "10.42.0.1"},
		{func(s *snap) { s.Peers[0].Admin = false }, "10.42.0.1"},
		{func(s *snap) { s.Peers[0].Disabled = true }, "10.42.0.1"},
		{func(s *snap) { s.Peers[1], s.Peers[2] = s.Peers[2], s.Peers[1] }, "alice"},
		{func(s *snap) { s.Peers[2].Address = s.Peers[1].Address }, "bob"},
		{func(s *snap) { s.Peers[3].Address = addr("10.43.0.1") }, "carol"},
		{func(s *snap) { s.Peers[2].Name = "alice" }, "alice"},
		{func(s *snap) { s.Peers[2].Name = "b--b" }, "b--b"},
		{func(s *snap) { s.Peers[2].Key = key.PublicKey{} }, "bob"},
		{func(s *snap) { s.Peers[2].Key = key.PublicKey{1} }, "bob"},
		{func(s *snap) { s.Peers[2].Key = s.Peers[1].Key }, "bob"},
		{func(s *snap) { s.Peers[3].Invited.Key = s.Peers[1].Key }, "carol"},
		{func(s *snap) { s.Peers[3].Key = testKey(999) }, "carol"},
		{func(s *snap) { s.Peers[3].Disabled = true }, "carol"},
		{func(s *snap) { s.Peers[3].Invited.Expires = s.Peers[0].Invited.Expires }, "carol"},
		{func(s *snap) { s.Peers[2].Invited.Expires = later }, "bob"},
		{func(s *snap) { slices.Reverse(s.Associations) }, "10.42.1.0/24"},
		{func(s *snap) { s.Associations[1].A, s.Associations[1].B = s.Associations[1].B, s.Associations[1].A }, "10.42.2.0/24"},
		{func(s *snap) { s.Associations[1].B = prefix("10.42.3.0/24") }, "10.42.3.0/24"},
		{func(s *snap) {
			s.Associations = []network.Association{{A: prefix("10.42.0.1/32"), B: prefix("10.42.1.0/24")}}
		}, "infra"},
		{func(s *snap) { slices.Reverse(s.Retired) }, "10.42.2.8"},
		{func(s *snap) { s.Retired[0] = addr("10.42.1.1") }, "10.42.1.1"},
		{func(s *snap) { s.Retired[1] = addr("fd42::1") }, "fd42::1"},
		{func(s *snap) { s.Endpoints = []string{"x:1", "x:1"} }, "x:1"},
	}
	if _, err := network.Load(w.Snapshot()); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		s := cloneSnapshot(w.Snapshot())
		c.breakIt(&s)
		b, err := network.Load(s)
		if err == nil || b != nil {
			t.Errorf("case %d, of %s, was loaded", i, c.word)
		} else if !strings.Contains(err.Error(), c.word) {
			t.Errorf("case %d: %q does not say %q", i, err, c.word)
		}
	}
}

package main

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/key"
	"ginnel/wire"
)

// someStatus is a daemon with a network of every state.
func someStatus(now time.Time) local.Status {
	public := key.NewPrivate([32]byte{1: 1}).Public()
	member := func(name, address, cidr string, role wire.Role) wire.Member {
		return wire.Member{Name: name, Address: netip.MustParseAddr(address), CIDR: cidr, Role: role, PublicKey: public}
	}
	at := netip.MustParseAddrPort("192.0.2.1:51820")
	root := netip.MustParsePrefix("10.42.0.0/16")
	home := local.Network{
		Name: "home", State: local.Up, Role: "peer", Root: root, PublicKey: public, Backend: "kernel", ListenPort: 40001,
		Self: member("ann", "10.42.1.1", "servers", wire.RolePeer), Revision: 17, LastContact: now.Add(-5*time.Minute - 30*time.Second),
		Problems: []string{"UDP port 51820 is in use by another program"},
		Peers: []local.Peer{
			{Member: member("hub", "10.42.0.1", "infra", wire.RoleCoordinator), Endpoint: at, LastHandshake: now.Add(-150 * time.Minute), Rx: 1 << 20, Tx: 2000, Connected: true},
			{Member: member("bob", "10.42.1.2", "servers", wire.RolePeer), Endpoint: at},
			{Member: member("carl", "10.42.2.1", "phones", wire.RolePeer)},
			{Member: member("dora", "10.42.2.2", "phones", wire.RolePeer), Endpoint: at, LastHandshake: now.Add(-49 * time.Hour)},
			{Member: member("eve", "10.42.2.3", "phones", wire.RoleInvitee)},
		},
	}
	return local.Status{Version: "1", Networks: []local.Network{
		home,
		{Name: "fresh", State: local.Up, Role: "peer", Root: root, PublicKey: public, Peers: []local.Peer{}},
		{Name: "old", State: local.Down, Role: "peer", Peers: []local.Peer{}},
		{Name: "broken", State: local.Failed, Error: "state does not exist", Role: "peer", Peers: []local.Peer{}},
	}}
}

func TestStatus(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.does("this machine is in no network: `ginnel network create` makes one, `ginnel join` joins one\n", "status")
	m.status = someStatus(time.Now().UTC())
	r := m.run("status")
	if r.status != exitOK || r.err != "" {
		t.Errorf("%+v", r)
	}
	golden(t, "status.golden", r.out)
	m.does("network broken: failed\n  error: state does not exist\n", "status", "broken")
	m.refuses(exitFailed, []string{"there is no network work", "`ginnel network list`"}, "status", "work")
	m.refuses(exitFailed, []string{"there is no network work"}, "status", "work", "--json")
	var got local.Status
	m.json(&got, "status")
	if !reflect.DeepEqual(got, m.status) {
		t.Errorf("JSON is %+v, want %+v", got, m.status)
	}
	m.json(&got, "status", "home")
	if len(got.Networks) != 1 || got.Networks[0].Name != "home" {
		t.Errorf("JSON of home is %+v", got.Networks)
	}
	m.status.Networks, m.status.Problems = nil, []string{"line 3: no such option"}
	m.does("problem: line 3: no such option\n"+inNoNetwork+"\n", "status")
	m.err = wire.Errorf(wire.StatusUnavailable, "the daemon is starting")
	m.refuses(exitFailed, []string{"the daemon is starting"}, "status")
}

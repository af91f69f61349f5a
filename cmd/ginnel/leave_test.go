package main

import (
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// TestBehaviour12LeaveAll: nothing of any network is left, be it joined,
// coordinated, or half removed.
func TestBehaviour12LeaveAll(t *testing.T) {
	m := peerOf(t)
	if r := m.run("network", "create", "work", "10.43.0.0/16", "--endpoint", "a:1"); r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	must(t, os.WriteFile(m.env.paths.book("old"), nil, 0o600))
	must(t, os.WriteFile(state.Path(m.env.paths.state, "older"), nil, 0o600))
	before := m.tree()
	question := []string{
		"home: this machine is in it as fay, 10.42.1.4; to come back it needs an invitation as a new peer\n",
		"work: this machine is its coordinator; its 0 other peers may talk on", "Remove home, work, old, older from this machine for good?",
	}
	m.refuses(exitUsage, append(question, "--yes"), "leave", "--all")
	m.failed(m.runWith("n\n", true, "leave", "--all"), exitFailed, append(question, "nothing was changed"), nil)
	m.refuses(exitUsage, []string{"leave home out"}, "leave", "--all", "home")
	if !slices.Equal(m.tree(), before) {
		t.Errorf("files are %q", m.tree())
	}
	m.does("left network home\nremoved network work\nremoved network old\nleft network older\n", "leave", "--all", "--yes")
	if files := withoutDirectories(m); !m.hasNothing() || !slices.Equal(files, []string{"-rw------- etc/ginnel.conf"}) {
		t.Errorf("left are %q and\n%s", files, m.os)
	}
	m.does("this machine is in no network\n", "leave", "--all")
}

// TestLeaveRenamed: this machine is called what it is called now.
func TestLeaveRenamed(t *testing.T) {
	m := peerOf(t)
	m.status.Networks = []local.Network{{Name: "home", State: local.Up, Role: "peer", Self: wire.Member{Name: "fays-laptop"}, Peers: []local.Peer{}}}
	m.startDaemon()
	m.refuses(exitUsage, []string{"home: this machine is in it as fays-laptop, 10.42.1.4; "}, "leave")
}

// TestBehaviour44Unseen: who was not seen for long is listed; of whom the
// coordinator cannot know it is said.
func TestBehaviour44Unseen(t *testing.T) {
	m := newAdmin(t)
	now := time.Now()
	m.net.Seen(now, []wire.Sighting{
		{Address: m.net.Address("ann"), Endpoint: netip.MustParseAddrPort("192.0.2.1:1"), LastHandshake: now.Add(-100 * 24 * time.Hour)},
		{Address: m.net.Address("bob"), Endpoint: netip.MustParseAddrPort("192.0.2.2:1"), LastHandshake: now.Add(-80 * 24 * time.Hour)},
	})
	var peers []wire.Peer
	m.json(&peers, "peer", "list", "--unseen-for", "90d")
	var names []string
	for _, p := range peers {
		names = append(names, p.Name)
	}
	if !slices.Equal(names, []string{"ann", "dan", "carl"}) { // eve has never joined
		t.Errorf("not seen for 90 days: %v", names)
	}
	r := m.run("peer", "list", "--unseen-for", "90d")
	if want := "the coordinator has watched for 0s only: who was never seen in that time may have been there before\n"; r.err != want {
		t.Errorf("says %q, want %q", r.err, want)
	}
	m.refuses(exitUsage, []string{`"long" is no duration`}, "peer", "list", "--unseen-for", "long")
	m.lie = func(r *http1.Request) any {
		if r.Path != wire.PathNetwork {
			return nil
		}
		return struct {
			Name string `json:"name"`
		}{"home"} // as older coordinators say it
	}
	m.refuses(exitFailed, []string{"older than this program, upgrade it"}, "peer", "list", "--unseen-for", "90d")
	m.lie = nil
	m.does("removed peer ann\nremoved peer dan\n", "peer", "remove", "ann", "dan", "ann", "--yes")
	revision := m.net.Book().Revision()
	m.refuses(exitFailed, []string{`no peer is called "dan"`}, "peer", "remove", "bob", "dan", "--yes")
	m.refuses(exitFailed, []string{"hub is the coordinator's own peer"}, "peer", "remove", "bob", "hub", "--yes")
	if m.net.Book().Revision() != revision {
		t.Error("some of several peers were removed, although one cannot be")
	}
}

// TestBehaviour44ReinviteToFile: a file that exists costs the old invitation
// nothing; one that cannot be written is told of.
func TestBehaviour44ReinviteToFile(t *testing.T) {
	m := newAdmin(t)
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/there", nil, 0o600))
	before, _ := m.net.Book().PeerNamed("eve")
	m.refuses(exitFailed, []string{"exists already"}, "peer", "reinvite", "eve", "-o", dir+"/there")
	m.refuses(exitFailed, []string{"bob has joined", "ginnel peer remove", "ginnel peer invite"}, "peer", "reinvite", "bob")
	m.refuses(exitFailed, []string{"nobody"}, "peer", "reinvite", "nobody")
	if p, _ := m.net.Book().PeerNamed("eve"); p.Invited != before.Invited {
		t.Error("a refused command made an invitation")
	}
	m.refuses(exitFailed, []string{"no space left on device", "run `ginnel peer reinvite eve` again"}, "peer", "reinvite", "eve", "-o", fullDisk(t)+"/eve")
	if p, _ := m.net.Book().PeerNamed("eve"); p == nil || p.Invited == before.Invited {
		t.Errorf("eve is %+v", p)
	}
	m.does("wrote the invitation to "+dir+"/new: `ginnel join "+dir+"/new` on the new machine redeems it\n", "peer", "reinvite", "eve", "-o", dir+"/new", "--expires", "1h")
	inv, _, err := readInvitation(nil, dir+"/new")
	if p, _ := m.net.Book().PeerNamed("eve"); err != nil || inv.Key.Public() != p.Invited.Key || inv.Address != before.Address {
		t.Errorf("the invitation is %+v, %v", inv, err)
	}
	var issued wire.InvitationIssued
	m.json(&issued, "peer", "reinvite", "eve")
	if issued.Peer.Name != "eve" || issued.Token == "" {
		t.Errorf("issued %+v", issued.Peer)
	}
}

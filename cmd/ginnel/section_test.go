package main

import (
	"os"
	"strings"
	"testing"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/wire"
)

// newInvited returns a machine that has a section with an invitation, as its
// owner wrote it, and no daemon.
func newInvited(t *testing.T) (m *machine, n *config.Network, token string) {
	t.Helper()
	m, token = newJoiner(t, nil)
	must(t, m.env.paths.edit(func([]byte) ([]byte, error) {
		return []byte("config network 'home'\n\toption invitation '" + token + "'\n"), nil
	}))
	must(t, os.MkdirAll(m.env.paths.state, 0o700))
	cfg, err := m.env.paths.readConfig()
	must(t, err)
	return m, &cfg.Networks[0], token
}

// TestJoinBySection: what the daemon calls makes this machine a member and writes
// nothing into the configuration. The command leaves the section to the daemon.
func TestJoinBySection(t *testing.T) {
	m, n, token := newInvited(t)
	before, err := m.env.paths.configText()
	must(t, err)
	m.refuses(exitFailed, []string{"by which the daemon joins", "`ginnel status`"}, "join", token)
	must(t, m.env.joinBySection(t.Context(), *n))
	id, err := state.Read(state.Path(m.env.paths.state, "home"))
	if err != nil || id.IsPending() || id.Name != "fay" {
		t.Errorf("this machine is %+v (%v)", id, err)
	}
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Up, Role: "peer", Self: wire.Member{Name: "fay"}, Peers: []local.Peer{}}}
	if r := m.run("join", token); !strings.Contains(r.out, "this machine is in home already, as fay: by this invitation") {
		t.Errorf("join says afterwards: %s%s", r.out, r.err)
	}
	if text, err := m.env.paths.configText(); err != nil || string(text) != string(before) {
		t.Errorf("the configuration was changed to\n%s(%v)", text, err)
	}
}

// TestJoinBySectionRange: a range that this machine is in already is not joined,
// though the other network is open in the daemon, and the invitation is not spent.
// A join that is pending is no other network.
func TestJoinBySectionRange(t *testing.T) {
	m, n, _ := newInvited(t)
	m.os.SetLink("lan", n.Invitation.Root)
	if err := m.env.joinBySection(t.Context(), *n); err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("joining a network that the LAN has is answered with %v", err)
	}
	must(t, m.os.RemoveLink("lan"))
	inv, id := n.Invitation, n.Invitation.Coordinator
	must(t, state.Create(state.Path(m.env.paths.state, "home"), state.Identity{
		Network: "home", Root: inv.Root, Name: inv.Name, Address: inv.Address, PrivateKey: inv.Key, Pending: inv.Key,
		Coordinator: state.Coordinator{Address: id.Address, PublicKey: id.PublicKey, APIPort: id.APIPort},
	}))
	must(t, m.env.checkRange(t.Context(), "home", inv.Root))
	m.configure("lab", config.Peer)
	must(t, os.Rename(state.Path(m.env.paths.state, "home"), state.Path(m.env.paths.state, "lab")))
	open, err := state.Open(state.Path(m.env.paths.state, "lab"))
	must(t, err)
	defer open.Close()
	if err := m.env.joinBySection(t.Context(), *n); err == nil || !strings.Contains(err.Error(), "overlaps network lab") {
		t.Errorf("joining a network in the range of another one is answered with %v", err)
	}
	must(t, m.env.paths.edit(func(text []byte) ([]byte, error) { return append(text, "\toption newer 1\n"...), nil }))
	if err := m.env.joinBySection(t.Context(), *n); err == nil || !strings.Contains(err.Error(), "overlaps network lab") {
		t.Errorf("where that one's section is refused: %v", err)
	}
	must(t, os.Remove(state.Path(m.env.paths.state, "lab")))
	must(t, m.env.checkRange(t.Context(), "home", n.Invitation.Root)) // a section that is wrong keeps nobody from joining
}

// TestLeaveBeforeJoined: leave takes the section, and what a join has kept.
func TestLeaveBeforeJoined(t *testing.T) {
	m, _, token := newInvited(t)
	m.run("leave", "home", "--yes")
	text, err := m.env.paths.configText()
	if err != nil || strings.Contains(string(text), token) || strings.Contains(string(text), "network") {
		t.Errorf("it is still there: %s (%v)", text, err)
	}
	if _, err := os.Stat(state.Path(m.env.paths.state, "home")); !os.IsNotExist(err) {
		t.Errorf("the state: %v", err)
	}
}

// TestInvitationIsNotTold: no command prints an invitation that is not spent.
func TestInvitationIsNotTold(t *testing.T) {
	m, n, token := newInvited(t)
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Joining, Error: "no answer", Role: "peer", Peers: []local.Peer{}}}
	m.env.inspect = inspector{}
	private := n.Invitation.Key.Bytes()
	for _, args := range [][]string{{"export"}, {"status"}, {"status", "--json"}, {"network", "list"}, {"doctor"}, {"doctor", "--json"}} {
		r := m.run(args...)
		if text := r.out + r.err; text == "" || strings.Contains(text, wire.TokenPrefix) || strings.Contains(text, token) || strings.Contains(text, string(private[:])) {
			t.Errorf("%v prints %s", args, text)
		}
	}
}

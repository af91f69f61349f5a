package config_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/key"
	"ginnel/wire"
)

// invitation is one into a network; n makes it another one.
func invitation(network string, n byte) *wire.Invitation {
	return &wire.Invitation{
		Network: network, Root: netip.MustParsePrefix("10.42.0.0/16"), Name: "ann", Address: netip.MustParseAddr("10.42.1.1"),
		Key: key.NewPrivate([key.Size]byte{8 * n}), Expires: time.Unix(1<<31, 0),
		Coordinator: wire.InvitingPeer{
			Address: netip.MustParseAddr("10.42.0.1"), PublicKey: key.NewPrivate([key.Size]byte{9}).Public(), APIPort: 51820,
			Endpoints: []string{"vpn.example.org:51820"},
		},
	}
}

// section parses a section of a network.
func section(t *testing.T, network string, options ...string) *config.Network {
	t.Helper()
	text := "config network '" + strings.ReplaceAll(network, "-", "_") + "'\n\t" + strings.Join(options, "\n\t") + "\n"
	c, err := config.Parse("f", []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &c.Networks[0]
}

// TestInvitation: an invitation is all that a section needs, in whatever order it
// stands, and what else the section says counts.
func TestInvitation(t *testing.T) {
	inv := invitation("my-home", 1)
	option := "option invitation '" + inv.Token() + "'"
	alone := section(t, "my-home", option)
	want := config.New("my-home", config.Peer)
	want.Invitation, want.Endpoints = inv, inv.Coordinator.Endpoints
	if !alone.Equal(&want) || alone.Invitation.Name != "ann" {
		t.Errorf("got %+v, want %+v", alone, want)
	}
	for _, order := range [][]string{
		{"list coordinator 'x:1'", "option mtu 1400", option, "option role 'peer'"},
		{option, "option role 'peer'", "list coordinator 'x:1'", "option mtu 1400"},
	} {
		if got := section(t, "my-home", order...); !slices.Equal(got.Endpoints, []string{"x:1"}) || got.MTU != 1400 || got.Invitation == nil {
			t.Errorf("%q is read as %+v", order, got)
		}
	}
}

// TestInvitationsDiffer: a section is another one with another invitation, or
// none.
func TestInvitationsDiffer(t *testing.T) {
	a := section(t, "home", "option invitation "+invitation("home", 1).Token())
	b := section(t, "home", "option invitation "+invitation("home", 2).Token())
	none := *a
	none.Invitation = nil
	for _, o := range []*config.Network{b, &none} {
		if a.Equal(o) || o.Equal(a) {
			t.Errorf("%+v and %+v are taken for the same", a, o)
		}
	}
	if again := section(t, "home", "option invitation "+invitation("home", 1).Token()); !a.Equal(again) {
		t.Error("what was read twice differs")
	}
}

// TestInvitationErrors: what is wrong with an invitation is said once, with
// file, line, section and option, and without what is secret in it.
func TestInvitationErrors(t *testing.T) {
	token := invitation("home", 1).Token()
	const cut = `not a whole invitation: copy the line again, from "ginnel1" to its end (a character is missing, added or changed)`
	for name, c := range map[string]struct{ text, want string }{
		"broken":                  {"config network home\n\toption invitation " + token[:len(token)-1], "f:2: section home, option invitation: " + cut},
		"of another network":      {"config network lab\n\toption mtu 1300\n\toption invitation " + token, "f:3: section lab, option invitation: is an invitation into another network, whose section is to be home"},
		"for a coordinator":       {"config network home\n\toption invitation " + token + "\n\toption listen_port 1\n\toption role coordinator", "f:2: section home, option invitation: is for peers: a coordinator has made its network and joins none"},
		"given twice":             {"config network home\n\toption invitation " + token + "\n\toption invitation " + token, "f:3: section home, option invitation: is given before, in line 2: remove one"},
		"broken, of a whole peer": {"config network home\n\toption role peer\n\tlist coordinator x:1\n\toption invitation x", `f:4: section home, option invitation: not a whole invitation: copy the line again, from "ginnel1" to its end (it does not start so)`},
	} {
		_, err := config.Parse("f", []byte(c.text+"\n"))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: error\n%v\nwant\n%s", name, err, c.want)
		}
	}
}

// TestSetKeepsInvitation: who changes a section leaves its invitation as it is
// written, and a section without one gets one.
func TestSetKeepsInvitation(t *testing.T) {
	inv := invitation("home", 1)
	text := "config network 'home'\n\toption invitation '" + strings.ToUpper(inv.Token()) + "' # mine\n"
	c, err := config.Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	n := c.Networks[0]
	n.Enabled = false
	got, err := config.Set("f", []byte(text), n)
	if err != nil || !strings.HasPrefix(string(got), text) {
		t.Errorf("%v, and it is\n%s", err, got)
	}
	fresh, err := config.Set("f", nil, n)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := config.Parse("f", fresh); err != nil || !c.Networks[0].Equal(&n) {
		t.Errorf("%+v is written as\n%s(%v)", n, fresh, err)
	}
}

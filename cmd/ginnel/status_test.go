package main

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ginnel/daemon/local"
	"ginnel/key"
	"ginnel/wire"
)

// addressing is what a network's addresses are taken from.
type addressing struct {
	root                    string
	hub, ann, bob           string
	carl, dora, eve, fred   string
	outside, local, another string // endpoints
}

var (
	plain4 = addressing{
		root: "10.42.0.0/16", hub: "10.42.0.1", ann: "10.42.1.1", bob: "10.42.1.2",
		carl: "10.42.2.1", dora: "10.42.2.2", eve: "10.42.2.3", fred: "10.42.2.4",
		outside: "192.0.2.1:51820", local: "192.168.1.17:51820", another: "203.0.113.200:40123",
	}
	plain6 = addressing{
		root: "fd42:1234::/48", hub: "fd42:1234::1", ann: "fd42:1234:0:1::1", bob: "fd42:1234:0:1:7f00:aaaa:bbbb:cccc",
		carl: "fd42:1234:0:2::1", dora: "fd42:1234:0:2::2", eve: "fd42:1234:0:2::3", fred: "fd42:1234:0:2::4",
		outside: "[2001:db8::1]:51820", local: "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:51820", another: "[2001:db8:7::7]:51820",
	}
	longest6 = addressing{
		root: "fd42:1234:5678:9abc::/64", hub: "fd42:1234:5678:9abc:1111:2222:3333:4444", ann: "fd42:1234:5678:9abc:2111:2222:3333:4444",
		bob: "fd42:1234:5678:9abc:2222:2222:3333:4444", carl: "fd42:1234:5678:9abc:3333:2222:3333:4444",
		dora: "fd42:1234:5678:9abc:4444:2222:3333:4444", eve: "fd42:1234:5678:9abc:5555:2222:3333:4444",
		fred:    "fd42:1234:5678:9abc:6666:2222:3333:4444",
		outside: "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:51820", local: "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1111]:51820",
		another: "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:2222]:51820",
	}
)

// someStatus is a daemon with a network of every state, and peers that are
// reached in every way. Names end in more.
func someStatus(now time.Time, a addressing, more string) local.Status {
	public := key.NewPrivate([32]byte{1: 1}).Public()
	member := func(name, address, cidr string, role wire.Role) wire.Member {
		return wire.Member{Name: name + more, Address: netip.MustParseAddr(address), CIDR: cidr + more, Role: role, PublicKey: public}
	}
	at := netip.MustParseAddrPort
	root := netip.MustParsePrefix(a.root)
	home := local.Network{
		Name: "home", State: local.Up, Role: "peer", Root: root, PublicKey: public, Backend: "kernel", ListenPort: 40001,
		Self: member("ann", a.ann, "servers", wire.RolePeer), Revision: 17, LastContact: now.Add(-5*time.Minute - 30*time.Second),
		Problems: []string{"UDP port 51820 is in use by another program, and nothing that this machine can do by itself would change that"},
		Peers: []local.Peer{
			{Member: member("hub", a.hub, "infra", wire.RoleCoordinator), Endpoint: at(a.outside), LastHandshake: now.Add(-150 * time.Second), Rx: 1023 << 20, Tx: 2000, Connected: true, Reach: local.ReachDirect},
			{Member: member("bob", a.bob, "servers", wire.RolePeer), Endpoint: at(a.local), LastHandshake: now.Add(-3 * time.Second), Rx: 12345, Tx: 7 << 40, Connected: true, Reach: local.ReachLAN},
			{Member: member("carl", a.carl, "phones", wire.RolePeer), Reach: local.ReachNone, Why: "no endpoint of it is known"},
			{Member: member("dora", a.dora, "phones", wire.RolePeer), Endpoint: at(a.another), LastHandshake: now.Add(-49 * time.Hour), Rx: 5000, Tx: 6000, Reach: local.ReachNone, Why: "none of its 3 known endpoints answers"},
			{Member: member("eve", a.eve, "phones", wire.RoleInvitee), Reach: local.ReachWaiting},
			{Member: member("fred", a.fred, "phones", wire.RolePeer), Endpoint: at(a.another), Tx: 148, Reach: local.ReachConnecting},
		},
	}
	return local.Status{Version: "1", Networks: []local.Network{
		home,
		{Name: "fresh", State: local.Up, Role: "peer", Root: root, PublicKey: public, Peers: []local.Peer{}},
		{Name: "old", State: local.Down, Role: "peer", Peers: []local.Peer{}},
		{Name: "new", State: local.Joining, Error: "no answer from the coordinator at [192.0.2.1:51820]: check that its UDP port is open", Role: "peer", Peers: []local.Peer{}},
		{Name: "broken", State: local.Failed, Error: "state does not exist", Role: "peer", Peers: []local.Peer{}},
	}}
}

// on gives standard output a terminal.
func (m *machine) on(s screen) {
	s.terminal = true
	m.env.screen = func() screen { return s }
}

// TestBehaviour65Status keeps what the status looks like, in IPv4 and IPv6, on
// no terminal and a wide one.
func TestBehaviour65Status(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	var all strings.Builder
	for _, a := range []struct {
		name string
		addressing
	}{{"IPv4", plain4}, {"IPv6", plain6}} {
		m.status = someStatus(time.Now().UTC(), a.addressing, "")
		m.status.Networks[0].Peers[0].Overridden = a.name == "IPv6"
		for _, columns := range []int{0, 160} {
			m.on(screen{columns: columns})
			for _, line := range []string{"status", "status home --short", "status home --tree"} {
				r := m.run(strings.Fields(line)...)
				if r.status != exitOK || r.err != "" {
					t.Errorf("%s: %+v", line, r)
				}
				all.WriteString("$ ginnel " + line + " # " + a.name + mark(columns > 0, ", wide") + "\n" + r.out + "\n")
			}
		}
	}
	golden(t, "status.golden", all.String())
}

// TestBehaviour64ElsewhereThanOverridden: what WireGuard follows is not called an
// override.
func TestBehaviour64ElsewhereThanOverridden(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status = someStatus(time.Now().UTC(), plain4, "")
	hub := &m.status.Networks[0].Peers[0]
	hub.Overridden, hub.Why = true, "it answers from elsewhere than the override says"
	r := m.run("status", "home")
	if strings.Contains(r.out, "by override") || !strings.Contains(r.out, "*  hub        10.42.0.1  direct  ") || !strings.Contains(r.out, "coordinator; "+hub.Why) {
		t.Errorf("%s", r.out)
	}
}

func TestStatus(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	nothing := strings.Replace(inNoNetwork, "`ginnel join`", "`ginnel\n  join`", 1) + "\n"
	m.does(nothing, "status")
	m.status = someStatus(time.Now().UTC(), plain4, "")
	m.does("network broken: failed\n  error: state does not exist\n", "status", "broken")
	m.status.Networks = append(m.status.Networks, local.Network{Name: "busy", State: local.Unknown, Error: "it is busy", Role: "peer", Peers: []local.Peer{}})
	m.does("network busy: unknown\n  error: it is busy\n", "status", "busy")
	m.refuses(exitFailed, []string{"there is no network work", "`ginnel network list`"}, "status", "work")
	m.refuses(exitFailed, []string{"there is no network work"}, "status", "work", "--json")
	m.refuses(exitUsage, []string{"--short and --tree"}, "status", "--short", "--tree")
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
	m.does("problem: line 3: no such option\n", "status") // there may be networks
	m.err = wire.Errorf(wire.StatusUnavailable, "the daemon is starting")
	m.refuses(exitFailed, []string{"the daemon is starting"}, "status")
}

// TestBehaviour65Tree: an admin sees how the CIDRs nest; where the coordinator
// does not answer him, no less than others.
func TestBehaviour65Tree(t *testing.T) {
	m := newAdmin(t)
	m.does("made CIDR racks (10.42.1.128/25) in servers\n", "cidr", "add", "racks", "10.42.1.128/25")
	m.status = someStatus(time.Now().UTC(), plain4, "")
	m.status.Networks = m.status.Networks[:1]
	n := &m.status.Networks[0]
	n.Problems = nil
	const known = `     infra
  *    hub        10.42.0.1  direct
     servers
  *    ann (you)  10.42.1.1
  *    bob        10.42.1.2  direct, same LAN
     phones
       carl       10.42.2.1  no path
       dora       10.42.2.2  no path
       eve        10.42.2.3  not yet
       fred       10.42.2.4  connecting
`
	m.does("network home: up\n"+known, "status", "--tree")
	n.Self.Admin = true
	m.does(`network home: up
     home           10.42.0.0/16
       infra        10.42.0.1/32
  *      hub        10.42.0.1       direct
       servers      10.42.1.0/24
  *      ann (you)  10.42.1.1
  *      bob        10.42.1.2       direct, same LAN
         racks      10.42.1.128/25
       phones       10.42.2.0/24
         carl       10.42.2.1       no path
         dora       10.42.2.2       no path
         eve        10.42.2.3       not yet
         fred       10.42.2.4       connecting
`, "status", "--tree")
	m.net = nil
	m.does(`network home: up
  the coordinator does not tell how the CIDRs nest: there is no network home
    up on this machine
`+known, "status", "--tree")
}

// widest is the width of the widest line of a text.
func widest(text string) (line string) {
	for _, l := range strings.Split(text, "\n") {
		if utf8.RuneCountInString(l) > utf8.RuneCountInString(line) {
			line = l
		}
	}
	return line
}

// TestBehaviour65Widths: nothing is wider than 80 columns where there is no
// terminal, or than the terminal, however long addresses and names are; and the
// names and addresses of a table stay in columns.
func TestBehaviour65Widths(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	for _, a := range []addressing{plain4, plain6, longest6} {
		for _, more := range []string{"", "-in-the-attic", "-" + strings.Repeat("x", 55)} {
			m.status = someStatus(time.Now().UTC(), a, more)
			for _, columns := range []int{0, 80, 100, 200} {
				m.on(screen{columns: columns})
				for _, line := range []string{"status", "status --short", "status --tree", "network list"} {
					r := m.run(strings.Fields(line)...)
					if w := widest(r.out); utf8.RuneCountInString(w) > screenWidth(columns) {
						t.Errorf("%s in %d columns has one of %d: %s", line, columns, len(w), w)
					}
				}
			}
		}
	}
}

func screenWidth(columns int) int { return screen{columns: columns}.width() }

// TestColour: there are colours on a terminal alone, and not where NO_COLOR or
// TERM says so; without them the text is the same.
func TestColour(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status = someStatus(time.Now().UTC(), plain4, "")
	plain := m.run("status").out
	m.on(screen{colour: true})
	colourful := m.run("status").out
	for _, want := range []string{"\x1b[32mdirect\x1b[0m", "\x1b[31mno path\x1b[0m", "\x1b[33mconnecting\x1b[0m", "\x1b[1mnetwork home\x1b[0m: \x1b[32mup\x1b[0m"} {
		if !strings.Contains(colourful, want) {
			t.Errorf("no %q in\n%s", want, colourful)
		}
	}
	for _, l := range []look{strong, good, underway, bad} {
		colourful = strings.ReplaceAll(colourful, "\x1b["+string(l)+"m", "")
	}
	if colourful = strings.ReplaceAll(colourful, "\x1b[0m", ""); colourful != plain || strings.Contains(plain, "\x1b") {
		t.Errorf("with colours taken out\n%s\nwithout\n%s", colourful, plain)
	}
	for _, test := range []struct {
		env  map[string]string
		want bool
	}{
		{map[string]string{}, true},
		{map[string]string{"NO_COLOR": "", "TERM": "xterm"}, true}, // no-color.org: present and not empty
		{map[string]string{"NO_COLOR": "0"}, false},
		{map[string]string{"TERM": "dumb"}, false},
	} {
		if got := mayColour(func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("%v: %v", test.env, got)
		}
	}
}

// TestHostileNames: whoever got a name past all checks does not reach the
// terminal with it, in a table, a sentence or an error.
func TestHostileNames(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	const hostile = "x\x1b]0;owned\a\x1b[2J\u009b1m\r\n\u202e"
	m.status = someStatus(time.Now().UTC(), plain4, hostile)
	m.status.Networks[0].Name += hostile
	m.status.Problems = []string{hostile}
	m.status.Networks[0].Problems = []string{hostile}
	for _, line := range []string{"status", "status --short", "status --tree", "network list", "status --json"} {
		r := m.run(strings.Fields(line)...)
		bad := "\x1b\a\r\u009b\u202e"
		if strings.HasSuffix(line, "--json") {
			bad = "\x1b\a\r" // the others are text to those who read JSON
		}
		if r.status != exitOK || strings.ContainsAny(r.out+r.err, bad) {
			t.Errorf("%s: %q %q", line, r.out, r.err)
		}
	}
	m.err = wire.Errorf(wire.StatusConflict, "%s", hostile)
	if r := m.run("status"); r.status != exitFailed || strings.ContainsAny(r.err, "\x1b\a\r\u009b\u202e") {
		t.Errorf("the error is %q", r.err)
	}
	var out bytes.Buffer
	if err := (&env{out: &out}).say("renamed %s\nto %s", hostile, "b"); err != nil || strings.ContainsAny(out.String(), "\x1b\a\r\u009b\u202e") || !strings.Contains(out.String(), "\nto b\n") {
		t.Errorf("said %q, %v", out.String(), err)
	}
}

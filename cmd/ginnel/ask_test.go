package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/network"
	"ginnel/wire"
)

// TestBehaviour02AskedOrRefused: every command that lacks something fails
// without a terminal with what is missing; on one it asks, and who ends the
// input instead of answering has changed nothing.
func TestBehaviour02AskedOrRefused(t *testing.T) {
	asking := 0
	for i := range commands {
		c := &commands[i]
		o, _ := c.prepare()
		missing := c.missing(o)
		if len(missing) == 0 {
			continue
		}
		asking++
		m := newAdmin(t)
		words := strings.Fields(c.name)
		before, files := m.net.Book().Revision(), m.tree()
		m.refuses(exitUsage, append(missing, "missing", "usage: ginnel "+c.name), words...)
		r := m.runWith("", true, words...)
		m.failed(r, exitFailed, nil, words)
		if asked := strings.Contains(r.err, "nothing was changed"); !asked && !strings.Contains(r.err, "there is no") && !strings.Contains(r.err, "is associated") &&
			!strings.Contains(r.err, "no peer is") && c.name != "pin forget" { // which asks a daemon that knows pins
			t.Errorf("%s: neither asks nor says that there is nothing to choose: %q", c.name, r.err)
		}
		if m.net.Book().Revision() != before || !slices.Equal(m.tree(), files) {
			t.Errorf("%s: something was changed", c.name)
		}
	}
	if asking < 15 {
		t.Errorf("only %d commands lack anything", asking)
	}
}

// asked is what a terminal is asked and what it answers.
type asked struct {
	line, types string
	out         string   // standard output
	says        []string // on standard error, in this order
}

// goes plays a dialogue, which must succeed.
func (m *machine) goes(d asked) {
	m.t.Helper()
	r := m.runWith(d.types, true, strings.Fields(d.line)...)
	if r.status != exitOK || r.out != d.out {
		m.t.Errorf("%s: status %d, printed %q and\n%s\nwant %q", d.line, r.status, r.out, r.err, d.out)
	}
	rest := r.err
	for _, s := range d.says {
		_, after, ok := strings.Cut(rest, s)
		if !ok {
			m.t.Errorf("%s: %q is not said, or not there:\n%s", d.line, s, r.err)
		}
		rest = after
	}
}

// TestBehaviour02Dialogues: lists to choose from by number or name, defaults
// for Enter, and wrong answers asked again with the reason.
func TestBehaviour02Dialogues(t *testing.T) {
	m := newAdmin(t)
	for _, d := range []asked{
		{"cidr add", "Lab\nservers\nlab\n10.42.1.0/24\nnonsense\n\n\n", "made CIDR lab (10.42.3.0/24) in home\n", []string{
			"The new CIDR's name: ", "lower-case", "there is a CIDR servers already: 10.42.1.0/24", "The new CIDR's name: ",
			"Its range [10.42.3.0/24]: ", "10.42.1.0/24 is the range of servers already", `"nonsense" is no range of addresses`, "(y/n) [n]: ",
		}},
		{"cidr add guests", "\nmaybe\ny\n", "made CIDR guests (10.42.4.0/24) in home\n", []string{"[10.42.4.0/24]: ", `"maybe" is neither y nor n`}},
		{"cidr rename", "infra\n9\n3\nbob\n", "renamed CIDR lab to bob\n", []string{
			"Which CIDR:\n   1) servers  10.42.1.0/24\n   2) phones   10.42.2.0/24\n   3) lab      10.42.3.0/24\n   4) guests   10.42.4.0/24 isolated\nNumber or name: ",
			`"infra" is neither a number from 1 to 4 nor a name to choose`, `"9" is neither`, "Its new name: ",
		}},
		{"cidr remove", "guests\ny\n", "removed CIDR guests\n", []string{"guests (10.42.4.0/24) has no peers; its addresses will belong to home again", "Remove CIDR guests? [y/N] "}},
		{"cidr add room", "10.42.3.0/28\n\n", "made CIDR room (10.42.3.0/28) in bob\n", nil},
		{"association add", "servers\n3\n", "associated servers and phones: their peers see each other\n", []string{"Which CIDR:\n   1) home", "The other CIDR:\n   1) home"}},
		{"association remove", "phones\nphones\n1\ny\n", "phones and servers are not associated any more\n", []string{
			"Which CIDR:\n   1) servers  with phones\n   2) phones   with servers\n", "The other CIDR:\n   1) servers  with phones\n",
			`"phones" is neither`, "bob and carl will not see each other any more", "Remove the association of phones and servers although peers will lose sight of each other? [y/N] ",
		}},
		{"peer rename", "bob\nann\nBob\nbert\n", "renamed peer bob to bert\n", []string{
			"Which peer:\n   1) ann", "   2) bob   10.42.1.2 in servers, active\n   3) dan   10.42.1.3 in servers, disabled\n", "there is a peer ann already", "lower-case",
		}},
		{"peer enable", "\n", "peer dan is enabled\n", []string{"   1) dan", "Number or name [dan]: "}}, // the only one
		{"peer disable", "dan\nyes\n", "peer dan is disabled\n", []string{"Which peer:\n   1) ann", "dan: 10.42.1.3 in servers, active, last handshake never; it is cut off until it is enabled", "Disable peer dan? [y/N] "}},
		{"peer grant-admin", "carl\n", "peer carl is an admin\n", []string{"   1) bert"}},
		{"peer revoke-admin", "1\n", "peer ann is not an admin any more\n", []string{"   1) ann", "   2) carl"}},
		{"peer remove", "eve\ny\n", "removed peer eve\n", []string{"eve: 10.42.2.2 in phones, invited, expires in ", "its invitation is revoked, its name and address are free again", "Remove peer eve for good? [y/N] "}},
		{"peer remove --yes", "carl\n", "removed peer carl\n", []string{"carl: 10.42.2.1 in phones, active, last handshake never; its name is free again, its address stays retired"}},
	} {
		m.goes(d)
	}
	if c, _ := m.net.Book().CIDRNamed("guests"); c != nil {
		t.Error("guests is still there")
	}
	m.failed(m.runWith("", true, "peer", "reinvite"), exitFailed, []string{"nobody is invited who has not joined"}, nil)
	m.failed(m.runWith("", true, "cidr", "remove", "bob"), exitFailed, []string{"bob (10.42.3.0/24) still has 1 CIDR (room)"}, nil) // without asking
	m.failed(m.runWith("", true, "association", "remove"), exitFailed, []string{"no CIDR is associated"}, nil)
}

// TestAskingGivesUp: what no answer mends ends a command, most of it before
// anything is asked.
func TestAskingGivesUp(t *testing.T) {
	type line struct{ words, types string }
	lines := []line{{"cidr add", "lab\nlab\n"}, {"cidr add lab", "10.42.9.0/24\n"}, {"peer invite", "fay\n"}, {"peer rename x", "fay\n"}}
	refused := func(m *machine, why string) {
		t.Helper()
		for _, l := range lines {
			r := m.runWith(l.types, true, strings.Fields(l.words)...)
			m.failed(r, exitFailed, []string{why}, nil)
			if strings.Contains(r.err, ": ginnel:") || strings.Contains(r.err, "name: ") || strings.Contains(r.err, "range: ") || strings.Contains(r.err, "nothing was changed") {
				t.Errorf("%s: %q asks although %s", l.words, r.err, why)
			}
		}
	}
	m := newMachine(t)
	refused(m, "the daemon is not running")
	m.startDaemon()
	refused(m, "this machine is in no network")
	m.status.Networks = []local.Network{{Name: "home"}}
	m.err = wire.Errorf(wire.StatusForbidden, "bob is no admin")
	refused(m, "bob is no admin")
	m.err = wire.Errorf(wire.StatusBadGateway, "it cannot be reached")
	refused(m, "it cannot be reached")
}

// TestOfferedPlaces: a CIDR that lies in others completely has no address.
func TestOfferedPlaces(t *testing.T) {
	m := newAdmin(t)
	m.succeeds("cidr", "add", "y", "10.42.8.0/24")
	m.succeeds("cidr", "add", "y1", "10.42.8.0/25")
	offered := func() bool { return strings.Contains(m.runWith("zed\n", true, "peer", "invite").err, ") y ") }
	if !offered() {
		t.Error("y, half of which is free, is not offered")
	}
	m.succeeds("cidr", "add", "y2", "10.42.8.128/25")
	if offered() {
		t.Error("y is offered, all of which lies in y1 and y2")
	}
	m.refuses(exitFailed, []string{"all of y lies in y1 and y2: invite into one of those"}, "peer", "invite", "zed", "--cidr", "y")
}

// TestChosen: a name that is a number is that name.
func TestChosen(t *testing.T) {
	list := named([]string{"2", "b", "1"})
	for text, want := range map[string]string{"2": "2", "1": "1", "3": "1", "b": "b"} {
		if name, ok := chosen(list, text); name != want || !ok {
			t.Errorf("%s chooses %s, %v", text, name, ok)
		}
	}
	if _, ok := chosen(list, "4"); ok {
		t.Error("4 chooses something")
	}
}

// TestBehaviour02Invite: where the peer belongs is answered by a number, a name
// or an address; what is on the command line is not asked.
func TestBehaviour02Invite(t *testing.T) {
	m := newAdmin(t)
	invite := func(line, types string, says ...string) *network.Peer {
		t.Helper()
		r := m.runWith(types, true, strings.Fields(line)...)
		for _, s := range says {
			if !strings.Contains(r.err, s) {
				t.Errorf("%s: %q is not said:\n%s", line, s, r.err)
			}
		}
		inv, err := wire.ParseInvitation(r.out)
		if r.status != exitOK || err != nil {
			t.Fatalf("%s: %+v, %v", line, r, err)
		}
		p, _ := m.net.Book().PeerNamed(inv.Name)
		return p
	}
	p := invite("peer invite", "bob\ngus\n3\ny\nsoon\n2d\n", "there is a peer bob already", "Where it belongs", "   3) phones",
		"(y/n) [n]: ", "How long the invitation is good for [14d]: ", `"soon" is no duration`, "the invitation is good for 2d")
	if p.Name != "gus" || p.Address != netip.MustParseAddr("10.42.2.3") || !p.Admin {
		t.Errorf("invited %+v", p)
	}
	p = invite("peer invite hal --admin", "10.42.1.77\n\n")
	if p.Name != "hal" || p.Address != netip.MustParseAddr("10.42.1.77") || !p.Admin {
		t.Errorf("invited %+v", p)
	}
	if r := m.runWith("", true, "peer", "invite", "ida", "--cidr", "phones"); r.status != exitOK || strings.Contains(r.err, "[") {
		t.Errorf("a command that says all it must was asked: %+v", r)
	}
	before := p.Invited.Key
	if p = invite("peer reinvite", "hal\n1h\n", "   2) eve  10.42.2.2 in phones, invited", "the invitation before is good for nothing any more", "good for 60m"); p.Invited.Key == before || p.Name != "hal" {
		t.Errorf("invited %+v again", p)
	}
}

// TestBehaviour02Create: with nothing but Enter where there is a default.
func TestBehaviour02Create(t *testing.T) {
	m := newMachine(t)
	m.os.SetLink("eth0", netip.MustParsePrefix("203.0.113.7/24"))
	m.os.SetLink("eth1", netip.MustParsePrefix("192.168.1.1/24"))
	m.goes(asked{"network create", "Home\neth0\nhome\n\n\n\n", "made network home (10.42.0.0/16); this machine is its coordinator, 10.42.0.1\n", []string{
		"The network's name: ", "lower-case", "there is an interface eth0", "The range of its addresses [10.42.0.0/16]: ", "WireGuard's UDP port [51820]: ",
		"Where this machine is reached from outside, HOST:PORT [203.0.113.7:51820]: ",
	}})
	r := m.runWith("home\nwork\n10.42.1.0/24\n192.168.0.0/16\n10.9.0.1/16\n\n51820\n0\nmany\n7\nnowhere\n127.0.0.1:7\nvpn.example.com:7\n", true, "network", "create")
	if r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	for _, s := range []string{
		"there is a network home on this machine already", "10.42.1.0/24 overlaps network home", "192.168.0.0/16 overlaps 192.168.1.0/24",
		"did you mean 10.9.0.0/16?", "WireGuard's UDP port [51821]: ", "network home of this machine has UDP port 51820: choose another", `"0" is no UDP port: want a number from 1`, `"many" is no UDP port`, "cannot be reached from another network", "[203.0.113.7:7]: ",
	} {
		if !strings.Contains(r.err, s) {
			t.Errorf("%q is not said:\n%s", s, r.err)
		}
	}
	cfg, err := m.env.paths.readConfig()
	must(t, err)
	work, _ := cfg.Network("work")
	book, err := store.Read(m.env.paths.book("work"))
	must(t, err)
	if work == nil || work.ListenPort != 7 || !slices.Equal(book.Endpoints(), []string{"vpn.example.com:7"}) {
		t.Errorf("made %+v, found at %v", work, book.Endpoints())
	}
	m.goes(asked{"network remove", "1\ny\n", "removed network home\n", []string{
		"Which network:\n   1) home  coordinator\n   2) work  coordinator\n", "home: this machine is its coordinator; its 0 other peers may talk on", "[y/N] ",
	}})
}

// TestYesAsksLess: --yes leaves out what may be left out.
func TestYesAsksLess(t *testing.T) {
	m := newMachine(t)
	m.goes(asked{"network create --yes", "home\n\n192.0.2.1:51820\n", "made network home (10.42.0.0/16); this machine is its coordinator, 10.42.0.1\n", []string{
		"The network's name: ", "The range of its addresses [10.42.0.0/16]: ", "Where this machine is reached from outside, HOST:PORT: ",
	}})
	m, token := newJoiner(t, nil)
	file := filepath.Join(t.TempDir(), "fay.invitation")
	must(t, os.WriteFile(file, []byte(token), 0o600))
	m.goes(asked{"join --yes " + file, "", "joined home as fay, 10.42.1.4\n", nil})
	if !exists(file) {
		t.Error("the invitation was deleted")
	}
}

// TestPresentEndpoint: Enter keeps the coordinator's endpoint, where it is the
// only one: an answer replaces all.
func TestPresentEndpoint(t *testing.T) {
	m := newAdmin(t)
	m.goes(asked{"network rename-endpoint", "\n", "the coordinator of home is found at hub.example:51820\n", []string{"Where it is reached, HOST:PORT [hub.example:51820]: "}})
	m.succeeds("network", "rename-endpoint", "a.example:1", "b.example:1")
	m.goes(asked{"network rename-endpoint", "\nc.example:1\n", "the coordinator of home is found at c.example:1\n", []string{"HOST:PORT: ", "an answer is needed"}})
}

// TestUsualQuestions: a command that has no question of its own for a word asks
// what the word means.
func TestUsualQuestions(t *testing.T) {
	m := newAdmin(t)
	for word, says := range map[string]string{
		"PEER": "Which peer:", "CIDR": "Which CIDR:", "NETWORK": "Which network:", "one|two": "Which one:\n   1) one\n   2) two\n",
		"HOST:PORT": "Where it is reached, HOST:PORT: ", "ENDPOINT": "or :PORT: ", "PORT": "The UDP port: ", "TITLE": "Title: ",
	} {
		var errs strings.Builder
		e := m.env
		e.terminal, e.err, e.in = true, &errs, strings.NewReader("")
		c := &command{name: "test", args: word, setup: func(*options) action { return nil }}
		o, _ := c.prepare()
		if err := c.ask(t.Context(), &e, o); err != errUnchanged || !strings.Contains(errs.String(), says) {
			t.Errorf("%s: %v, asked %q", word, err, errs.String())
		}
	}
}

// TestWhichNetworkIsAsked: once in a command, of those that need one.
func TestWhichNetworkIsAsked(t *testing.T) {
	m := newAdmin(t)
	m.configure("work", config.Peer)
	m.status.Networks = append(m.status.Networks, local.Network{Name: "work"})
	m.goes(asked{"peer enable", "1\ndan\n", "peer dan is enabled\n", []string{"Which network:\n   1) home\n   2) work\nNumber or name: ", "Which peer:"}})
	m.failed(m.runWith("3\n", true, "peer", "list"), exitFailed, []string{`"3" is neither a number from 1 to 2`, "nothing was changed"}, nil)
}

// TestBehaviour48JoinAsks: for the invitation, and whether its file is to go.
func TestBehaviour48JoinAsks(t *testing.T) {
	for _, test := range []struct {
		answer string
		kept   bool
	}{{"y", false}, {"n", true}, {"", true}} {
		m, token := newJoiner(t, nil)
		file := filepath.Join(t.TempDir(), "fay.invitation")
		must(t, os.WriteFile(file, []byte(token), 0o600))
		m.goes(asked{"join", "missing\n-\n" + file + "\n" + test.answer + "\n", "joined home as fay, 10.42.1.4\n", []string{
			"The invitation: its file, or the token itself: ", "there is no file missing", "not a whole invitation", "Delete " + file + " afterwards, when it is of no use any more? [y/N] ",
		}})
		if exists(file) != test.kept {
			t.Errorf("%q: the file is there: %v", test.answer, !test.kept)
		}
	}
	m, token := newJoiner(t, nil)
	file := filepath.Join(t.TempDir(), "fay.invitation")
	must(t, os.WriteFile(file, []byte(token), 0o600))
	m.failed(m.runWith("", true, "join", file), exitFailed, []string{"nothing was changed"}, nil)
	if len(withoutDirectories(m)) > 0 {
		t.Errorf("left are %q", m.tree())
	}
	m.goes(asked{"join", token + "\n", "joined home as fay, 10.42.1.4\n", nil})
}

// TestFilesAreAsked: for a backup, and for its restoration.
func TestFilesAreAsked(t *testing.T) {
	m := newMachine(t)
	m.run(createHome...)
	t.Chdir(t.TempDir())
	m.goes(asked{"backup", "\n", "backed up network home at revision 1 to home.backup: keep it secret\n", []string{"The file to write [home.backup]: "}})
	m.goes(asked{"backup", "\nsecond\n", "backed up network home at revision 1 to second: keep it secret\n", []string{"home.backup exists already"}})
	must(t, os.WriteFile("other", []byte("x"), 0o600))
	m = newMachine(t)
	m.goes(asked{"restore", "nothing\nother\nhome.backup\ny\n", "restored network home (10.42.0.0/16) with 1 peer; this machine is its coordinator, 10.42.0.1\n", []string{
		"The backup's file: ", "no such file", "other: ", "the machine that was it must not come back", "Make this machine the coordinator? [y/N] ",
	}})
	m.failed(m.runWith("n\n", true, "down"), exitFailed, []string{"this machine is the coordinator of home: the peers keep their tunnels", "Switch home off? [y/N] ", "nothing was changed"}, nil)
	m.goes(asked{"down", "y\n", "switched home off\n", nil})
}

package main

import (
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/network"
	"ginnel/platform/dbfile"
	"ginnel/wire"
)

var createHome = []string{"network", "create", "home", "10.42.0.0/16", "--endpoint", "vpn.example.com:51820", "--name", "hub"}

// TestBehaviour01And07CreateNetwork: one command from options alone, without a
// daemon and without directories; what is made is private.
func TestBehaviour01And07CreateNetwork(t *testing.T) {
	m := newMachine(t)
	r := m.run(createHome...)
	if r.status != exitOK || r.out != "made network home (10.42.0.0/16); this machine is its coordinator, 10.42.0.1\n" ||
		!strings.HasPrefix(r.err, "not in effect yet: the daemon is not running: start it with") {
		t.Fatalf("%+v", r)
	}
	want := []string{"drwxr-xr-x etc", "-rw------- etc/ginnel.conf", "drwxr-xr-x lib", "drwx------ lib/ginnel", "-rw------- lib/ginnel/home.book", "-rw------- lib/ginnel/home.state"}
	if got := m.tree(); !slices.Equal(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
	cfg, err := m.env.paths.readConfig()
	if err != nil {
		t.Fatal(err)
	}
	section := config.New("home", config.Coordinator)
	section.ListenPort = 51820
	if len(cfg.Networks) != 1 || !cfg.Networks[0].Equal(&section) {
		t.Errorf("configuration is %+v, want %+v", cfg.Networks, section)
	}
	sameCoordinator(t, m)
}

// sameCoordinator checks that the book and the identity of home speak of the
// same coordinator: behaviour 4.
func sameCoordinator(t *testing.T, m *machine) {
	t.Helper()
	s, book, _, err := store.Open(m.env.paths.book("home"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := state.Open(state.Path(m.env.paths.state, "home"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	self, id := book.Coordinator(), st.Identity()
	public := id.PrivateKey.Public()
	if id.Address != self.Address || public != self.Key || id.Name != "hub" || self.Name != "hub" || id.Root != book.Root() || id.IsPending() {
		t.Errorf("the book has %+v, the identity is %+v", self, id)
	}
	if want := (state.Coordinator{Address: self.Address, PublicKey: self.Key, APIPort: 51820}); id.Coordinator != want {
		t.Errorf("the identity's coordinator is %+v, want %+v", id.Coordinator, want)
	}
}

// TestCreateNetworkReloads: a daemon takes the network up at once.
func TestCreateNetworkReloads(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "v6", State: local.Up}, {Name: "home", State: local.Up}}
	m.does("made network v6 (fd42:1234::/48); this machine is its coordinator, fd42:1234::1\n",
		"network", "create", "v6", "fd42:1234::/48", "--endpoint", "[2001:db8::1]:7", "--listen-port", "7")
	if m.reloads() != 1 {
		t.Error("the daemon was not told")
	}
	m.err = wire.Errorf(wire.StatusUnprocessable, "the configuration stays as it was: because")
	r := m.run(createHome...)
	if r.status != exitFailed || !strings.Contains(r.err, "because") {
		t.Errorf("%+v", r)
	}
}

// TestBehaviour02CreateNetworkRefused: whatever is wrong or missing is said,
// and nothing is left behind.
func TestBehaviour02CreateNetworkRefused(t *testing.T) {
	for _, test := range []struct {
		line, says string
		status     int
	}{
		{"home", "network create: PREFIX and --endpoint HOST:PORT are missing", exitUsage},
		{"home 10.42.0.0/16", "network create: --endpoint HOST:PORT is missing", exitUsage},
		{"home 10.42.0.0/16 --endpoint a:1 --listen-port 0", "--listen-port 0", exitUsage},
		{"home 10.42.0.0/33 --endpoint a:1", `"10.42.0.0/33" is no range`, exitUsage},
		{"home ten --endpoint a:1", `"ten" is no range of addresses: want one such as 10.42.0.0/16`, exitUsage},
		{"home 10.42.1.2/16 --endpoint a:1", "did you mean 10.42.0.0/16?", exitFailed},
		{"home 127.0.0.0/8 --endpoint a:1", "127.0.0.0/8", exitFailed},
		{"Home 10.42.0.0/16 --endpoint a:1", "lower-case letters, digits and single dashes", exitFailed},
		{"sixteen-letters-x 10.42.0.0/16 --endpoint a:1", "at most 15 are allowed", exitFailed},
		{"infra 10.42.0.0/16 --endpoint a:1", "infra", exitFailed},
		{"lo 10.42.0.0/16 --endpoint a:1", "lo", exitFailed},
		{"../x 10.42.0.0/16 --endpoint a:1", "is not allowed", exitFailed},
		{"home 10.42.0.0/16 --endpoint a:1 --name Hub", `name "Hub" is not allowed`, exitFailed},
		{"home 10.42.0.0/16 --endpoint nowhere", "--endpoint: ", exitUsage},
		{"home 10.42.0.0/16 --endpoint 127.0.0.1:51820", "cannot be reached from another network", exitUsage},
		{"home 10.42.0.0/16 --endpoint a:1 --endpoint 10.42.0.1:51820", "10.42.0.1:51820 is an address inside the network itself", exitFailed},
		{"home 10.42.0.0/16 --endpoint a:1 --listen-port 51819", "--listen-port: 51819 is", exitUsage},
	} {
		m := newMachine(t)
		m.refuses(test.status, []string{test.says}, append([]string{"network", "create"}, strings.Fields(test.line)...)...)
		if files := withoutDirectories(m); len(files) > 0 {
			t.Errorf("network create %s: left %q", test.line, files)
		}
	}
}

func withoutDirectories(m *machine) []string {
	return slices.DeleteFunc(m.tree(), func(s string) bool { return s[0] == 'd' })
}

// TestCreateNetworkTwice: the existing network is not touched.
func TestCreateNetworkTwice(t *testing.T) {
	m := newMachine(t)
	m.run(createHome...)
	book, err := os.ReadFile(m.env.paths.book("home"))
	if err != nil {
		t.Fatal(err)
	}
	files := m.tree()
	m.refuses(exitFailed, []string{"there is a network home on this machine already"}, createHome...)
	m.refuses(exitFailed, []string{"network home of this machine has UDP port 51820", "--listen-port"}, "network", "create", "work", "10.43.0.0/16", "--endpoint", "a:1")
	after, err := os.ReadFile(m.env.paths.book("home"))
	if err != nil || string(after) != string(book) || !slices.Equal(m.tree(), files) {
		t.Errorf("files are %q, were %q; %v", m.tree(), files, err)
	}
	if r := m.run("network", "create", "work", "10.43.0.0/16", "--endpoint", "a:1", "--listen-port", "7"); r.status != exitOK {
		t.Errorf("a second network: %+v", r)
	}
}

// TestCreateNetworkUndone: when a later step fails the earlier ones are undone.
func TestCreateNetworkUndone(t *testing.T) {
	m := newMachine(t)
	if err := dbfile.EnsureDir(m.env.paths.state, 0o700); err != nil {
		t.Fatal(err)
	}
	statePath := state.Path(m.env.paths.state, "home")
	if err := os.WriteFile(statePath, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.refuses(exitFailed, []string{"home.state", "exists already", "`ginnel leave home`"}, createHome...)
	if files := withoutDirectories(m); !slices.Equal(files, []string{"-rw------- lib/ginnel/home.state"}) {
		t.Errorf("files are %q", files)
	}
	if err := os.Remove(statePath); err != nil {
		t.Fatal(err)
	}
	m.env.paths.config = "/proc/no/ginnel.conf"
	m.refuses(exitFailed, []string{"make the configuration's directory"}, createHome...)
	for _, path := range []string{statePath, m.env.paths.book("home")} {
		if exists(path) {
			t.Errorf("%s is left", path)
		}
	}
}

// TestCreateNetworkCutOff: what a power cut leaves of a network that was being
// made is not in the way of the same command, unless the book was used.
func TestCreateNetworkCutOff(t *testing.T) {
	m := newMachine(t)
	statePath := state.Path(m.env.paths.state, "home")
	for _, lost := range [][]string{{m.env.paths.config, statePath}, {m.env.paths.config}} {
		m.run(createHome...)
		for _, path := range lost {
			must(t, os.Remove(path))
		}
		before, err := os.ReadFile(m.env.paths.book("home"))
		must(t, err)
		if r := m.run(createHome...); r.status != exitOK {
			t.Fatalf("without %q: %+v", lost, r)
		}
		if after, err := os.ReadFile(m.env.paths.book("home")); err != nil || string(after) == string(before) {
			t.Errorf("the book is the one that was left, with its key, %v", err)
		}
		must(t, os.Remove(m.env.paths.config))
	}
	s, book, _, err := store.Open(m.env.paths.book("home"))
	must(t, err)
	_, change, err := book.Apply(time.Now(), network.AddCIDR{Name: "lan", Prefix: netip.MustParsePrefix("10.42.1.0/24")})
	must(t, err)
	must(t, s.Commit(change))
	m.refuses(exitFailed, []string{"exists already", "`ginnel network remove home`"}, createHome...)
	must(t, s.Close())
	m.refuses(exitFailed, []string{"exists already", "`ginnel network remove home`"}, createHome...)
}

func TestRemoveNetwork(t *testing.T) {
	m := newMachine(t)
	m.run(createHome...)
	args := []string{"network", "remove", "home"}
	m.refuses(exitUsage, []string{"Destroy network home", "--yes"}, args...)
	m.failed(m.runWith("n\n", true, args...), exitFailed, []string{"nothing was changed"}, args)
	m.refuses(exitFailed, []string{"`ginnel network remove home`"}, "leave", "home", "--yes")
	m.refuses(exitFailed, []string{"there is no network work", "`ginnel network list`"}, "network", "remove", "work", "--yes")
	m.refuses(exitFailed, []string{"there is no network ../x"}, "network", "remove", "../x", "--yes")
	if len(withoutDirectories(m)) != 3 {
		t.Errorf("files are %q", m.tree())
	}
	m.does("removed network home\n", append(args, "--yes")...)
	if files := withoutDirectories(m); !slices.Equal(files, []string{"-rw------- etc/ginnel.conf"}) {
		t.Errorf("left are %q", files)
	}
	if r := m.run(createHome...); r.status != exitOK {
		t.Errorf("it cannot be made again: %+v", r)
	}
}

// TestRemoveNetworkHalfDone: a removal that failed half-way is finished by the
// same command.
func TestRemoveNetworkHalfDone(t *testing.T) {
	m := newMachine(t)
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Up}}
	m.run(createHome...)
	m.err = wire.Errorf(wire.StatusInternal, "not now")
	m.refuses(exitFailed, []string{"not now"}, "network", "remove", "home", "--yes")
	m.err = nil
	m.refuses(exitFailed, []string{"already", "`ginnel network remove home`"}, createHome...)
	m.refuses(exitFailed, []string{"`ginnel network remove home`"}, "leave", "home", "--yes")
	m.does("removed network home\n", "network", "remove", "home", "--yes")
	if files := withoutDirectories(m); len(files) != 1 {
		t.Errorf("left are %q", files)
	}
	m.refuses(exitFailed, []string{"there is no network home"}, "network", "remove", "home", "--yes")
}

// TestCreateNetworkForeignLink: a stranger's interface of the network's name is
// refused, and a network that was made before it goes without touching it.
func TestCreateNetworkForeignLink(t *testing.T) {
	m := newMachine(t)
	m.os.SetLink("eth0", netip.MustParsePrefix("192.0.2.1/24"))
	before := m.os.String()
	m.refuses(exitFailed, []string{"there is an interface eth0"}, "network", "create", "eth0", "10.43.0.0/16", "--endpoint", "a:1")
	if files := withoutDirectories(m); len(files) > 0 {
		t.Errorf("left are %q", files)
	}
	must(t, m.os.RemoveLink("eth0"))
	if r := m.run("network", "create", "eth0", "10.43.0.0/16", "--endpoint", "a:1"); r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	m.os.SetLink("eth0", netip.MustParsePrefix("192.0.2.1/24"))
	m.does("removed network eth0\n", "network", "remove", "eth0", "--yes")
	if files := withoutDirectories(m); len(files) != 1 || m.os.String() != before {
		t.Errorf("left are %q and\n%s", files, m.os)
	}
}

func TestListNetworks(t *testing.T) {
	m := newMachine(t)
	const heading = "NAME  ROLE         STATE  RANGE         ADDRESS\n"
	m.configure("home", config.Coordinator)
	m.configure("work", config.Peer)
	m.configure("old", config.Peer)
	m.run("down", "old")
	r := m.run("network", "list")
	if r.status != exitOK || !strings.HasPrefix(r.err, "the daemon is not running") ||
		r.out != "NAME  ROLE         STATE    RANGE  ADDRESS\nhome  coordinator  unknown  -      -\nwork  peer         unknown  -      -\nold   peer         down     -      -\n" {
		t.Errorf("%+v", r)
	}
	root := netip.MustParsePrefix("10.42.0.0/16")
	m.status.Networks = []local.Network{
		{Name: "home", State: local.Up, Role: "coordinator", Root: root, Self: wire.Member{Address: netip.MustParseAddr("10.42.0.1")}, Peers: []local.Peer{}},
		{Name: "work", State: local.Up, Role: "peer", Root: root, Peers: []local.Peer{}}, // its first map is not there yet
		{Name: "old", State: local.Down, Role: "peer", Peers: []local.Peer{}},
	}
	must(t, os.Remove(m.env.paths.config)) // the group ginnel cannot read it
	m.startDaemon()
	m.does(heading+"home  coordinator  up     10.42.0.0/16  10.42.0.1\nwork  peer         up     10.42.0.0/16  -\nold   peer         down   -             -\n", "network", "list")
	var list []local.Network
	m.json(&list, "network", "list")
	if !reflect.DeepEqual(list, m.status.Networks) {
		t.Errorf("JSON is %+v", list)
	}
}

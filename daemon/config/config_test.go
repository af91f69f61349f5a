package config_test

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"ginnel/daemon/config"
	"ginnel/platform"
)

func TestParseAll(t *testing.T) {
	c, err := config.Parse("f", []byte(`
config network 'my_home'
	option enabled 'off'
	option role 'peer'
	option listen_port '51820'
	option mtu '1420'
	option keepalive '0'
	option routes '0'
	option hosts 'dnsmasq'
	option suffix 'vpn.example.org'
	option interface_mode 'existing'
	option interface 'wg0'
	option backend 'kernel'
	option firewall '0'
	option allow_input 'yes'
	option allow_lan '1'
	list coordinator 'vpn.example.org:51820'
	list coordinator '[2001:db8::1]:1'
	list endpoint ':51820'
	list endpoint 'home.example.org:4000'
	list override '10.42.1.1 [2001:db8::9]:51820'
	list override 'fd42::7 nas.lan:1'
	list exclude '10.0.0.0/8'
	list exclude 'fd00::/8'
`))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Network{Name: "my-home", Role: config.Peer, ListenPort: 51820, MTU: 1420, Hosts: config.Dnsmasq,
		Suffix: "vpn.example.org", Existing: true, Interface: "wg0", Backend: platform.Kernel, AllowInput: true, AllowLAN: true,
		Endpoints: []string{"vpn.example.org:51820", "[2001:db8::1]:1"},
		Announced: []string{":51820", "home.example.org:4000"},
		Overrides: []config.Override{{Address: netip.MustParseAddr("10.42.1.1"), Endpoint: "[2001:db8::9]:51820"}, {Address: netip.MustParseAddr("fd42::7"), Endpoint: "nas.lan:1"}},
		Exclude:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	got, ok := c.Network("my-home")
	if !ok || !got.Equal(&want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Link() != "wg0" {
		t.Errorf("the interface is %s, want wg0", got.Link())
	}
	if _, ok := c.Network("other"); ok {
		t.Error("a network that is not there was found")
	}
}

func TestParseDefaults(t *testing.T) {
	c, err := config.Parse("f", []byte("config network a\n\toption role peer\n\tlist coordinator x:1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := config.New("a", config.Peer)
	want.Endpoints = []string{"x:1"}
	if got, _ := c.Network("a"); !got.Equal(&want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if want.MTU != config.DefaultMTU || want.Keepalive != config.DefaultKeepalive || want.Hosts != config.DefaultHosts || !want.Enabled || !want.Routes ||
		want.Suffix != "wg" || want.Link() != "a" {
		t.Errorf("defaults %+v", want)
	}
}

func TestParseEmpty(t *testing.T) {
	if c, err := config.Parse("f", nil); err != nil || len(c.Networks) != 0 {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestExcludeAll(t *testing.T) {
	c, err := config.Parse("f", []byte("config network a\n\toption role peer\n\tlist coordinator x:1\n\tlist exclude all\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"192.0.2.1", "2001:db8::1"} {
		found := false
		for _, p := range c.Networks[0].Exclude {
			found = found || p.Contains(netip.MustParseAddr(a))
		}
		if !found {
			t.Errorf("%s is not excluded", a)
		}
	}
}

// TestErrors has sections of a network that is all right but for one thing;
// the errors are whole.
func TestErrors(t *testing.T) {
	const peer = "config network a\n\toption role peer\n\tlist coordinator x:1\n\t"
	const coordinator = "config network a\n\toption role coordinator\n\t"
	for _, c := range []struct{ name, text, want string }{
		{"syntax", "config network a b", "f:1: there is a word too many: quote a value that has blanks"},
		{"section type", "config globals g", `f:1: section g: type globals is not known: only "config network 'NAME'" and "config daemon" are`},
		{"anonymous section", "config network", `f:1: section @network[0] has no name: write "config network 'NAME'" with the network's name`},
		{"unknown option", peer + "option port 1", "f:4: section a, option port: is not known: those that are: enabled, role, invitation, listen_port, mtu, keepalive, routes, hosts, suffix, interface_mode, interface, backend, firewall, allow_input, allow_lan, coordinator, endpoint, override, exclude"},
		{"doubled option", peer + "option mtu 1280\n\toption mtu 1300", "f:5: section a, option mtu: is given before, in line 4: remove one"},
		{"a list of one value", peer + "list mtu 1280", `f:4: section a, option mtu: has one value: write "option mtu '...'"`},
		{"one value for a list", peer + "option exclude all", `f:4: section a, option exclude: is a list: write "list exclude '...'" for each value`},
		{"enabled", peer + "option enabled maybe", `f:4: section a, option enabled: "maybe" is neither 1 nor 0`},
		{"routes", peer + "option routes 2", `f:4: section a, option routes: "2" is neither 1 nor 0`},
		{"firewall", peer + "option firewall open", `f:4: section a, option firewall: "open" is neither 1 nor 0`},
		{"allow_input", peer + "option allow_input lan", `f:4: section a, option allow_input: "lan" is neither 1 nor 0`},
		{"allow_lan", peer + "option allow_lan 2", `f:4: section a, option allow_lan: "2" is neither 1 nor 0`},
		{"role", "config network a\n\toption role boss", `f:2: section a, option role: "boss" is neither peer nor coordinator`},
		{"no role", "config network a", "f:1: section a, option role: is missing: write peer or coordinator, or give an invitation"},
		{"port", peer + "option listen_port 65536", `f:4: section a, option listen_port: "65536" is not a number from 0 to 65535`},
		{"negative port", peer + "option listen_port -1", `f:4: section a, option listen_port: "-1" is not a number from 0 to 65535`},
		{"signal port", peer + "option listen_port 51819", "f:4: section a, option listen_port: 51819 is the port of signals inside the tunnel: take another"},
		{"mtu", peer + "option mtu 575", `f:4: section a, option mtu: "575" is not a number from 576 to 9000`},
		{"keepalive", peer + "option keepalive 25s", `f:4: section a, option keepalive: "25s" is not a number from 0 to 65535`},
		{"hosts", peer + "option hosts hosts", `f:4: section a, option hosts: "hosts" is neither a path from / on nor one of auto, dnsmasq and none`},
		{"suffix", peer + "option suffix .wg", `f:4: section a, option suffix: ".wg" is no end of a name such as wg or vpn.example.org (lower-case letters, digits and inner dashes between dots), nor "none"`},
		{"a suffix that leaves no room", peer + "option suffix " + strings.Repeat("a.", 87), "f:4: section a, option suffix: is 174 characters long: 173 at most leave room for the names before it"},
		{"interface mode", peer + "option interface_mode borrowed", `f:4: section a, option interface_mode: "borrowed" is neither own nor existing`},
		{"interface", peer + "option interface_mode existing\n\toption interface wg/0", `f:5: section a, option interface: "wg/0" cannot name a link: want 1 to 15 bytes without blanks, /, : and %`},
		{"an interface of our own with a name", peer + "option interface wg0", "f:4: section a, option interface: is for an interface that somebody else makes (option interface_mode 'existing'): one of our own has the network's name"},
		{"backend", peer + "option backend wg-quick", `f:4: section a, option backend: "wg-quick" is none of auto, kernel and userspace`},
		{"shared interface", peer + "option interface_mode existing\n\toption interface b-c\nconfig network b_c\n\toption role peer\n\tlist coordinator x:1", "f:6: section b_c: interface b-c is network a's: give each its own"},
		{"no endpoint of the coordinator", "config network a\n\toption role peer", "f:1: section a, option coordinator: is missing: write at least one endpoint of the coordinator, HOST:PORT"},
		{"endpoint twice", peer + "list coordinator x:1", "f:4: section a, option coordinator: x:1 is given twice"},
		{"announced in vain", peer + "list endpoint 127.0.0.1:1", `f:4: section a, option endpoint: endpoint "127.0.0.1:1" cannot be reached from another network`},
		{"announced twice", peer + "list endpoint :1\n\tlist endpoint :1", "f:5: section a, option endpoint: :1 is given twice"},
		{"more than a peer announces", peer + "list endpoint :1" + strings.Repeat("\n\tlist endpoint :1", 8),
			"f:12: section a, option endpoint: is given 9 times, and a peer announces 8 endpoints at most: remove some"},
		{"a coordinator's port alone, before its role", "config network a\n\tlist endpoint :1\n\toption listen_port 1\n\toption role coordinator",
			`f:2: section a, option endpoint: endpoint ":1": the host has 0 characters, want 1 to 253`},
		{"override of a name", peer + "list override 'ben x:1'", `f:4: section a, option override: "ben x:1" does not begin with a peer's address: write ADDRESS HOST:PORT, with one blank`},
		{"override without an endpoint", peer + "list override 10.0.0.1", `f:4: section a, option override: endpoint "" has no port, want host:port`},
		{"override with a port alone", peer + "list override '10.0.0.1 :1'", `f:4: section a, option override: endpoint ":1": the host has 0 characters, want 1 to 253`},
		{"two overrides", peer + "list override '10.0.0.1 x:1'\n\tlist override '10.0.0.1 y:1'", "f:5: section a, option override: 10.0.0.1 is given twice"},
		{"a coordinator's coordinator", coordinator + "option listen_port 1\n\tlist coordinator x:1", "f:4: section a, option coordinator: is for peers: where they find the coordinator `ginnel network rename-endpoint` says"},
		{"a coordinator without a port", coordinator, "f:1: section a, option listen_port: is missing: a coordinator needs one, from 1 to 65535"},
		{"a coordinator with port 0", coordinator + "option listen_port 0", "f:3: section a, option listen_port: is missing: a coordinator needs one, from 1 to 65535"},
		{"more endpoints than an invitation carries", coordinator + "option listen_port 1" + strings.Repeat("\n\tlist endpoint x:1", 9),
			"f:12: section a, option endpoint: is given 9 times, and an invitation carries 8 endpoints at most: remove some"},
		{"an invitation at the wrong place", peer + "option hosts ginnel1secret", "f:4: section a, option hosts: looks like an invitation: that is what option invitation is for"},
		{"exclude an address", peer + "list exclude 10.0.0.1", "f:4: section a, option exclude: 10.0.0.1 is an address: write 10.0.0.1/32 for it alone"},
		{"exclude bits", peer + "list exclude 10.0.0.1/8", "f:4: section a, option exclude: 10.0.0.1/8 has bits set behind its length: write 10.0.0.0/8"},
		{"exclude nonsense", peer + "list exclude lan", `f:4: section a, option exclude: "lan" is neither a range like 192.168.0.0/16 or fd00::/8 nor "all"`},
		{"shared port", "config network a\n\toption role coordinator\n\toption listen_port 7\nconfig network b_c\n\toption role coordinator\n\toption listen_port 7", "f:6: section b_c, option listen_port: 7 is taken by network a, in line 3: give each its own"},
	} {
		got, err := config.Parse("f", []byte(c.text+"\n"))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: error\n%v\nwant\n%s", c.name, err, c.want)
		}
		refused := slices.ContainsFunc(got.Networks, func(n config.Network) bool { return n.Refused })
		if about := strings.Contains(c.want, ": section a") || strings.Contains(c.want, ": section b"); refused != about {
			t.Errorf("%s: a network is refused: %v", c.name, refused)
		}
	}
}

// TestSuffixes: a suffix is what DNS takes for the end of a name, or nothing.
func TestSuffixes(t *testing.T) {
	for text, ok := range map[string]bool{
		"wg": true, "none": true, "a.b-c.9": true, "xn--a": true, strings.Repeat("a", 63): true,
		"":     true, // UCI: as if it were not there
		"a..b": false, "a.": false, "WG": false, "-a": false, "a-": false, "a_b": false, "é": false, strings.Repeat("a", 64): false,
	} {
		c, err := config.Parse("f", []byte("config network a\n\toption role peer\n\tlist coordinator x:1\n\toption suffix '"+text+"'\n"))
		want := text
		switch text {
		case "":
			want = config.DefaultSuffix
		case config.NoSuffix:
			want = ""
		}
		if (err == nil) != ok || ok && c.Networks[0].Suffix != want {
			t.Errorf("suffix %q: %+v, %v", text, c, err)
		}
	}
}

// Other packages word these themselves; here only the place counts.
func TestErrorsOfOthersNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"config network a\n\toption role peer\n\tlist coordinator x\n":      "f:3: section a, option coordinator: ",
		"config network a\n\toption role peer\n\tlist coordinator ''\n":     "f:3: section a, option coordinator: ",
		"config network A\n\toption role peer\n\tlist coordinator x:1\n":    "f:1: section A: ",
		"config network a__b\n\toption role peer\n\tlist coordinator x:1\n": "f:1: section a__b: ",
		"config network lo\n\toption role peer\n\tlist coordinator x:1\n":   "f:1: section lo: ",
	} {
		if _, err := config.Parse("f", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s...", err, want)
		}
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	_, err := config.Parse("f", []byte(`config network a
	option role peer
	option mtu big
	option foo 1
config bar b
config network c
	option role boss
	option listen_port x
config network d
	option role coordinator
	option listen_port x
`))
	want := []string{"f:1: ", "f:3: ", "f:4: ", "f:5: ", "f:7: ", "f:8: ", "f:11: "}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d errors, want %d:\n%v", len(got), len(want), err)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("error %q, want %s...", got[i], want[i])
		}
	}
}

// TestExample parses the reference file, and looks that it speaks of every
// option and gives the right defaults.
func TestExample(t *testing.T) {
	const path = "../../docs/ginnel.conf.example"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(path, text)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Networks) != 2 || c.Networks[1].Name != "my-office" {
		t.Errorf("networks %+v", c.Networks)
	}
	told, err := config.Parse(path, []byte(strings.ReplaceAll(string(text), "\t#option", "\toption")))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := told.Networks[0], c.Networks[0]; !got.Equal(&want) {
		t.Errorf("what is commented out is not the default: %+v, want %+v", got, want)
	}
	_, err = config.Parse("f", []byte("config network a\n\toption no_such_option 1\n"))
	_, names, _ := strings.Cut(err.Error(), "those that are: ")
	names, _, _ = strings.Cut(names, "\n")
	for name := range strings.SplitSeq(names, ", ") {
		if !strings.Contains(string(text), "option "+name+" '") && !strings.Contains(string(text), "list "+name+" '") {
			t.Errorf("%s does not speak of %s", path, name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("config network a\n\toption role peer\n\tlist coordinator x:1\n\tlist exclude 10.0.0.0/8\n"))
	f.Add([]byte("config network a\n\tlist endpoint :1\n\toption role peer\n\tlist coordinator x:1\n\tlist override '10.0.0.1 x:1'\n"))
	f.Add([]byte("config network a_b\n\toption role coordinator\n\toption listen_port 1\n\tlist endpoint x:1\n\toption mtu ''\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.Parse("f", text)
		if err != nil {
			return
		}
		for _, n := range c.Networks {
			again, err := config.Set("f", text, n)
			if err != nil || string(again) != string(text) {
				t.Fatalf("setting what is there changes %q to %q, %v", text, again, err)
			}
			fresh, err := config.Set("f", nil, n)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := config.Parse("f", fresh); err != nil || !c.Networks[0].Equal(&n) {
				t.Fatalf("%+v is written as %s, %v", n, fresh, err)
			}
		}
	})
}

// TestCheckMTU: IPv6 has a least MTU, IPv4 none that matters.
func TestCheckMTU(t *testing.T) {
	for _, c := range []struct {
		mtu  int
		root string
		ok   bool
	}{{1280, "fd42::/48", true}, {1279, "fd42::/48", false}, {576, "10.42.0.0/16", true}} {
		n := config.New("a", config.Peer)
		n.MTU = c.mtu
		if err := n.CheckMTU(netip.MustParsePrefix(c.root)); (err == nil) != c.ok {
			t.Errorf("%d for %s: %v", c.mtu, c.root, err)
		}
	}
}

package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ginnel/daemon/config"
	"ginnel/platform"
)

func peer(name string, edit func(*config.Network)) config.Network {
	n := config.New(name, config.Peer)
	n.Endpoints = []string{"vpn.example.org:51820"}
	if edit != nil {
		edit(&n)
	}
	return n
}

func coordinator(name string, edit func(*config.Network)) config.Network {
	n := config.New(name, config.Coordinator)
	n.ListenPort = 51820
	if edit != nil {
		edit(&n)
	}
	return n
}

// TestSetGolden compares with files in testdata; a case NAME starts from
// NAME.before, or from nothing where that is missing, and ends at NAME.after.
func TestSetGolden(t *testing.T) {
	for name, n := range map[string]config.Network{
		"join":   peer("my-home", nil),
		"create": coordinator("office", func(n *config.Network) { n.Endpoints = []string{"office.example.org:51820", "[2001:db8::1]:51820"} }),
		"everything": peer("home", func(n *config.Network) {
			*n = config.Network{Name: "home", Role: config.Peer, ListenPort: 7, MTU: 1420, Keepalive: 0, Hosts: config.NoHosts, Endpoints: n.Endpoints,
				Announced: []string{":4000", "home.example.org:51820"}, Overrides: []config.Override{{Address: netip.MustParseAddr("10.42.1.7"), Endpoint: "nas.lan:51820"}},
				Existing: true, Interface: "wg0", Backend: platform.Userspace, AllowInput: true, AllowLAN: true,
				Exclude: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
		}),
		"beside": peer("home", func(n *config.Network) { n.Hosts = "/tmp/hosts/ginnel it's" }),
		"update": peer("home", func(n *config.Network) {
			n.Endpoints = []string{"old.example.org:1", "new.example.org:2"}
			n.Keepalive = 10
			n.Exclude = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
		}),
		"new_role": coordinator("home", nil),
		"repair":   peer("home", nil),
	} {
		before, err := os.ReadFile(filepath.Join("testdata", name+".before"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		got, err := config.Set(name, before, n)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, err := os.ReadFile(filepath.Join("testdata", name+".after"))
		if err != nil {
			t.Error(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		if again, err := config.Set(name, got, n); err != nil || string(again) != string(got) {
			t.Errorf("%s: doing it again gives\n%s\n%v", name, again, err)
		}
	}
}

func TestSetThenRemoveLeavesNoTrace(t *testing.T) {
	for _, text := range []string{"", "# mine\n\nconfig network 'a'\n\toption role coordinator # me\n\toption listen_port 9\n", "config unknown x\n\toption y z\n"} {
		with, err := config.Set("f", []byte(text), peer("my-home", nil))
		if strings.Contains(text, "unknown") {
			if err == nil || with != nil {
				t.Errorf("a configuration that cannot be used was written: %s", with)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := config.Remove("f", with, "my-home"); err != nil || string(got) != text {
			t.Errorf("left is %q, %v, want %q", got, err, text)
		}
	}
}

func TestRemove(t *testing.T) {
	const text = "config network 'a'\n\toption foo 1\n\nconfig network 'a_b'\n\toption role x\n"
	for network, want := range map[string]string{
		"a-b": "config network 'a'\n\toption foo 1\n",
		"a":   "\nconfig network 'a_b'\n\toption role x\n",
		"c":   text,
	} {
		if got, err := config.Remove("f", []byte(text), network); err != nil || string(got) != want {
			t.Errorf("without %s: %q, %v, want %q", network, got, err, want)
		}
	}
	if _, err := config.Remove("f", []byte("bad\n"), "a"); err == nil {
		t.Error("a text that is not UCI was edited")
	}
	const other = "config other 'a'\n"
	if got, err := config.Remove("f", []byte(other), "a"); err != nil || string(got) != other {
		t.Errorf("another section of that name: %q, %v", got, err)
	}
}

func TestSetRefuses(t *testing.T) {
	const taken = "config network 'a'\n\toption role coordinator\n\toption listen_port 51820\n"
	for name, c := range map[string]struct {
		text string
		n    config.Network
		want string
	}{
		"bad name":              {"", peer("A", nil), "A"},
		"underscore":            {"", peer("a_b", nil), "a_b"},
		"no role":               {"", config.New("a", ""), "option role: is missing"},
		"no endpoint":           {"", config.New("a", config.Peer), "option coordinator: is missing"},
		"bad endpoint":          {"", peer("a", func(n *config.Network) { n.Endpoints = []string{"x"} }), "option coordinator"},
		"port of another":       {taken, coordinator("b", nil), "51820 is taken by network a, in line 3"},
		"no MTU":                {"", peer("a", func(n *config.Network) { n.MTU = 0 }), "option mtu"},
		"no hosts":              {"", peer("a", func(n *config.Network) { n.Hosts = "" }), "cannot be written"},
		"control character":     {"", peer("a", func(n *config.Network) { n.Hosts = "/\x01" }), "control character"},
		"prefix with more bits": {"", peer("a", func(n *config.Network) { n.Exclude = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")} }), "write 10.0.0.0/8"},
		"not UCI":               {"foo\n", peer("a", nil), "f:1: "},
	} {
		if _, err := config.Set("f", []byte(c.text), c.n); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", name, err, c.want)
		}
	}
}

// TestCheckOptions names the option whose value is wrong.
func TestCheckOptions(t *testing.T) {
	good := config.New("home", config.Peer)
	good.Endpoints = []string{"192.0.2.1:51820"}
	if option, err := config.CheckOptions(&good); option != "" || err != nil {
		t.Errorf("option %q, %v", option, err)
	}
	for want, spoil := range map[string]func(*config.Network){
		"mtu":         func(n *config.Network) { n.MTU = 20 },
		"hosts":       func(n *config.Network) { n.Hosts = "relative" },
		"listen_port": func(n *config.Network) { n.ListenPort = 51819 },
		"coordinator": func(n *config.Network) { n.Endpoints = []string{"nowhere"} },
	} {
		bad := good
		spoil(&bad)
		if option, err := config.CheckOptions(&bad); option != want || err == nil {
			t.Errorf("option %q, %v; want %s", option, err, want)
		}
	}
}

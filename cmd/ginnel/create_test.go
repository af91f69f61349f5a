package main

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/wire"
)

// TestBehaviour01CreateWithOptions: what the network is on this machine is said
// as for a join.
func TestBehaviour01CreateWithOptions(t *testing.T) {
	m := newMachine(t)
	r := m.run(append(createHome, "--mtu", "1400", "--hosts", "none", "--no-routing", "--exclude", "all", "--exclude", "192.168.7.0/24",
		"--keepalive", "0", "--listen-port", "4711", "--suffix", "none")...)
	if r.status != exitOK {
		t.Fatalf("%+v", r)
	}
	cfg, err := m.env.paths.readConfig()
	must(t, err)
	want := config.New("home", config.Coordinator)
	want.ListenPort, want.MTU, want.Hosts, want.Routes, want.Keepalive, want.Suffix = 4711, 1400, config.NoHosts, false, 0, ""
	want.Exclude = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), netip.MustParsePrefix("192.168.7.0/24")}
	if len(cfg.Networks) != 1 || !cfg.Networks[0].Equal(&want) {
		t.Errorf("configured %+v, want %+v", cfg.Networks, want)
	}
	for _, bad := range [][2]string{{"--mtu", "20"}, {"--hosts", "relative"}, {"--exclude", "lan"}} {
		m := newMachine(t)
		m.refuses(exitUsage, nil, append(slices.Clone(createHome), bad[0], bad[1])...)
		if len(withoutDirectories(m)) > 0 {
			t.Errorf("%s: left are %q", bad, m.tree())
		}
	}
}

// endpointsOf makes a network on a machine with some addresses and returns its
// endpoints.
func endpointsOf(t *testing.T, addresses []string, more ...string) ([]string, result) {
	t.Helper()
	m := newMachine(t)
	for i, a := range addresses {
		m.os.SetLink("eth"+string(rune('0'+i)), netip.MustParsePrefix(a))
	}
	r := m.run(append([]string{"network", "create", "home", "10.42.0.0/16", "--endpoint", "auto"}, more...)...)
	cfg, err := m.env.paths.readConfig()
	must(t, err)
	if len(cfg.Networks) == 0 {
		if files := withoutDirectories(m); len(files) > 0 {
			t.Errorf("left are %q", files)
		}
		return nil, r
	}
	book, err := store.Read(m.env.paths.book("home"))
	must(t, err)
	return book.Endpoints(), r
}

// TestBehaviour06AutoEndpoint: the machine's own public addresses, one of each
// family; without one it is said what to do.
func TestBehaviour06AutoEndpoint(t *testing.T) {
	for _, test := range []struct {
		addresses []string
		want      []string
	}{
		{[]string{"192.168.1.2/24", "203.0.113.7/24", "198.51.100.1/24"}, []string{"203.0.113.7:7"}},
		{[]string{"2001:db8::7/64", "fd00::1/64", "203.0.113.7/24"}, []string{"203.0.113.7:7", "[2001:db8::7]:7"}},
		{[]string{"2001:db8::7/64", "100.64.1.1/24"}, []string{"[2001:db8::7]:7"}},
	} {
		if got, r := endpointsOf(t, test.addresses, "--listen-port", "7"); !slices.Equal(got, test.want) {
			t.Errorf("with %v: %v, %+v, want %v", test.addresses, got, r, test.want)
		}
	}
	if got, _ := endpointsOf(t, []string{"203.0.113.7/24"}, "--endpoint", "vpn.example.com:9"); !slices.Equal(got, []string{"203.0.113.7:51820", "vpn.example.com:9"}) {
		t.Errorf("with another: %v", got)
	}
	got, r := endpointsOf(t, []string{"192.168.1.2/24"})
	if got != nil || r.status != exitUsage || !strings.Contains(r.err, "no public address itself") || !strings.Contains(r.err, "--stun HOST:PORT") {
		t.Errorf("without one: %v, %+v", got, r)
	}
}

// stunServer answers as a STUN server that sees everybody at one address;
// before that it sends what has nothing to do with the question.
func stunServer(t *testing.T, kind byte) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 100)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			answer := append([]byte{1, kind, 0, 12}, b[4:n]...)
			answer = append(answer, 0, 0x20, 0, 8, 0, 1, 0, 0) // XOR-MAPPED-ADDRESS 203.0.113.9
			answer = append(answer, 203^0x21, 0^0x12, 113^0xa4, 9^0x42)
			conn.WriteTo([]byte("something else"), from)
			conn.WriteTo(answer, from)
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return conn.LocalAddr().String()
}

// TestBehaviour06STUN: a server that is named tells the address; the port is
// the one that the router must forward.
func TestBehaviour06STUN(t *testing.T) {
	behind := []string{"192.168.1.2/24"}
	if got, r := endpointsOf(t, behind, "--stun", stunServer(t, 1)); !slices.Equal(got, []string{"203.0.113.9:51820"}) {
		t.Errorf("%v, %+v", got, r)
	}
	if got, r := endpointsOf(t, []string{"198.51.100.1/24"}, "--stun", "nobody.invalid:1"); !slices.Equal(got, []string{"198.51.100.1:51820"}) {
		t.Errorf("with an own address it is not asked: %v, %+v", got, r)
	}
	if got, r := endpointsOf(t, behind, "--stun", stunServer(t, 0x11)); got != nil || r.status != exitFailed || !strings.Contains(r.err, "refused the request") {
		t.Errorf("%v, %+v", got, r)
	}
	if got, r := endpointsOf(t, behind, "--stun", "nowhere"); got != nil || r.status != exitUsage || !strings.Contains(r.err, "--stun: ") {
		t.Errorf("%v, %+v", got, r)
	}
}

// TestSuggestPrefix: the lowest range that holds nothing, of its siblings' size.
func TestSuggestPrefix(t *testing.T) {
	for _, test := range []struct {
		root  string
		cidrs []string // directly below it, infra apart
		peers []string
		want  string // empty: there is none
	}{
		{"10.42.0.0/16", nil, nil, "10.42.1.0/24"}, // infra is in the first
		{"10.42.0.0/16", []string{"10.42.1.0/24", "10.42.2.0/24"}, nil, "10.42.3.0/24"},
		{"10.42.0.0/16", []string{"10.42.2.0/24"}, []string{"10.42.1.9"}, "10.42.3.0/24"},
		{"10.42.0.0/16", []string{"10.42.64.0/18", "10.42.128.0/18"}, nil, "10.42.192.0/18"},
		{"10.42.0.0/16", []string{"10.42.0.64/26"}, nil, "10.42.0.128/26"},
		{"10.42.0.0/29", nil, nil, "10.42.0.4/30"},
		{"10.42.0.0/30", nil, nil, ""},
		{"10.42.0.0/16", []string{"10.42.128.0/17"}, nil, ""},
		{"fd42::/48", nil, nil, "fd42:0:0:1::/64"},
		{"fd42::/48", []string{"fd42:0:0:1::/64"}, nil, "fd42:0:0:2::/64"},
		{"fd42::/64", nil, nil, "fd42::100:0:0:0/72"},
		{"255.0.0.0/8", []string{"255.128.0.0/9"}, nil, ""},
	} {
		root := netip.MustParsePrefix(test.root)
		infra := root.Addr().Next()
		cidrs := []wire.CIDR{{Name: "home", Prefix: root}, {Name: "infra", Parent: "home", Prefix: netip.PrefixFrom(infra, infra.BitLen())}}
		for _, p := range test.cidrs {
			cidrs = append(cidrs, wire.CIDR{Name: "c", Parent: "home", Prefix: netip.MustParsePrefix(p)})
		}
		var peers []wire.Peer
		for _, a := range test.peers {
			peers = append(peers, wire.Peer{Member: wire.Member{Address: netip.MustParseAddr(a)}})
		}
		got, ok := suggestPrefix(cidrs, peers)
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("%s with %v and %v: %v, %v, want %q", test.root, test.cidrs, test.peers, got, ok, test.want)
		}
	}
}

// TestFreeRoot: a range that neither a link nor another network has.
func TestFreeRoot(t *testing.T) {
	m := newMachine(t)
	free := func() netip.Prefix {
		t.Helper()
		text, err := freeRoot(&asking{ctx: t.Context(), e: &m.env})
		must(t, err)
		p, err := netip.ParsePrefix(text)
		must(t, err)
		return p
	}
	if p := free(); p.String() != "10.42.0.0/16" {
		t.Errorf("suggested is %v", p)
	}
	m.os.SetLink("eth0", netip.MustParsePrefix("10.42.7.1/24"))
	m.os.SetLink("eth1", netip.MustParsePrefix("10.0.0.1/9"))
	for range 20 {
		if p := free(); p.Bits() != 16 || !netip.MustParsePrefix("10.128.0.0/9").Contains(p.Addr()) {
			t.Errorf("suggested is %v", p)
		}
	}
	m.os.SetLink("eth2", netip.MustParsePrefix("10.200.0.1/8"))
	if text, err := freeRoot(&asking{ctx: t.Context(), e: &m.env}); text != "" || err != nil {
		t.Errorf("suggested is %q, %v, and nothing is free", text, err)
	}
}

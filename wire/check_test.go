package wire_test

import (
	"net/netip"
	"strings"
	"testing"

	"ginnel/key"
	"ginnel/wire"
)

func member(n byte, address, name string) wire.Member {
	return wire.Member{Address: netip.MustParseAddr(address), Name: name, CIDR: "home", PublicKey: publicKey(n * 8)}
}

func endpoints(list ...string) (e []netip.AddrPort) {
	for _, s := range list {
		e = append(e, netip.MustParseAddrPort(s))
	}
	return e
}

func update() *wire.Update {
	u := &wire.Update{
		From:     wire.Position{Revision: 7, Epoch: 8, Seq: 1},
		Position: wire.Position{Revision: 7, Epoch: 8, Seq: 9},
		Network:  "home",
		Root:     netip.MustParsePrefix("10.42.0.0/16"),
		Self:     member(1, "10.42.0.9", "laptop"),
		Ranges:   []netip.Prefix{netip.MustParsePrefix("10.42.2.0/24"), netip.MustParsePrefix("10.42.0.0/24")},
		Members:  []wire.Member{member(2, "10.42.0.1", "hub"), member(3, "10.42.0.8", "nas"), member(4, "10.42.2.1", "router")},
		Patches:  []wire.Patch{{Address: netip.MustParseAddr("10.42.1.1")}},
	}
	u.Members[0].Role = wire.RoleCoordinator
	u.Members[1].Endpoints = wire.Endpoints{
		Seen:       netip.MustParseAddrPort("192.0.2.4:51820"),
		Candidates: endpoints("192.168.1.4:51820", "[2001:db8::4]:51820"),
	}
	return u
}

func TestUpdateCheck(t *testing.T) {
	if err := update().Check(); err != nil {
		t.Fatal(err)
	}
	prefix, addr := netip.MustParsePrefix, netip.MustParseAddr
	for name, test := range map[string]struct {
		spoil func(*wire.Update)
		want  string
	}{
		"network":           {func(u *wire.Update) { u.Network = "" }, "network"},
		"no root":           {func(u *wire.Update) { u.Root = netip.Prefix{} }, "root"},
		"reserved network":  {func(u *wire.Update) { u.Network = "all" }, "network: name"},
		"root of all":       {func(u *wire.Update) { u.Root = prefix("0.0.0.0/0") }, "this host"},
		"root of one":       {func(u *wire.Update) { u.Root = prefix("10.42.0.9/32") }, "room"},
		"mapped root":       {func(u *wire.Update) { u.Root = prefix("::ffff:10.42.0.0/112") }, "mapped"},
		"no self":           {func(u *wire.Update) { u.Self = wire.Member{} }, "self: the address is missing"},
		"self outside":      {func(u *wire.Update) { u.Self.Address = addr("10.43.0.1") }, "self: address 10.43.0.1"},
		"zone":              {func(u *wire.Update) { u.Self.Address = addr("fe80::1%x") }, "inside"},
		"no start":          {func(u *wire.Update) { u.From = wire.Position{} }, "neither a whole map"},
		"no start, empty":   {func(u *wire.Update) { *u = wire.Update{Network: u.Network, Root: u.Root, Self: u.Self} }, "neither a whole map"},
		"start of epoch":    {func(u *wire.Update) { u.From.Revision = 0 }, "starts from revision 0"},
		"backwards":         {func(u *wire.Update) { u.From.Revision = 8 }, "from revision 8 back to 7"},
		"bad range":         {func(u *wire.Update) { u.Ranges[0] = netip.Prefix{} }, "masked"},
		"unmasked range":    {func(u *wire.Update) { u.Ranges[0] = prefix("10.42.2.1/24") }, "masked"},
		"range outside":     {func(u *wire.Update) { u.Ranges[0] = prefix("10.43.0.0/24") }, "not inside the root"},
		"range too wide":    {func(u *wire.Update) { u.Ranges[0] = prefix("10.0.0.0/8") }, "not inside the root"},
		"range of another":  {func(u *wire.Update) { u.Ranges[0] = prefix("fd00::/16") }, "not inside the root"},
		"ranges overlap":    {func(u *wire.Update) { u.Ranges = append(u.Ranges, prefix("10.42.2.128/25")) }, "overlap"},
		"range twice":       {func(u *wire.Update) { u.Ranges[1] = u.Ranges[0] }, "overlap"},
		"unsorted":          {func(u *wire.Update) { u.Members[0], u.Members[1] = u.Members[1], u.Members[0] }, "sorted"},
		"twice":             {func(u *wire.Update) { u.Members[1] = u.Members[0] }, "sorted"},
		"self among them":   {func(u *wire.Update) { u.Members[1].Address = u.Self.Address }, "receiver"},
		"outside ranges":    {func(u *wire.Update) { u.Members[2].Address = addr("10.42.3.1") }, "none of the ranges"},
		"member's name":     {func(u *wire.Update) { u.Members[0].Name = "a\nb" }, "10.42.0.1: name"},
		"member's CIDR":     {func(u *wire.Update) { u.Members[0].CIDR = "" }, "CIDR of 10.42.0.1"},
		"no key":            {func(u *wire.Update) { u.Members[0].PublicKey = key.PublicKey{} }, "no public key"},
		"role":              {func(u *wire.Update) { u.Members[0].Role = "king" }, "unknown role"},
		"same name":         {func(u *wire.Update) { u.Members[0].Name = "nas" }, "name nas of another"},
		"self's name":       {func(u *wire.Update) { u.Members[0].Name = "laptop" }, "name laptop of another"},
		"same key":          {func(u *wire.Update) { u.Members[0].PublicKey = u.Self.PublicKey }, "key of another"},
		"many candidates":   {func(u *wire.Update) { u.Self.Endpoints.Candidates = make([]netip.AddrPort, 11) }, "11 candidates"},
		"empty candidate":   {func(u *wire.Update) { u.Self.Endpoints.Candidates = make([]netip.AddrPort, 1) }, "candidate"},
		"seen without port": {func(u *wire.Update) { u.Self.Endpoints.Seen = netip.MustParseAddrPort("192.0.2.1:0") }, "seen"},
		"bad announced":     {func(u *wire.Update) { u.Members[0].Endpoints.Announced = []string{":1"} }, "announced"},
		"many announced":    {func(u *wire.Update) { u.Members[0].Endpoints.Announced = make([]string, 9) }, "9 endpoints"},
		"announced twice":   {func(u *wire.Update) { u.Members[0].Endpoints.Announced = []string{"x:1", "x:1"} }, "twice"},
		"patch outside":     {func(u *wire.Update) { u.Patches[0].Address = addr("10.43.0.1") }, "patch"},
		"patch in a range":  {func(u *wire.Update) { u.Patches[0].Address = addr("10.42.0.1") }, "there already"},
		"patch twice":       {func(u *wire.Update) { u.Patches = append(u.Patches, u.Patches[0]) }, "there already"},
		"patch's endpoints": {func(u *wire.Update) { u.Patches[0].Endpoints.Candidates = endpoints("224.0.0.1:1") }, "patch of"},
	} {
		u := update()
		test.spoil(u)
		if err := u.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
	}
}

func TestReportCheck(t *testing.T) {
	good := [][]netip.AddrPort{nil, endpoints("192.168.1.4:51820", "[2001:db8::4]:51820", "192.168.1.4:51821")}
	for _, c := range good {
		if err := (&wire.Report{Candidates: c}).Check(); err != nil {
			t.Error(err)
		}
	}
	bad := [][]netip.AddrPort{
		make([]netip.AddrPort, 1), make([]netip.AddrPort, 11),
		endpoints("127.0.0.1:1"), endpoints("[::1]:1"), endpoints("169.254.1.1:1"), endpoints("[fe80::1]:1"),
		endpoints("224.0.0.1:1"), endpoints("0.0.0.0:1"), endpoints("192.168.1.4:1", "192.168.1.4:1"),
	}
	for _, c := range bad {
		if (&wire.Report{Candidates: c}).Check() == nil {
			t.Errorf("report of %v is accepted", c)
		}
	}
	if err := (&wire.Report{Announced: []string{":1", "[2001:db8::4]:51820", "vpn.example.net:1"}}).Check(); err != nil {
		t.Error(err)
	}
	for _, a := range [][]string{make([]string, 9), {"x"}, {":1", ":1"}, {"127.0.0.1:1"}} {
		if (&wire.Report{Announced: a}).Check() == nil {
			t.Errorf("report that announces %q is accepted", a)
		}
	}
}

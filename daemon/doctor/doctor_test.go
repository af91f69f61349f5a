package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/platform"
	"ginnel/platform/dbfile"
	"ginnel/wire"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// healthy is a peer with which all is well.
func healthy() *Facts {
	cfg := config.New("home", config.Peer)
	cfg.Endpoints = []string{"vpn.example.net:51820"}
	at := netip.MustParseAddrPort("192.0.2.1:51820")
	member := func(name, address string) wire.Member {
		return wire.Member{Name: name, Address: addr(address), CIDR: "desks", Endpoints: wire.Endpoints{Seen: at}}
	}
	hub := member("hub", "10.42.0.1")
	hub.Role = wire.RoleCoordinator
	return &Facts{
		Now: now, Version: "1", Config: Config{Path: "/etc/ginnel/ginnel.conf"}, State: State{Path: "/var/lib/ginnel", Mode: 0o700},
		Daemon: Daemon{Version: "1"}, Machine: platform.Machine{WireGuard: platform.ModuleLoaded, TUN: true, Free: 1 << 30, Total: 1 << 40},
		Underlay: []platform.UnderlayAddress{{Link: "eth0", Prefix: netip.MustParsePrefix("198.51.100.7/24")}},
		Networks: []Network{{
			Name: "home", Config: &cfg, Root: netip.MustParsePrefix("10.42.0.0/16"), Address: addr("10.42.1.1"), Coordinator: addr("10.42.0.1"), APIPort: 51820,
			Status: &local.Network{
				Name: "home", State: local.Up, Role: "peer", Backend: "kernel", ListenPort: 40001, Self: member("anna", "10.42.1.1"),
				Revision: 7, LastContact: now.Add(-time.Minute),
				Peers: []local.Peer{
					{Member: hub, Endpoint: at, LastHandshake: now.Add(-30 * time.Second), Rx: 1000, Tx: 1000, Connected: true, Reach: local.ReachDirect},
					{Member: member("bob", "10.42.1.2"), Endpoint: at, Connected: true, Reach: local.ReachDirect},
				},
			},
			Hosts:     []Host{{Name: "vpn.example.net", Port: 51820, Addrs: []netip.Addr{at.Addr()}}},
			Endpoints: []Endpoint{{At: at, Route: platform.Route{Link: "eth0", MTU: 1500}, Echo: platform.EchoSilence}},
			Net:       platform.NetState{Up: true, MTU: 1280}, Overlay: platform.Route{Link: "home"},
			API: API{Asked: true, Took: 20 * time.Millisecond, Clock: true, Big: true},
		}},
	}
}

// silent makes the coordinator not answer.
func silent(f *Facts) *Network {
	n := &f.Networks[0]
	n.API = API{Asked: true, Err: wire.Errorf(wire.StatusBadGateway, "the coordinator of home cannot be reached: connect: i/o timeout")}
	return n
}

// coordinating makes the machine the coordinator.
func coordinating(f *Facts) *Network {
	n := &f.Networks[0]
	cfg := config.New("home", config.Coordinator)
	cfg.ListenPort = 51820
	n.Config, n.Address, n.Status.Self.Address, n.Status.Role, n.Status.ListenPort = &cfg, n.Coordinator, n.Coordinator, "coordinator", 51820
	n.Status.Peers = n.Status.Peers[1:]
	return n
}

func home(f *Facts) *Network { return &f.Networks[0] }

// TestBehaviour130EachFault: of each fault the first check that is not in order
// is the one that is about it, and says what was seen and what to do.
func TestBehaviour130EachFault(t *testing.T) {
	lan := netip.MustParsePrefix("10.42.9.4/24")
	for name, test := range map[string]struct {
		spoil   func(*Facts)
		verdict Verdict
		check   string
		says    string // parts of what it says, between bars
	}{
		"no network":        {func(f *Facts) { f.Networks = nil }, Failed, "configuration", "in no network|ginnel join"},
		"a wrong option":    {func(f *Facts) { f.Config.Err = errors.New("ginnel.conf:3: no such option") }, Failed, "configuration", "ginnel.conf:3|Correct that line"},
		"no state":          {func(f *Facts) { f.State.Err = platform.ErrNotExist }, Failed, "files", "does not exist|Put a copy"},
		"keys to be read":   {func(f *Facts) { f.State.Mode = 0o755 }, Warning, "files", "mode 0755|chmod 0700"},
		"disk full":         {func(f *Facts) { f.Machine.Free = 0 }, Failed, "disk", "is full|Delete"},
		"disk nearly":       {func(f *Facts) { f.Machine.Free = 100 << 10 }, Warning, "disk", "100 kB|Make room"},
		"1970":              {func(f *Facts) { f.Now = time.Unix(100, 0); silent(f) }, Failed, "clock", "1970-01-01|NTP"},
		"clock ahead":       {func(f *Facts) { home(f).API.Ahead = time.Hour }, Warning, "clock", "1h0m0s ahead of|NTP"},
		"clock behind":      {func(f *Facts) { home(f).API.Ahead = -time.Hour }, Warning, "clock", "1h0m0s behind the"},
		"no daemon":         {func(f *Facts) { f.Daemon.Err = local.ErrNotRunning; home(f).Status = nil; home(f).API = API{} }, Failed, "daemon", "not running|systemctl start"},
		"no daemon, router": {func(f *Facts) { f.OpenWrt, f.Daemon.Err = true, local.ErrNotRunning }, Failed, "daemon", "/etc/init.d/ginnel start|logread"},
		"config not taken":  {func(f *Facts) { f.Daemon.Problems = []string{"the configuration stays as it was: line 3"} }, Failed, "daemon", "line 3"},
		"old daemon":        {func(f *Facts) { f.Daemon.Version = "0.9" }, Warning, "daemon", "0.9|systemctl restart"},
		"state lost":        {func(f *Facts) { n := home(f); n.StateErr, n.Status.State = platform.ErrNotExist, local.Failed }, Failed, "state", "is lost|ginnel leave home"},
		"not joined yet": {func(f *Facts) {
			n := silent(f)
			n.StateErr, n.Root, n.Address, n.Coordinator = platform.ErrNotExist, netip.Prefix{}, netip.Addr{}, netip.Addr{}
			n.Status = &local.Network{Name: "home", State: local.Joining, Error: "no answer from the coordinator"}
		}, Failed, "network", "no answer from the coordinator|journalctl"},
		"state damaged": {func(f *Facts) { n := coordinating(f); n.StateErr, n.Status.State = dbfile.ErrDamaged, local.Failed }, Failed, "state", "unusable|ginnel up home|ginnel restore"},
		"no WireGuard": {func(f *Facts) {
			f.Machine.WireGuard, f.Machine.TUN = platform.ModuleMissing, false
			home(f).Status = &local.Network{Name: "home", State: local.Failed, Error: "open tunnel home: the kernel's WireGuard: not supported"}
		}, Failed, "wireguard", "no WireGuard|modprobe wireguard|/dev/net/tun"},
		"TUN is not ours": {func(f *Facts) {
			f.Machine.WireGuard = platform.ModuleMissing
			home(f).Status = &local.Network{Name: "home", State: local.Failed, Error: "open tunnel home: the kernel's WireGuard: not supported; and /dev/net/tun: permission denied"}
		}, Failed, "wireguard", "does not start: open tunnel home|/dev/net/tun: permission denied|read and write /dev/net/tun|chmod 0666"},
		"no WireGuard, router": {func(f *Facts) {
			f.OpenWrt, f.Machine.WireGuard = true, platform.ModuleMissing
			home(f).Status = &local.Network{Name: "home", State: local.Failed, Error: "open tunnel home: the kernel's WireGuard: not supported"}
		}, Failed, "wireguard", "kmod-wireguard"},
		"a foreign link": {func(f *Facts) {
			n := silent(f)
			f.Machine.WireGuard, n.Status.State, n.Status.Backend = platform.ModuleMissing, local.Failed, ""
			n.Status.Error = "open tunnel home: the kernel's WireGuard: not supported; and a link of that name exists already: delete it, or choose another name"
		}, Failed, "network", "a link of that name exists already"},
		"book damaged": {func(f *Facts) {
			n := coordinating(f)
			n.BookErr, f.Machine.WireGuard = fmt.Errorf("open database home.book: %w", dbfile.ErrDamaged), platform.ModuleMissing
			n.Status = &local.Network{Name: "home", State: local.Failed, Role: "coordinator", Error: n.BookErr.Error()}
		}, Failed, "book", "home.book: unusable|ginnel up home|ginnel network remove home; ginnel restore FILE"},
		"book lost, no daemon": {func(f *Facts) {
			n := coordinating(f)
			n.BookErr, n.Status = platform.ErrNotExist, nil
		}, Failed, "book", "who is in the network is lost|ginnel restore FILE"},
		"not let out": {func(f *Facts) {
			silent(f)
			c := chain("output", false, rule(drop, udp, to(51820)))
			c.Hook = platform.HookOutput
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, c)}
		}, Failed, "firewall", "chain output, drops UDP that leaves for 192.0.2.1:51820|udp dport 51820 accept"},
		"answers inside barred": {func(f *Facts) {
			silent(f).API.Heard = true
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, chain("input", true, rule(accept, udp)))}
		}, Failed, "firewall", `drops answers that come by home|iifname "home" accept`},
		"no way in": {func(f *Facts) {
			coordinating(f)
			f.Underlay = append(f.Underlay, platform.UnderlayAddress{Link: "home", Prefix: netip.MustParsePrefix("10.42.0.1/32")},
				platform.UnderlayAddress{Link: "docker0", Prefix: netip.MustParsePrefix("172.17.0.1/16")})
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, chain("input", true, rule(accept, tcp), rule(accept, from("home"))))}
		}, Failed, "firewall", "UDP to port 51820 that comes by eth0"},
		"too narrow for IPv6": {func(f *Facts) {
			n := home(f)
			n.Root, n.Endpoints[0] = netip.MustParsePrefix("fd42::/48"), Endpoint{At: netip.MustParseAddrPort("[2001:db8::1]:51820"), Route: platform.Route{Link: "ppp0", MTU: 1300}}
		}, Warning, "mtu", "up to 1280 bytes, and only 1220 fit through ppp0|wider by 60"},
		"one port for two": {func(f *Facts) {
			home(f).Config.ListenPort = 40001
			f.Others = []Network{{Name: "job", Config: home(f).Config}}
		}, Failed, "ports", "network job has UDP port 40001"},
		"port of no endpoint": {func(f *Facts) { coordinating(f).Hosts[0].Port = 40000 }, Warning, "ports", "51820, and by the network's endpoints peers look for it at 40000|listen-port set|rename-endpoint HOST:51820"},
		"port taken":          {func(f *Facts) { home(f).Config.ListenPort = 51820 }, Warning, "ports", "40001, not on 51820|sport = :51820"},
		"not started": {func(f *Facts) {
			n := silent(f)
			n.Status.State, n.Status.Error = local.Failed, "link home: exists already"
		}, Failed, "network", "exists already|journalctl"},
		"not known":         {func(f *Facts) { silent(f).Status = nil }, Failed, "network", "ginnel up home"},
		"the LAN's range":   {func(f *Facts) { f.Underlay = append(f.Underlay, platform.UnderlayAddress{Link: "lan", Prefix: lan}) }, Failed, "addresses", "10.42.0.0/16|10.42.9.0/24 of lan"},
		"a network's range": {func(f *Facts) { f.Others = []Network{{Name: "job", Root: netip.MustParsePrefix("10.0.0.0/8")}} }, Failed, "addresses", "10.0.0.0/8 of network job|ginnel down job"},
		"twice the same address": {func(f *Facts) {
			home(f).Status.Peers[1].Endpoints.Candidates = []netip.AddrPort{netip.MustParseAddrPort("198.51.100.7:1")}
		}, Warning, "addresses", "bob says that it has 198.51.100.7"},
		"no name":     {func(f *Facts) { silent(f).Hosts[0] = Host{Name: "vpn.example.net", Err: errors.New("no such host")} }, Failed, "names", "vpn.example.net has no address|no such host|resolv.conf"},
		"no name yet": {func(f *Facts) { home(f).Hosts[0] = Host{Name: "vpn.example.net"} }, Failed, "names", "has no address"},
		"one name of two": {func(f *Facts) {
			home(f).Hosts = append(home(f).Hosts, Host{Name: "old.example.net", Err: errors.New("no such host")})
		}, Warning, "names", "old.example.net has no address"},
		"coordinator without":   {func(f *Facts) { coordinating(f).Hosts = nil }, Warning, "names", "no invitation|rename-endpoint"},
		"no endpoint":           {func(f *Facts) { silent(f).Hosts = nil }, Failed, "names", "list coordinator"},
		"no route":              {func(f *Facts) { silent(f).Endpoints[0].RouteErr = fmt.Errorf("route: %w", platform.ErrNotExist) }, Failed, "route", "no way|default route"},
		"route into the tunnel": {func(f *Facts) { silent(f).Endpoints[0].Route.Link = "home" }, Failed, "route", "192.0.2.1 is routed into home itself"},
		"strict": {func(f *Facts) {
			n := silent(f)
			f.Machine.Strict = []string{"home"}
			n.Overlay.Link, n.API.Heard = "eth0", true
		}, Failed, "rp_filter", "routed by eth0|option routes '1'|net.ipv4.conf.home.rp_filter=2"},
		"no forwarding": {func(f *Facts) { home(f).Config.AllowLAN, f.Machine.NoForward4 = true, true }, Warning, "forwarding", "net.ipv4.ip_forward is 0|sysctl -w net.ipv4.ip_forward=1|sysctl.d"},
		"no forwarding of IPv6": {func(f *Facts) {
			n := home(f)
			n.Config.AllowLAN, f.Machine.NoForward6, n.Root = true, true, netip.MustParsePrefix("fd42::/48")
		}, Warning, "forwarding", "sysctl -w net.ipv6.conf.all.forwarding=1"},
		"barred": {func(f *Facts) {
			silent(f)
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, chain("input", true))}
		}, Failed, "firewall", "inet t, chain input|UDP answers of 192.0.2.1|ct state established"},
		"signals barred": {func(f *Facts) {
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, chain("input", true, rule(accept, answers)))}
		}, Warning, "firewall", `minutes late|iifname "home" accept`},
		"coordinator barred": {func(f *Facts) {
			coordinating(f)
			f.Filters = []platform.FilterTable{{Name: "filter", Family: platform.IPv4, Chains: []platform.FilterChain{chain("INPUT", true, rule(accept, answers))}}}
		}, Failed, "firewall", "UDP to port 51820 that comes by eth0|iptables -I INPUT -p udp --dport 51820 -j ACCEPT"},
		"API barred, router": {func(f *Facts) {
			f.OpenWrt = true
			coordinating(f)
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, chain("input", true, rule(accept, udp)))}
		}, Failed, "firewall", "the coordinator's API|uci add_list"},
		"refused": {func(f *Facts) { silent(f).Endpoints[0].Echo = platform.EchoRefused }, Failed, "udp", "nothing listens on UDP port 51820 of 192.0.2.1|Is the port right"},
		"moved": {func(f *Facts) {
			n := home(f)
			n.Hosts[0].Port = 4444
			n.Endpoints = append(n.Endpoints, Endpoint{At: netip.MustParseAddrPort("192.0.2.1:4444"), Echo: platform.EchoRefused})
		}, Warning, "udp", "UDP port 4444 of 192.0.2.1, where the configuration has|after a restart perhaps not"},
		"unreachable": {func(f *Facts) { silent(f).Endpoints[0].Echo = platform.EchoUnreachable }, Failed, "udp", "a router says"},
		"let not out": {func(f *Facts) { silent(f).Endpoints[0].Echo = platform.EchoBarred }, Failed, "udp", "this machine's firewall"},
		"never answered": {func(f *Facts) {
			n := silent(f)
			n.Status.Peers[0].LastHandshake = time.Time{}
			n.Status.Peers[1].Connected = false
		}, Failed, "handshake", "1000 bytes were sent|UDP port 51820|disabled or removed|another key"},
		"silent of late":  {func(f *Facts) { silent(f) }, Failed, "handshake", "any longer|30 s ago|is off|disabled"},
		"silent for long": {func(f *Facts) { silent(f).Status.Peers[0].LastHandshake = now.Add(-72 * time.Hour) }, Failed, "handshake", "3 days ago"},
		"no API":          {func(f *Facts) { silent(f).API.Heard = true }, Failed, "api", "i/o timeout|Does the daemon run there|TCP to port 51820"},
		"another's token": {func(f *Facts) { home(f).API = API{Asked: true, Err: wire.Errorf(401, "no")} }, Failed, "token", "does not take this machine for 10.42.1.1|new invitation"},
		"disabled":        {func(f *Facts) { home(f).API = API{Asked: true, Err: wire.Errorf(403, "peer 10.42.1.1 is disabled")} }, Failed, "standing", "is disabled|ginnel peer enable"},
		"not redeemed": {func(f *Facts) {
			home(f).API = API{Asked: true, Err: wire.Errorf(403, "the invitation is not redeemed yet")}
		}, Failed, "standing", "not redeemed|ginnel join"},
		"black hole": {func(f *Facts) { n := home(f); n.Net.MTU, n.API.BigErr = 1420, errors.New("no answer in time") }, Failed, "mtu", "1420 bytes, do not|option mtu '1280'"},
		"narrow": {func(f *Facts) {
			n := home(f)
			n.Net.MTU, n.API.BigErr, n.Endpoints[0].Route.MTU = 1420, errors.New("no answer in time"), 1400
		}, Failed, "mtu", "only 1340 fit through eth0|option mtu '1340'"},
		"cut in pieces": {func(f *Facts) { n := home(f); n.Net.MTU = 1420; n.Endpoints[0].Route.MTU = 1400 }, Warning, "mtu", "cut in pieces|option mtu '1340'"},
		"old map":       {func(f *Facts) { home(f).Status.LastContact = now.Add(-time.Hour) }, Warning, "contact", "60 min ago"},
		"no map":        {func(f *Facts) { home(f).Status.LastContact = time.Time{} }, Warning, "contact", "no map"},
		"peer away": {func(f *Facts) {
			p := &home(f).Status.Peers[1]
			p.Connected, p.Reach, p.Endpoints = false, local.ReachNone, wire.Endpoints{}
		}, Warning, "peers", "1 of 1|bob: the coordinator does not know where it is"},
		"two hard NATs": {func(f *Facts) {
			s := home(f).Status
			s.Self.Endpoints.Seen = netip.MustParseAddrPort("203.0.113.1:1024")
			p := &s.Peers[1]
			p.Connected, p.Reach = false, local.ReachNone
			p.Endpoints = wire.Endpoints{Seen: netip.MustParseAddrPort("203.0.113.2:2048"), Candidates: []netip.AddrPort{netip.MustParseAddrPort("192.168.1.2:51820")}}
		}, Warning, "peers", "bob: both machines are behind NATs"},
		"something else": {func(f *Facts) { home(f).Status.Problems = []string{"the hosts file cannot be written", "and more"} }, Warning, "reports", "hosts file|and more"},
	} {
		f := healthy()
		test.spoil(f)
		r := Examine(f)
		i := firstNotOK(r)
		if i < 0 {
			t.Errorf("%s: nothing is found", name)
			continue
		}
		first := r.Findings[i]
		text := first.Seen + " " + strings.Join(first.Advice, " ")
		for _, s := range strings.Split(test.says, "|") {
			if !strings.Contains(text, s) {
				t.Errorf("%s: %s says %q, not %q", name, first.Check, text, s)
			}
		}
		if first.Check != test.check || first.Verdict != test.verdict || r.Verdict != test.verdict {
			t.Errorf("%s: the first is %s, %s: %q; want %s, %s", name, first.Check, first.Verdict, first.Seen, test.check, test.verdict)
		}
		if !strings.Contains(r.Summary, first.Seen) {
			t.Errorf("%s: the summary is %q", name, r.Summary)
		}
		for _, later := range r.Findings[i+1:] {
			if later.Verdict == Failed {
				t.Errorf("%s: %s has failed as well: %q", name, later.Check, later.Seen)
			}
		}
	}
}

// firstNotOK is the first finding that failed or is a doubt; -1: there is none.
func firstNotOK(r *Report) int {
	for i, f := range r.Findings {
		if f.Verdict == Failed || f.Verdict == Warning {
			return i
		}
	}
	return -1
}

// TestBehaviour130Healthy: where nothing is wrong every check is in order, on a
// peer and on the coordinator.
func TestBehaviour130Healthy(t *testing.T) {
	for name, change := range map[string]func(*Facts){
		"peer":                                   func(*Facts) {},
		"coordinator":                            func(f *Facts) { coordinating(f) },
		"embedded":                               func(f *Facts) { home(f).Status.Backend, f.Machine.WireGuard = "userspace", platform.ModuleMissing },
		"a LAN":                                  func(f *Facts) { home(f).Config.AllowLAN, f.Machine.NoForward6 = true, true },
		"no LAN":                                 func(f *Facts) { f.Machine.NoForward4, f.Machine.NoForward6 = true, true },
		"old iptables":                           func(f *Facts) { f.Machine.LegacyFilter = true },
		"old iptables alone, of the coordinator": func(f *Facts) { coordinating(f); f.Machine.LegacyFilter, f.FiltersErr = true, platform.ErrUnsupported },
		"strict":                                 func(f *Facts) { f.Machine.Strict = []string{"eth0", "home"} },
		"the LAN's NAT": func(f *Facts) {
			f.Networks[0].Status.Peers[1].Endpoints.Candidates = []netip.AddrPort{netip.MustParseAddrPort("192.168.1.2:1")}
			f.Underlay[0].Prefix = netip.MustParsePrefix("192.168.1.2/24")
			f.Networks[0].Status.Self.Endpoints.Seen = netip.MustParseAddrPort("203.0.113.9:1")
		},
		"answers pass": func(f *Facts) {
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, chain("input", true, rule(accept, answers), rule(accept, from("home"))))}
		},
		"rules that are not what they seem": func(f *Facts) {
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, chain("input", true, rule(accept, udp, to(51819))))}
		},
		"containers": func(f *Facts) {
			docker := netip.MustParsePrefix("172.17.0.1/16")
			coordinating(f)
			f.Underlay = append(f.Underlay, platform.UnderlayAddress{Link: "docker0", Prefix: docker})
			home(f).Status.Peers[0].Endpoints.Candidates = []netip.AddrPort{netip.AddrPortFrom(docker.Addr(), 1)}
			f.Filters = []platform.FilterTable{table(platform.AnyFamily, chain("input", true, rule(accept, udp, from("eth0")), rule(accept, from("home"))))}
		},
		"other way": func(f *Facts) { // one of two endpoints
			old := netip.MustParseAddrPort("192.0.2.9:51820")
			home(f).Hosts = append(home(f).Hosts, Host{Name: "192.0.2.9", Port: 51820, Addrs: []netip.Addr{old.Addr()}})
			home(f).Endpoints = append(home(f).Endpoints, Endpoint{At: old, Echo: platform.EchoRefused})
		},
	} {
		f := healthy()
		change(f)
		r := Examine(f)
		for _, x := range r.Findings {
			if x.Verdict != OK {
				t.Errorf("%s: %s is %s: %q", name, x.Check, x.Verdict, x.Seen)
			}
		}
		if r.Verdict != OK || !strings.HasPrefix(r.Summary, "All is well") {
			t.Errorf("%s: %s %q", name, r.Verdict, r.Summary)
		}
	}
}

// TestOff: of a network that is switched off nothing else is said.
func TestOff(t *testing.T) {
	f := healthy()
	home(f).Config.Enabled = false
	r := Examine(f)
	last := r.Findings[len(r.Findings)-1]
	if last.Network != "home" || last.Check != "network" || last.Verdict != NotChecked || !strings.Contains(last.Advice[0], "ginnel up home") {
		t.Errorf("%+v", last)
	}
	if len(r.Findings) != len(machineChecks)+1 || r.Verdict != OK {
		t.Errorf("%+v", r)
	}
}

// TestTwoNetworks: the fault of one is none of the other's.
func TestTwoNetworks(t *testing.T) {
	f := healthy()
	job := healthy().Networks[0]
	job.Name, job.Root = "job", netip.MustParsePrefix("10.43.0.0/16")
	f.Networks = append(f.Networks, job)
	silent(f)
	for _, x := range Examine(f).Findings {
		if failed := x.Verdict == Failed; failed != (x.Network == "home" && x.Check == "handshake") {
			t.Errorf("%s of %s is %s: %q", x.Check, x.Network, x.Verdict, x.Seen)
		}
	}
}

// TestMorePeersThanFit: of many peers some are named.
func TestMorePeersThanFit(t *testing.T) {
	f := healthy()
	s := home(f).Status
	for i := range 20 {
		s.Peers = append(s.Peers, local.Peer{Member: wire.Member{Name: fmt.Sprint("p", i), Address: addr("10.42.2.1")}, Reach: local.ReachNone, LastHandshake: now.Add(-3 * time.Hour)})
	}
	s.Peers = append(s.Peers, local.Peer{Member: wire.Member{Name: "guest", Role: wire.RoleInvitee, Address: addr("10.42.3.1")}, Reach: local.ReachWaiting})
	r := Examine(f)
	x := r.Findings[firstNotOK(r)]
	if x.Check != "peers" || len(x.Advice) != shownPeers+1 || !strings.HasPrefix(x.Advice[shownPeers], "and 15 more") || !strings.HasPrefix(x.Seen, "20 of 21") {
		t.Errorf("%+v", x)
	}
}

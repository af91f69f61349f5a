package core

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ginnel/platform"
	"ginnel/wire"
)

func eps(s string) (list []netip.AddrPort) {
	for f := range strings.FieldsSeq(s) {
		list = append(list, netip.MustParseAddrPort(f))
	}
	return list
}

func TestCandidateOrder(t *testing.T) {
	const lan, other, pub = "192.168.1.9:51820", "172.16.0.9:51820", "192.0.2.9:51820"
	for name, c := range map[string]struct {
		own, first, written, seen, candidates string
		underlay                              string
		want                                  string
	}{
		"same NAT": {own: "203.0.113.1:1", seen: "203.0.113.1:2", candidates: other + " " + lan,
			want: lan + " " + other + " 203.0.113.1:2"},
		"different NATs": {own: "203.0.113.1:1", seen: "203.0.113.2:2", candidates: other + " " + lan + " " + pub,
			want: "203.0.113.2:2 " + pub + " " + lan + " " + other},
		"own Seen unknown": {seen: "203.0.113.2:2", candidates: other + " " + lan,
			want: lan + " 203.0.113.2:2 " + other},
		"member never seen": {own: "203.0.113.1:1", candidates: other + " " + lan,
			want: lan + " " + other},
		"configured or last first": {own: "203.0.113.1:1", first: "198.51.100.1:5", seen: "198.51.100.1:5", candidates: pub,
			want: "198.51.100.1:5 " + pub},
		"behaviour 76: written before all others, which stay": {own: "203.0.113.1:1", first: "192.0.2.8:1", written: "203.0.113.2:4000 192.0.2.7:5",
			seen: "203.0.113.2:2", candidates: lan, want: "192.0.2.8:1 203.0.113.2:4000 192.0.2.7:5 203.0.113.2:2 " + lan},
		"written of our own NAT comes last": {own: "203.0.113.1:1", written: "203.0.113.1:4000 192.0.2.7:5", seen: "203.0.113.1:2", candidates: lan,
			want: "192.0.2.7:5 " + lan + " 203.0.113.1:2 203.0.113.1:4000"},
		"unusable though written": {own: "203.0.113.1:1", written: "203.0.113.1:1 127.0.0.1:1 10.9.3.3:1 192.168.1.3:51820"},
		"nothing known":           {},
		"unusable": {own: "203.0.113.1:1", seen: "203.0.113.1:1", // our own
			candidates: "192.168.1.3:51820 127.0.0.1:1 224.0.0.1:1 0.0.0.0:1 192.0.2.1:0 10.9.3.3:1 [fe80::1]:1 [::1]:1 255.255.255.255:1"},
		"own address, another's port": {candidates: "192.168.1.3:51821", want: "192.168.1.3:51821"},
		"mapped":                      {candidates: "[::ffff:192.0.2.9]:51820 " + pub, want: pub},
		"family we lack comes last":   {candidates: "[2001:db8::9]:1 " + pub, want: pub + " [2001:db8::9]:1"},
		"both families": {underlay: "2001:db8::3/64", candidates: "[2001:db8::9]:1 " + lan,
			want: "[2001:db8::9]:1 " + lan},
		"shared address space is not public": {own: "203.0.113.1:1", seen: "203.0.113.2:2", candidates: "100.64.0.9:1 " + pub,
			want: "203.0.113.2:2 " + pub + " 100.64.0.9:1"},
	} {
		t.Run(name, func(t *testing.T) {
			v := vantage{port: 51820, root: netip.MustParsePrefix("10.9.0.0/16")}
			for f := range strings.FieldsSeq("192.168.1.3/24 " + c.underlay) {
				v.underlay = append(v.underlay, platform.UnderlayAddress{Link: "eth0", Prefix: netip.MustParsePrefix(f)})
			}
			e := wire.Endpoints{Candidates: eps(c.candidates)}
			if c.own != "" {
				v.seen = netip.MustParseAddrPort(c.own)
			}
			if c.seen != "" {
				e.Seen = netip.MustParseAddrPort(c.seen)
			}
			if got := v.order(eps(c.first), eps(c.written), e); !slices.Equal(got, eps(c.want)) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestOwnCandidatesAreBounded(t *testing.T) {
	v := vantage{port: 7, root: netip.MustParsePrefix("10.9.0.0/16")}
	for i := range 20 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 24)
		v.underlay = append(v.underlay, platform.UnderlayAddress{Prefix: p}, platform.UnderlayAddress{Prefix: p})
	}
	got := v.ownCandidates(nil)
	if len(got) != wire.MaxCandidates || got[0] != netip.MustParseAddrPort("192.0.2.0:7") {
		t.Errorf("got %v", got)
	}
	if err := (&wire.Report{Candidates: got}).Check(); err != nil {
		t.Error(err)
	}
}

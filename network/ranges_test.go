package network

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// TestRangesAgainstAddresses compares sets of prefixes with sets of addresses,
// at the low and the high end of both families.
func TestRangesAgainstAddresses(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	for _, root := range []string{"0.0.0.0/27", "255.255.255.224/27", "fd42::/123", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffe0/123"} {
		for range 300 {
			a, b := randomSet(r, netip.MustParsePrefix(root)), randomSet(r, netip.MustParsePrefix(root))
			inA, inB := addresses(a), addresses(b)
			for _, c := range []struct {
				what string
				got  []netip.Prefix
				want func(netip.Addr) bool
			}{
				{"union", union(slices.Concat(a, b)), func(x netip.Addr) bool { return inA[x] || inB[x] }},
				{"subtract", subtract(a, b), func(x netip.Addr) bool { return inA[x] && !inB[x] }},
				{"intersect", intersect(a, b), func(x netip.Addr) bool { return inA[x] && inB[x] }},
			} {
				got := addresses(c.got)
				for x := netip.MustParsePrefix(root).Addr(); netip.MustParsePrefix(root).Contains(x); x = x.Next() {
					if got[x] != c.want(x) {
						t.Fatalf("seed %d: %s of %v and %v is %v, wrong at %v", seed, c.what, a, b, c.got, x)
					}
				}
				if !slices.Equal(union(slices.Clone(c.got)), c.got) {
					t.Fatalf("seed %d: %s of %v and %v is %v: not sorted, disjoint and aggregated", seed, c.what, a, b, c.got)
				}
			}
		}
	}
}

func randomSet(r *rand.Rand, root netip.Prefix) []netip.Prefix {
	var ps []netip.Prefix
	for range r.IntN(8) {
		a := root.Addr()
		for range r.IntN(32) {
			a = a.Next()
		}
		ps = append(ps, netip.PrefixFrom(a, root.Bits()+r.IntN(6)).Masked())
	}
	return union(ps)
}

func addresses(ps []netip.Prefix) map[netip.Addr]bool {
	in := map[netip.Addr]bool{}
	for _, p := range ps {
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			in[a] = true
		}
	}
	return in
}

func TestUnionAggregates(t *testing.T) {
	set := func(s ...string) (ps []netip.Prefix) {
		for _, p := range s {
			ps = append(ps, netip.MustParsePrefix(p))
		}
		return ps
	}
	for _, c := range []struct{ in, want []netip.Prefix }{
		{nil, nil},
		{set("128.0.0.0/1", "0.0.0.0/1"), set("0.0.0.0/0")},
		{set("8000::/1", "::/1", "::/0"), set("::/0")},
		{set("10.0.0.1/32", "10.0.0.2/32"), set("10.0.0.1/32", "10.0.0.2/32")},
		{set("10.0.0.3/32", "10.0.0.2/32", "10.0.0.0/31", "10.0.0.4/30"), set("10.0.0.0/29")},
		{set("10.0.0.9/32", "10.0.0.0/8", "10.0.0.9/32"), set("10.0.0.0/8")},
		{set("0.0.0.0/0", "::/0"), set("0.0.0.0/0", "::/0")},
	} {
		if got := union(slices.Clone(c.in)); !slices.Equal(got, c.want) {
			t.Errorf("union of %v is %v, want %v", c.in, got, c.want)
		}
	}
}

func TestLastAddr(t *testing.T) {
	for p, want := range map[string]string{
		"0.0.0.0/0": "255.255.255.255", "10.0.0.0/25": "10.0.0.127", "10.0.0.1/32": "10.0.0.1",
		"::/0": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fd42::/65": "fd42::7fff:ffff:ffff:ffff",
	} {
		if got := LastAddr(netip.MustParsePrefix(p)); got != netip.MustParseAddr(want) {
			t.Errorf("the last of %s is %v, want %s", p, got, want)
		}
	}
}

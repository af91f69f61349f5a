package doctor

import (
	"slices"
	"strings"

	"ginnel/platform"
)

// Protocols of IP.
const (
	protocolTCP = 6
	protocolUDP = 17
)

// packet is one that should get through the machine's own rules.
type packet struct {
	hook     platform.FilterHook
	family   platform.Family
	link     string // that it arrives by, or leaves by
	protocol uint32
	source   uint16 // port; 0: any
	port     uint16 // destination; 0: any
	state    uint32 // platform.StateNew, or StateEstablished
}

// fate is a set of what may become of a packet.
type fate uint8

const (
	accepted fate = 1 << iota
	refused
	undecided // by this chain
)

// barrier is a chain that drops a packet for certain.
type barrier struct {
	table *platform.FilterTable
	chain *platform.FilterChain
}

// barred returns the first chain that drops p for certain; nil: none is known
// to.
func barred(tables []platform.FilterTable, p *packet) *barrier {
	for i := range tables {
		t := &tables[i]
		if t.Family != platform.AnyFamily && t.Family != p.family {
			continue
		}
		for j := range t.Chains {
			c := &t.Chains[j]
			if c.Hook == p.hook && base(t, c, p) == refused {
				return &barrier{t, c}
			}
		}
	}
	return nil
}

// base is what a chain with a hook does with a packet.
func base(t *platform.FilterTable, c *platform.FilterChain, p *packet) fate {
	f := walk(t, c, p, 0)
	if f&undecided != 0 {
		f &^= undecided
		if c.Drops {
			return f | refused
		}
		return f | accepted
	}
	return f
}

// deepest is how far chains may jump, as in the kernel.
const deepest = 16

// walk goes through a chain. Rules that may or may not hold make the answer a
// larger set.
func walk(t *platform.FilterTable, c *platform.FilterChain, p *packet, depth int) (f fate) {
	if depth > deepest {
		return accepted | refused | undecided
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		holds, perhaps := p.meets(r)
		if !holds && !perhaps || r.Verdict == platform.FilterContinue {
			continue
		}
		does, ends := act(t, r, p, depth)
		f |= does &^ undecided
		if does&undecided != 0 && ends {
			f |= undecided
		}
		if holds && (does&undecided == 0 || ends) {
			return f
		}
	}
	return f | undecided
}

// act is what a rule that holds does; ends tells that what it leaves undecided
// is not for the next rule.
func act(t *platform.FilterTable, r *platform.FilterRule, p *packet, depth int) (f fate, ends bool) {
	switch r.Verdict {
	case platform.FilterAccept:
		return accepted, true
	case platform.FilterDrop:
		return refused, true
	case platform.FilterReturn:
		return undecided, true
	case platform.FilterJump, platform.FilterGoto:
		for i := range t.Chains {
			if c := &t.Chains[i]; c.Name == r.Chain {
				return walk(t, c, p, depth+1), r.Verdict == platform.FilterGoto
			}
		}
	}
	return accepted | refused | undecided, false
}

// meets tells whether a packet meets all of a rule's conditions, or perhaps
// does.
func (p *packet) meets(r *platform.FilterRule) (holds, perhaps bool) {
	holds = true
	for i := range r.Conditions {
		yes, known := p.has(&r.Conditions[i])
		switch {
		case !known:
			holds, perhaps = false, true
		case !yes:
			return false, false
		}
	}
	return holds, perhaps && !holds
}

// has tells whether a condition holds, where that is known.
func (p *packet) has(c *platform.FilterCondition) (yes, known bool) {
	number := uint32(0)
	switch c.Field {
	case platform.FieldInLink, platform.FieldOutLink:
		if (c.Field == platform.FieldInLink) != (p.hook == platform.HookInput) {
			return false, true // such a packet has none
		}
		return slices.ContainsFunc(c.Links, p.by) != c.Not, p.link != ""
	case platform.FieldFamily:
		number = uint32(p.family)
	case platform.FieldProtocol:
		number = p.protocol
	case platform.FieldSourcePort:
		number = uint32(p.source)
	case platform.FieldDestinationPort:
		number = uint32(p.port)
	case platform.FieldState:
		return slices.ContainsFunc(c.Ranges, func(r [2]uint32) bool { return r[0]&p.state != 0 }) != c.Not, true
	default:
		return false, false
	}
	in := slices.ContainsFunc(c.Ranges, func(r [2]uint32) bool { return r[0] <= number && number <= r[1] })
	anyPort := number == 0 && !slices.ContainsFunc(c.Ranges, func(r [2]uint32) bool { return r[0] == 0 && r[1] >= 65535 })
	return in != c.Not, !anyPort
}

// by tells whether the packet's link has a name.
func (p *packet) by(name string) bool {
	start, pattern := strings.CutSuffix(name, "*")
	return p.link == name || pattern && strings.HasPrefix(p.link, start)
}

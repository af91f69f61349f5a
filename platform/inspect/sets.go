package inspect

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// lookup reads "field in set", and a map of verdicts.
func (d *decoder) lookup(a *attributes) {
	const inverted = 1 // NFT_LOOKUP_F_INV
	f := d.at(a[unix.NFTA_LOOKUP_SREG]).field
	elements, known := d.r.set(d.family, d.table, text(a[unix.NFTA_LOOKUP_SET]))
	to := a[unix.NFTA_LOOKUP_DREG]
	maps := to != nil
	if maps && big(to) != unix.NFT_REG_VERDICT {
		d.load(to, platform.FieldUnclear)
		return
	}
	if !known || f == platform.FieldUnclear {
		d.unclear()
		if maps {
			d.rule.Verdict = platform.FilterUnclear
		}
		return
	}
	if maps {
		d.choose(f, elements)
		return
	}
	all := platform.FilterCondition{Field: f, Not: big(a[unix.NFTA_LOOKUP_FLAGS])&inverted != 0}
	for _, c := range conditions(f, elements) {
		if c.Field == platform.FieldUnclear {
			all = c
			break
		}
		all.Links = append(all.Links, c.Links...)
		all.Ranges = append(all.Ranges, c.Ranges...)
	}
	d.want(all)
}

// choose makes a rule of each element of a map of verdicts. What is in none of
// them goes on behind it.
func (d *decoder) choose(f platform.FilterField, elements []element) {
	for i, c := range conditions(f, elements) {
		if elements[i].end {
			continue
		}
		d.cases = append(d.cases, platform.FilterRule{
			Conditions: append(slices.Clone(d.rule.Conditions), c),
			Verdict:    elements[i].rule, Chain: elements[i].chain,
		})
	}
}

// conditions makes one condition of each element; that of a range's end holds
// for nothing. Elements are sorted, so a range's end is behind its beginning.
func conditions(f platform.FilterField, elements []element) []platform.FilterCondition {
	list := make([]platform.FilterCondition, len(elements))
	for i, e := range elements {
		c, ok := condition(f, e.key)
		switch {
		case !ok:
			c = platform.FilterCondition{}
		case e.end && len(c.Ranges) > 0:
			if i > 0 && len(list[i-1].Ranges) > 0 {
				list[i-1].Ranges[0][1] = c.Ranges[0][0] - 1
			}
			c.Ranges = nil
		}
		list[i] = c
	}
	return list
}

// match reads the matches of iptables that its newer version leaves in
// nftables' rules as they are.
func (d *decoder) match(name string, info []byte) {
	switch {
	case name == "comment":
	case (name == "udp" || name == "tcp") && len(info) >= 9:
		d.ports(info)
	case name == "conntrack" && len(info) >= 152:
		d.conntrack(info)
	default:
		d.unclear()
	}
}

// ports reads a struct xt_udp or xt_tcp (linux/netfilter/xt_tcpudp.h), as far
// as it has ports and no negation.
func (d *decoder) ports(info []byte) {
	at := func(i int) uint32 { return uint32(binary.NativeEndian.Uint16(info[i:])) }
	if slices.ContainsFunc(info[8:], func(b byte) bool { return b != 0 }) {
		d.unclear() // TCP's flags, or negations
		return
	}
	d.want(platform.FilterCondition{Field: platform.FieldSourcePort, Ranges: [][2]uint32{{at(0), at(2)}}})
	d.want(platform.FilterCondition{Field: platform.FieldDestinationPort, Ranges: [][2]uint32{{at(4), at(6)}}})
}

// conntrack reads a struct xt_conntrack_mtinfo2 or 3
// (linux/netfilter/xt_conntrack.h) that asks for states and nothing else.
func (d *decoder) conntrack(info []byte) {
	const (
		flags, inverted, states = 146, 148, 150
		onlyState, alias        = 1, 1 << 13
	)
	at := func(i int) uint32 { return uint32(binary.NativeEndian.Uint16(info[i:])) }
	if at(flags)&^alias != onlyState {
		d.unclear()
		return
	}
	d.want(platform.FilterCondition{Field: platform.FieldState, Not: at(inverted)&onlyState != 0, Ranges: [][2]uint32{{at(states), at(states)}}})
}

// target reads what iptables does with a packet, where that is a verdict.
func (d *decoder) target(name string) {
	switch name {
	case "REJECT":
		d.rule.Verdict = platform.FilterDrop
	case "LOG", "NFLOG", "MARK", "CONNMARK", "TCPMSS", "CT":
	default:
		d.rule.Verdict = platform.FilterUnclear
	}
}

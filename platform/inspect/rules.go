package inspect

import (
	"bytes"
	"math"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/netlink"
)

// decoder reads the expressions of one rule, one after the other, and keeps
// what is in the registers.
type decoder struct {
	r         *reader
	family    uint8
	table     string
	registers [32]register // by their numbers (enum nft_registers)
	rule      platform.FilterRule
	cases     []platform.FilterRule // of a map of verdicts, each with the rule's conditions
}

// decode makes a rule of its expressions; several of a map of verdicts.
func (r *reader) decode(family uint8, table string, expressions []byte) []platform.FilterRule {
	d := &decoder{r: r, family: family, table: table}
	_ = netlink.Each(expressions, func(e netlink.Attribute) {
		a := parse(e.Value)
		d.expression(text(a[unix.NFTA_EXPR_NAME]), parse(a[unix.NFTA_EXPR_DATA]))
	})
	return append(d.cases, d.rule)
}

// expression takes in one expression. What only counts or logs is passed over;
// what is not known may be a condition.
func (d *decoder) expression(name string, a *attributes) {
	switch name {
	case "meta":
		d.load(a[unix.NFTA_META_DREG], metaField(big(a[unix.NFTA_META_KEY])))
	case "payload":
		d.load(a[unix.NFTA_PAYLOAD_DREG], payloadField(d.family, big(a[unix.NFTA_PAYLOAD_BASE]), big(a[unix.NFTA_PAYLOAD_OFFSET]), big(a[unix.NFTA_PAYLOAD_LEN])))
	case "ct":
		d.load(a[unix.NFTA_CT_DREG], ctField(big(a[unix.NFTA_CT_KEY])))
	case "bitwise":
		d.bitwise(a)
	case "cmp":
		d.compare(d.at(a[unix.NFTA_CMP_SREG]), big(a[unix.NFTA_CMP_OP]), value(a[unix.NFTA_CMP_DATA]))
	case "range":
		d.between(a)
	case "lookup":
		d.lookup(a)
	case "immediate":
		d.immediate(a)
	case "match":
		d.match(text(a[unix.NFTA_MATCH_NAME]), a[unix.NFTA_MATCH_INFO])
	case "target":
		d.target(text(a[unix.NFTA_TARGET_NAME]))
	case "reject":
		d.rule.Verdict = platform.FilterDrop
	case "counter", "log", "notrack":
	default:
		d.unclear()
	}
}

func metaField(key uint32) platform.FilterField {
	switch key {
	case unix.NFT_META_IIFNAME, unix.NFT_META_IIF:
		return platform.FieldInLink
	case unix.NFT_META_OIFNAME, unix.NFT_META_OIF:
		return platform.FieldOutLink
	case unix.NFT_META_NFPROTO:
		return platform.FieldFamily
	case unix.NFT_META_L4PROTO:
		return platform.FieldProtocol
	}
	return platform.FieldUnclear
}

// payloadField knows the ports, and the protocol in the header of a table's
// only family.
func payloadField(family uint8, base, offset, length uint32) platform.FilterField {
	switch [3]uint32{base, offset, length} {
	case [3]uint32{unix.NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2}:
		return platform.FieldSourcePort
	case [3]uint32{unix.NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2}:
		return platform.FieldDestinationPort
	case [3]uint32{unix.NFT_PAYLOAD_NETWORK_HEADER, 9, 1}:
		if platform.Family(family) == platform.IPv4 {
			return platform.FieldProtocol
		}
	case [3]uint32{unix.NFT_PAYLOAD_NETWORK_HEADER, 6, 1}:
		if platform.Family(family) == platform.IPv6 {
			return platform.FieldProtocol
		}
	}
	return platform.FieldUnclear
}

func ctField(key uint32) platform.FilterField {
	if key == unix.NFT_CT_STATE {
		return platform.FieldState
	}
	return platform.FieldUnclear
}

// register is what an expression has left for a later one.
type register struct {
	field platform.FilterField
	mask  uint32 // of the state: the bits that count; 0: all
}

// at returns the register that an attribute names.
func (d *decoder) at(number []byte) *register {
	return &d.registers[big(number)%uint32(len(d.registers))]
}

// load notes what is in a register. An expression without one writes something
// elsewhere, such as a mark: no condition.
func (d *decoder) load(to []byte, f platform.FilterField) {
	if to != nil {
		*d.at(to) = register{field: f}
	}
}

// bitwise keeps the mask of a state, and knows nothing of others.
func (d *decoder) bitwise(a *attributes) {
	from, to := d.at(a[unix.NFTA_BITWISE_SREG]), d.at(a[unix.NFTA_BITWISE_DREG])
	if from.field == platform.FieldState {
		*to = register{platform.FieldState, native(value(a[unix.NFTA_BITWISE_MASK]))}
		return
	}
	*to = register{}
}

func (d *decoder) want(c platform.FilterCondition) { d.rule.Conditions = append(d.rule.Conditions, c) }

func (d *decoder) unclear() { d.want(platform.FilterCondition{}) }

// compare adds the condition that a register has, or has not, to the data.
func (d *decoder) compare(r *register, op uint32, data []byte) {
	if r.field == platform.FieldState {
		d.compareState(op, r.mask, data)
		return
	}
	c, ok := condition(r.field, data)
	if !ok {
		d.unclear()
		return
	}
	switch op {
	case unix.NFT_CMP_EQ:
	case unix.NFT_CMP_NEQ:
		c.Not = true
	default:
		if len(c.Ranges) == 0 || !open(&c.Ranges[0], op) {
			c = platform.FilterCondition{}
		}
	}
	d.want(c)
}

// open makes a comparison of the one value.
func open(r *[2]uint32, op uint32) bool {
	switch {
	case op == unix.NFT_CMP_LTE:
		r[0] = 0
	case op == unix.NFT_CMP_GTE:
		r[1] = math.MaxUint32
	case op == unix.NFT_CMP_LT && r[0] > 0:
		r[0], r[1] = 0, r[0]-1
	case op == unix.NFT_CMP_GT && r[0] < math.MaxUint32:
		r[0], r[1] = r[0]+1, math.MaxUint32
	default:
		return false
	}
	return true
}

// compareState reads "state & mask != 0", and "state == one".
func (d *decoder) compareState(op, mask uint32, data []byte) {
	n := native(data)
	switch {
	case mask != 0 && n == 0:
		d.want(platform.FilterCondition{Field: platform.FieldState, Not: op == unix.NFT_CMP_EQ, Ranges: [][2]uint32{{mask, mask}}})
	case mask == 0 && n != 0:
		d.want(platform.FilterCondition{Field: platform.FieldState, Not: op == unix.NFT_CMP_NEQ, Ranges: [][2]uint32{{n, n}}})
	default:
		d.unclear()
	}
}

// condition wants a field to have one value; false where it is not known how to
// read it.
func condition(f platform.FilterField, data []byte) (c platform.FilterCondition, ok bool) {
	c.Field = f
	n := uint32(0)
	switch f {
	case platform.FieldInLink, platform.FieldOutLink:
		if len(data) == 4 && (data[0] == 0 || data[3] == 0) { // an index, in either byte order
			data = append([]byte(linkName(native(data))), 0)
		}
		name, _, whole := bytes.Cut(data, []byte{0})
		if c.Links = []string{string(name)}; !whole {
			c.Links[0] += "*"
		}
		return c, len(name) > 0
	case platform.FieldFamily, platform.FieldProtocol:
		ok, n = len(data) == 1, big(data)
	case platform.FieldSourcePort, platform.FieldDestinationPort:
		ok, n = len(data) == 2, big(data)
	case platform.FieldState:
		ok, n = len(data) == 4, native(data)
	}
	c.Ranges = [][2]uint32{{n, n}}
	return c, ok
}

// between reads a range of ports.
func (d *decoder) between(a *attributes) {
	f := d.at(a[unix.NFTA_RANGE_SREG]).field
	from, ok := condition(f, value(a[unix.NFTA_RANGE_FROM_DATA]))
	to, ok2 := condition(f, value(a[unix.NFTA_RANGE_TO_DATA]))
	if !ok || !ok2 || len(from.Ranges) == 0 {
		d.unclear()
		return
	}
	from.Ranges[0][1] = to.Ranges[0][0]
	from.Not = big(a[unix.NFTA_RANGE_OP]) == unix.NFT_CMP_NEQ
	d.want(from)
}

// immediate reads the verdict.
func (d *decoder) immediate(a *attributes) {
	if big(a[unix.NFTA_IMMEDIATE_DREG]) != unix.NFT_REG_VERDICT {
		d.load(a[unix.NFTA_IMMEDIATE_DREG], platform.FieldUnclear)
		return
	}
	d.rule.Verdict, d.rule.Chain = verdictOf(a[unix.NFTA_IMMEDIATE_DATA])
}

package netlab

import (
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Offsets in the IPv4 header, and in the UDP header.
const (
	sourceAddr4 = 12

	sourcePort      = 0
	destinationPort = 2
)

// chain adds a base chain that accepts what no rule decides.
func (rs ruleset) chain(t *nftables.Table, name string, kind nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority) *nftables.Chain {
	return rs.c.AddChain(&nftables.Chain{Table: t, Name: name, Type: kind, Hooknum: hook, Priority: priority})
}

// rule adds a rule made of parts: conditions, then what to do.
func (rs ruleset) rule(chain *nftables.Chain, parts ...[]expr.Any) {
	rs.c.AddRule(&nftables.Rule{Table: chain.Table, Chain: chain, Exprs: slices.Concat(parts...)})
}

func accept() []expr.Any { return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}} }

func isLink(key expr.MetaKey, name string) []expr.Any  { return link(key, expr.CmpOpEq, name) }
func notLink(key expr.MetaKey, name string) []expr.Any { return link(key, expr.CmpOpNeq, name) }

// link compares the link that a packet arrived by, or leaves by.
func link(key expr.MetaKey, op expr.CmpOp, name string) []expr.Any {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, name)
	return []expr.Any{&expr.Meta{Key: key, Register: reg1}, &expr.Cmp{Op: op, Register: reg1, Data: padded}}
}

// protocol matches packets of an IP protocol.
func protocol(number byte) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: []byte{number}},
	}
}

// udpPort matches UDP and loads one of the ports.
func udpPort(register, offset uint32) []expr.Any {
	return append(protocol(unix.IPPROTO_UDP),
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2})
}

// sourceIsLocal matches packets from one of the machine's own addresses.
func sourceIsLocal() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: reg1, FlagSADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)},
	}
}

// stateIs matches packets of connections in one of the states.
func stateIs(states uint32) []expr.Any { return ctHas(expr.CtKeySTATE, states) }

// destinationTranslated matches packets of connections that dnat applies to.
func destinationTranslated() []expr.Any {
	const ipsDstNAT = 1 << 5 // IPS_DST_NAT, linux/netfilter/nf_conntrack_common.h
	return ctHas(expr.CtKeySTATUS, ipsDstNAT)
}

// ctHas matches packets whose connection has one of the bits.
func ctHas(key expr.CtKey, bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: key, Register: reg1},
		&expr.Bitwise{SourceRegister: reg1, DestRegister: reg1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg1, Data: make([]byte, 4)},
	}
}

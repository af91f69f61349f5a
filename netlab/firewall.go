package netlab

import (
	"encoding/binary"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// hostTable is where a host's own rules are.
var hostTable = &nftables.Table{Name: "host", Family: nftables.TableFamilyINet}

// Firewall gives the host the firewall that many servers have: what comes in
// must be an answer, ICMP, or for one of the open UDP ports; all else is
// dropped by the chain's policy. It replaces what an earlier call made.
func (h *Host) Firewall(open ...uint16) {
	h.w.t.Helper()
	h.w.must(h.nft(func(rs ruleset) error {
		rs.c.AddTable(hostTable)
		rs.c.FlushTable(hostTable)
		drop := nftables.ChainPolicyDrop
		input := rs.c.AddChain(&nftables.Chain{Table: hostTable, Name: "input", Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter, Policy: &drop})
		rs.rule(input, isLink(expr.MetaKeyIIFNAME, "lo"), accept())
		rs.rule(input, stateIs(expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED), accept())
		rs.rule(input, protocol(unix.IPPROTO_ICMP), accept())
		rs.rule(input, protocol(unix.IPPROTO_ICMPV6), accept())
		for _, port := range open {
			rs.rule(input, udpPort(reg1, destinationPort), isPort(port), accept())
		}
		return nil
	}), "%s: firewall", h.name)
}

// DropUDP drops what the host sends to a UDP port, wherever that is, and what
// comes to that port of its own.
func (h *Host) DropUDP(port uint16) {
	h.w.t.Helper()
	h.w.must(h.nft(func(rs ruleset) error {
		rs.c.AddTable(hostTable)
		for name, hook := range map[string]*nftables.ChainHook{"input": nftables.ChainHookInput, "output": nftables.ChainHookOutput} {
			chain := rs.chain(hostTable, name, nftables.ChainTypeFilter, hook, nftables.ChainPriorityFilter)
			rs.rule(chain, udpPort(reg1, destinationPort), isPort(port), []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}})
		}
		return nil
	}), "%s: drop UDP to port %d", h.name, port)
}

// DropTCPOf drops what the host's programs of one user send over TCP.
func (h *Host) DropTCPOf(uid uint32) {
	h.w.t.Helper()
	h.w.must(h.nft(func(rs ruleset) error {
		rs.c.AddTable(hostTable)
		output := rs.chain(hostTable, "output", nftables.ChainTypeFilter, nftables.ChainHookOutput, nftables.ChainPriorityFilter)
		rs.rule(output, protocol(unix.IPPROTO_TCP), []expr.Any{
			&expr.Meta{Key: expr.MetaKeySKUID, Register: reg1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: binary.NativeEndian.AppendUint32(nil, uid)},
			&expr.Verdict{Kind: expr.VerdictDrop},
		})
		return nil
	}), "%s: drop TCP of user %d", h.name, uid)
}

// isPort matches when the port in the first register is this one.
func isPort(port uint16) []expr.Any {
	return []expr.Any{&expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: binary.BigEndian.AppendUint16(nil, port)}}
}

// DropTooBig drops what the host says of packets that do not fit, so that
// nobody learns how wide the way is: what firewalls do that drop all ICMP.
func (h *Host) DropTooBig() {
	h.w.t.Helper()
	h.w.must(h.nft(func(rs ruleset) error {
		rs.c.AddTable(hostTable)
		output := rs.chain(hostTable, "output", nftables.ChainTypeFilter, nftables.ChainHookOutput, nftables.ChainPriorityFilter)
		for _, message := range [][]byte{{unix.IPPROTO_ICMP, 3, 4}, {unix.IPPROTO_ICMPV6, 2, 0}} { // RFC 792 and 1191, RFC 4443
			rs.rule(output, protocol(message[0]), []expr.Any{
				&expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 2},
				&expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: message[1:]},
				&expr.Verdict{Kind: expr.VerdictDrop},
			})
		}
		return nil
	}), "%s: drop news of packets that are too big", h.name)
}

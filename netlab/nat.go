package netlab

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// The router's rules, one table for IPv4 translation and one for filtering:
//
//	table ip nat
//	  map wan_addr { udp : WAN address }
//	  map cone_addr { udp port : inside address }   FullCone: filled by postrouting
//	  map cone_port { udp port : inside port }
//	  prerouting:  eth0, in forward_addr: dnat; eth0, in cone_addr: dnat
//	  postrouting: not to eth0, the router's own: accept; udp: fixed port function; masquerade
//	table inet filter
//	  input:   not from eth0: accept; established; IPv6 control; in open: accept; drop
//	  forward: not from eth0: accept; established; translated by prerouting: accept; drop
//
// The fixed port function needs the WAN address by name, because the library
// does not encode masquerading to a port (it leaves out
// NF_NAT_RANGE_PROTO_SPECIFIED).
const (
	wanName = "eth0"

	setOpen        = "open"
	mapWANAddr     = "wan_addr"
	mapConeAddr    = "cone_addr"
	mapConePort    = "cone_port"
	mapForwardAddr = "forward_addr"
	mapForwardPort = "forward_port"
)

// Registers of nftables, 16 bytes each.
const (
	reg1 = unix.NFT_REG_1
	reg2 = unix.NFT_REG_2
	reg3 = unix.NFT_REG_3
	reg4 = unix.NFT_REG_4
)

var (
	natTable    = &nftables.Table{Name: "nat", Family: nftables.TableFamilyIPv4}
	filterTable = &nftables.Table{Name: "filter", Family: nftables.TableFamilyINet}
)

// ruleset collects one transaction.
type ruleset struct{ c *nftables.Conn }

// nft runs f, and then applies what it collected.
func (h *Host) nft(f func(ruleset) error) error {
	c, err := nftables.New(nftables.WithNetNSFd(int(h.ns.net.Fd())))
	if err != nil {
		return fmt.Errorf("connect to nftables: %w", err)
	}
	if err := f(ruleset{c}); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("apply rules: %w", err)
	}
	return nil
}

// firewall makes both tables.
func (r *Router) firewall() error {
	return r.nft(func(rs ruleset) error {
		if err := rs.filter(); err != nil {
			return err
		}
		if r.nat == Routed {
			return nil
		}
		return rs.translation(r.nat)
	})
}

// filter drops what comes from the WAN unasked.
func (rs ruleset) filter() error {
	rs.c.AddTable(filterTable)
	open := &nftables.Set{Table: filterTable, Name: setOpen, KeyType: nftables.TypeInetService}
	if err := rs.c.AddSet(open, nil); err != nil {
		return fmt.Errorf("make set %s: %w", setOpen, err)
	}
	input := rs.chain(filterTable, "input", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter)
	forward := rs.chain(filterTable, "forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	for _, chain := range []*nftables.Chain{input, forward} {
		rs.rule(chain, notLink(expr.MetaKeyIIFNAME, wanName), accept())
		rs.rule(chain, stateIs(expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED), accept())
	}
	rs.rule(input, protocol(unix.IPPROTO_ICMPV6), accept()) // neighbour discovery
	rs.rule(input, udpPort(reg1, destinationPort), []expr.Any{&expr.Lookup{SourceRegister: reg1, SetName: setOpen}}, accept())
	rs.rule(forward, destinationTranslated(), accept())
	for _, chain := range []*nftables.Chain{input, forward} {
		rs.rule(chain, []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}})
	}
	return nil
}

// translation is the NAT.
func (rs ruleset) translation(kind NAT) error {
	rs.c.AddTable(natTable)
	for _, name := range []string{mapWANAddr, mapForwardAddr, mapForwardPort, mapConeAddr, mapConePort} {
		if err := rs.c.AddSet(natMap(name), nil); err != nil {
			return fmt.Errorf("make map %s: %w", name, err)
		}
	}
	pre := rs.chain(natTable, "prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest)
	rs.rule(pre, isLink(expr.MetaKeyIIFNAME, wanName), udpPort(reg1, destinationPort), translateTo(mapForwardAddr, mapForwardPort))
	if kind == FullCone {
		rs.rule(pre, isLink(expr.MetaKeyIIFNAME, wanName), udpPort(reg1, destinationPort), translateTo(mapConeAddr, mapConePort))
	}
	post := rs.chain(natTable, "postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	rs.rule(post, notLink(expr.MetaKeyOIFNAME, wanName), accept())
	rs.rule(post, sourceIsLocal(), accept())
	if kind != Symmetric {
		for digit := range uint32(16) {
			rs.rule(post, fixedPort(digit, kind == FullCone))
		}
	}
	rs.rule(post, []expr.Any{&expr.Masq{FullyRandom: kind == Symmetric}})
	return nil
}

// fixedPort translates the UDP ports of inside addresses whose last hexadecimal
// digit is the one given: see PortRestricted. With cone it notes, by outside
// port, which inside address and port have it.
func fixedPort(digit uint32, cone bool) []expr.Any {
	change := binaryutil.BigEndian.PutUint16(uint16(digit) << 12)
	rule := append(protocol(unix.IPPROTO_UDP), // leaves the protocol in reg1
		&expr.Lookup{SourceRegister: reg1, DestRegister: reg4, IsDestRegSet: true, SetName: mapWANAddr},
		&expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseNetworkHeader, Offset: sourceAddr4, Len: 4},
		&expr.Bitwise{SourceRegister: reg1, DestRegister: reg2, Len: 4, Mask: binaryutil.BigEndian.PutUint32(15), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg2, Data: binaryutil.BigEndian.PutUint32(digit)},
		&expr.Payload{DestRegister: reg2, Base: expr.PayloadBaseTransportHeader, Offset: sourcePort, Len: 2},
		&expr.Bitwise{SourceRegister: reg2, DestRegister: reg3, Len: 2, Mask: []byte{0xff, 0xff}, Xor: change},
	)
	if cone {
		rule = append(rule,
			&expr.Dynset{SrcRegKey: reg3, SrcRegData: reg1, SetName: mapConeAddr, Operation: unix.NFT_DYNSET_OP_ADD},
			&expr.Dynset{SrcRegKey: reg3, SrcRegData: reg2, SetName: mapConePort, Operation: unix.NFT_DYNSET_OP_ADD})
	}
	return append(rule, &expr.NAT{Type: expr.NATTypeSourceNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg4, RegProtoMin: reg3, Specified: true})
}

// translateTo sends a packet whose outside port is in reg1 to what the maps say;
// if they say nothing, the rule does not apply.
func translateTo(addrs, ports string) []expr.Any {
	return []expr.Any{
		&expr.Lookup{SourceRegister: reg1, DestRegister: reg2, IsDestRegSet: true, SetName: addrs},
		&expr.Lookup{SourceRegister: reg1, DestRegister: reg3, IsDestRegSet: true, SetName: ports},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: reg2, RegProtoMin: reg3, Specified: true},
	}
}

// natMap describes one of the maps, all but one of which are by outside port.
func natMap(name string) *nftables.Set {
	m := &nftables.Set{Table: natTable, Name: name, IsMap: true, Size: 1 << 16,
		KeyType: nftables.TypeInetService, DataType: nftables.TypeInetService}
	switch name {
	case mapWANAddr:
		m.KeyType, m.DataType = nftables.TypeInetProto, nftables.TypeIPAddr
	case mapForwardAddr:
		m.DataType = nftables.TypeIPAddr
	case mapConeAddr:
		m.DataType, m.Dynamic = nftables.TypeIPAddr, true
	case mapConePort:
		m.Dynamic = true
	}
	return m
}

// translateAs makes addr, or nothing if it is the zero Addr, the address that
// the LAN is seen from.
func (r *Router) translateAs(addr netip.Addr) error {
	return r.nft(func(rs ruleset) error {
		rs.c.FlushSet(natMap(mapWANAddr))
		if !addr.IsValid() {
			return nil
		}
		return rs.c.SetAddElements(natMap(mapWANAddr), []nftables.SetElement{{Key: []byte{unix.IPPROTO_UDP}, Val: addr.AsSlice()}})
	})
}

func (r *Router) openPort(port uint16) error {
	return r.nft(func(rs ruleset) error {
		open := &nftables.Set{Table: filterTable, Name: setOpen, KeyType: nftables.TypeInetService}
		return rs.c.SetAddElements(open, []nftables.SetElement{{Key: binaryutil.BigEndian.PutUint16(port)}})
	})
}

func (r *Router) forwardPort(port uint16, to netip.AddrPort) error {
	key, addr := binaryutil.BigEndian.PutUint16(port), to.Addr().As4()
	return r.nft(func(rs ruleset) error {
		if err := rs.c.SetAddElements(natMap(mapForwardAddr), []nftables.SetElement{{Key: key, Val: addr[:]}}); err != nil {
			return err
		}
		return rs.c.SetAddElements(natMap(mapForwardPort), []nftables.SetElement{{Key: key, Val: binaryutil.BigEndian.PutUint16(to.Port())}})
	})
}

// flush empties the NAT's maps and the kernel's table of connections.
func (r *Router) flush() error {
	if r.nat == FullCone {
		err := r.nft(func(rs ruleset) error {
			rs.c.FlushSet(natMap(mapConeAddr))
			rs.c.FlushSet(natMap(mapConePort))
			return nil
		})
		if err != nil {
			return err
		}
	}
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: int(r.ns.net.Fd())})
	if err != nil {
		return fmt.Errorf("connect to conntrack: %w", err)
	}
	defer func() { _ = c.Close() }()
	// A request to delete that names no connection means all of them:
	// ctnetlink_del_conntrack in linux/net/netfilter/nf_conntrack_netlink.c.
	const (
		ipctnlMsgCtDelete = 2 // IPCTNL_MSG_CT_DELETE, linux/netfilter/nfnetlink_conntrack.h
		nfgenmsgLen       = 4
	)
	_, err = c.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_CTNETLINK<<8 | ipctnlMsgCtDelete, Flags: netlink.Request | netlink.Acknowledge},
		Data:   make([]byte, nfgenmsgLen),
	})
	if err != nil {
		return fmt.Errorf("forget connections: %w", err)
	}
	return nil
}

package platform

import (
	"context"
	"net/netip"
)

// Inspector tells of the machine's surroundings what only a person who looks
// for a fault wants to know. It changes nothing. Errors wrap ErrPermission
// where only root may look.
type Inspector interface {
	// RouteTo tells how a packet to a would leave. The error wraps ErrNotExist
	// when it would not.
	RouteTo(a netip.Addr) (Route, error)
	// Knock sends something meaningless to a UDP port, and again until ctx ends,
	// and tells what came of it. An error says that nothing could be sent.
	Knock(ctx context.Context, to netip.AddrPort) (Echo, error)
	// Filters returns the tables of nftables that have a chain at the hooks
	// input or output.
	Filters() ([]FilterTable, error)
	// Machine looks at the kernel, and at the file system that dir is in, or
	// its parent is to be in. What cannot be read has its zero value.
	Machine(dir string) Machine
}

// Route is the way of packets to an address.
type Route struct {
	Link   string     // they leave by it
	Source netip.Addr // the address they leave with
	MTU    int        // bytes that are known to get through in one packet; 0: unknown
}

// Echo is what came of a knock at a UDP port.
type Echo string

// The echoes. WireGuard is silent to strangers.
const (
	EchoSilence     Echo = "silence"
	EchoRefused     Echo = "refused"     // ICMP: nothing listens on the port, or a firewall says so
	EchoUnreachable Echo = "unreachable" // ICMP: there is no way to the address, or it is prohibited
	EchoBarred      Echo = "barred"      // a firewall of this machine does not let it out
)

// Machine is the kernel and the disk.
type Machine struct {
	WireGuard    Module
	TUN          bool     // /dev/net/tun is there, which the embedded device needs
	LegacyFilter bool     // iptables of before nftables has tables, which Filters does not show
	NoForward4   bool     // the kernel does not forward packets of IPv4 (net.ipv4.ip_forward)
	NoForward6   bool     // nor of IPv6 (net.ipv6.conf.all.forwarding)
	Strict       []string // links that drop IPv4 packets which arrive by another link than the answer would leave by (rp_filter 1); sorted
	Free         uint64   // bytes that may still be written
	Total        uint64   // bytes of the file system; 0: unknown
}

// Module tells whether the kernel has WireGuard.
type Module string

// The states of a kernel module.
const (
	ModuleUnknown   Module = ""
	ModuleLoaded    Module = "loaded" // or built in
	ModuleInstalled Module = "installed"
	ModuleMissing   Module = "missing"
)

// FilterTable is a table of nftables, with what matters to one packet.
type FilterTable struct {
	Family Family
	Name   string
	Chains []FilterChain
}

// Family is an address family of packets, in a table or in a rule.
type Family uint8

// The families. The numbers are the kernel's.
const (
	AnyFamily Family = 1 // "inet": both of the others
	IPv4      Family = 2
	IPv6      Family = 10
)

// FilterChain is a list of rules, the first of which that decides counts.
type FilterChain struct {
	Name  string
	Hook  FilterHook
	Drops bool // what no rule decides is dropped, in a chain that has a hook
	Rules []FilterRule
}

// FilterHook is where packets enter a chain.
type FilterHook uint8

// The hooks. Chains without one are entered from others.
const (
	NoHook FilterHook = iota
	HookInput
	HookOutput
)

// FilterRule does something to packets for which all conditions hold.
type FilterRule struct {
	Conditions []FilterCondition
	Verdict    FilterVerdict
	Chain      string // of FilterJump and FilterGoto
}

// FilterVerdict is what a rule does.
type FilterVerdict uint8

// The verdicts.
const (
	FilterContinue FilterVerdict = iota // the next rule decides
	FilterAccept
	FilterDrop // a rejection too
	FilterJump // another chain decides, and after it the next rule
	FilterGoto // another chain decides
	FilterReturn
	FilterUnclear // something that is not looked at here
)

// FilterCondition holds for packets whose field has one of the values; with
// Not, for all others.
type FilterCondition struct {
	Field  FilterField
	Not    bool
	Links  []string    // of FieldInLink and FieldOutLink; "eth*" is every name that begins so
	Ranges [][2]uint32 // of the others: first and last
}

// FilterField is what of a packet a condition looks at.
type FilterField uint8

// The fields. The states are bits of nftables' "ct state": a range's first
// number is a set of them, and the packet's must be among them.
const (
	FieldUnclear FilterField = iota // something that is not looked at here: the condition may hold or not
	FieldInLink
	FieldOutLink
	FieldFamily
	FieldProtocol
	FieldSourcePort
	FieldDestinationPort
	FieldState
)

// The states of connections, as bits.
const (
	StateEstablished = 1 << 1
	StateNew         = 1 << 3
)

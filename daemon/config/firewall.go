package config

import "fmt"

// The rules of the firewall. The interface is in no zone, so rules name it, and
// src=* puts them before what zones say. In the texts are 1 the interface, 2 the
// tunnel's port and 3 the API's.
const (
	// WireGuard answers nobody whom it does not know.
	ruleTunnel = "rule ACCEPT src=* proto=udp dest_port=%[2]d\n"
	ruleInput  = "rule ACCEPT src=* device=%[1]s direction=in proto=all\n"
	// What the network itself needs: ping, and signals (wire.SignalPort).
	rulesNeeded = "rule ACCEPT src=* device=%[1]s direction=in proto=icmp icmp_type=echo-request\n" +
		"rule ACCEPT src=* device=%[1]s direction=in proto=udp dest_port=51819\n"
	ruleAPI    = "rule ACCEPT src=* device=%[1]s direction=in proto=tcp dest_port=%[3]d\n"
	ruleNoMore = "rule REJECT src=* device=%[1]s direction=in proto=all\n"
	// Peers know this router's address only.
	rulesLAN = "rule ACCEPT src=lan dest=* device=%[1]s direction=out proto=all\n" +
		"nat MASQUERADE src=* device=%[1]s family=any proto=all\n"
)

// FirewallRules returns what OpenWrt's firewall is to let through for the
// network, each rule in a line: its type, its target, and its options, each once,
// as NAME=VALUE. There is one blank between them, and none in them. The
// coordinator's API has port api. Where the firewall lets in what comes by an
// interface of no zone (open), there is a rule against the rest, and of a network
// that is Refused nothing but that.
func (n *Network) FirewallRules(api uint16, open bool) string {
	switch {
	case !n.Enabled || !n.Firewall, n.Refused && (!open || n.AllowInput):
		return ""
	case n.Refused: // its interface may still be there, with all peers
		return fmt.Sprintf(ruleNoMore, n.Link())
	}
	rules := ""
	if n.ListenPort != 0 {
		rules = ruleTunnel
	}
	if n.AllowInput {
		rules += ruleInput
	} else {
		rules += rulesNeeded
		if n.Role == Coordinator {
			rules += ruleAPI
		}
		if open {
			rules += ruleNoMore
		}
	}
	if n.AllowLAN {
		rules += rulesLAN
	}
	return fmt.Sprintf(rules, n.Link(), n.ListenPort, api)
}

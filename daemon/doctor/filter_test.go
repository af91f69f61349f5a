package doctor

import (
	"testing"

	"ginnel/platform"
)

// The parts of rules.

func rule(v platform.FilterVerdict, when ...platform.FilterCondition) platform.FilterRule {
	return platform.FilterRule{Verdict: v, Conditions: when}
}

func jump(chain string, when ...platform.FilterCondition) platform.FilterRule {
	return platform.FilterRule{Verdict: platform.FilterJump, Chain: chain, Conditions: when}
}

func from(links ...string) platform.FilterCondition {
	return platform.FilterCondition{Field: platform.FieldInLink, Links: links}
}

func is(f platform.FilterField, first, last uint32) platform.FilterCondition {
	return platform.FilterCondition{Field: f, Ranges: [][2]uint32{{first, last}}}
}

func not(c platform.FilterCondition) platform.FilterCondition { c.Not = true; return c }

var (
	accept, drop = platform.FilterAccept, platform.FilterDrop
	udp          = is(platform.FieldProtocol, 17, 17)
	tcp          = is(platform.FieldProtocol, 6, 6)
	answers      = is(platform.FieldState, 6, 6) // established or related
	unclear      = platform.FilterCondition{}
)

func to(port uint32) platform.FilterCondition { return is(platform.FieldDestinationPort, port, port) }

// chain is an input chain; with drops its policy is to drop.
func chain(name string, drops bool, rules ...platform.FilterRule) platform.FilterChain {
	return platform.FilterChain{Name: name, Hook: platform.HookInput, Drops: drops, Rules: rules}
}

// other is a chain that others jump to.
func other(name string, rules ...platform.FilterRule) platform.FilterChain {
	return platform.FilterChain{Name: name, Rules: rules}
}

func table(f platform.Family, chains ...platform.FilterChain) platform.FilterTable {
	return platform.FilterTable{Family: f, Name: "t", Chains: chains}
}

// TestBarred: what becomes of a packet in all sorts of rulesets. It is barred
// only when there is no other way for it.
func TestBarred(t *testing.T) {
	const inet = platform.AnyFamily
	first := packet{platform.HookInput, platform.IPv4, "eth0", protocolUDP, 0, 51820, platform.StateNew}
	answer := first
	answer.state = platform.StateEstablished
	for name, test := range map[string]struct {
		table         platform.FilterTable
		first, answer bool // they are barred
	}{
		"no rules":                       {table(inet, chain("input", false)), false, false},
		"dropped by policy":              {table(inet, chain("input", true)), true, true},
		"of the other family":            {table(platform.IPv6, chain("input", true)), false, false},
		"another hook":                   {table(inet, platform.FilterChain{Hook: platform.HookOutput, Drops: true}), false, false},
		"answers only":                   {table(inet, chain("input", true, rule(accept, answers))), true, false},
		"the port":                       {table(inet, chain("input", true, rule(accept, udp, to(51820)))), false, false},
		"another port":                   {table(inet, chain("input", true, rule(accept, udp, to(51821)))), true, true},
		"the port, of TCP":               {table(inet, chain("input", true, rule(accept, tcp, to(51820)))), true, true},
		"a range":                        {table(inet, chain("input", true, rule(accept, is(platform.FieldDestinationPort, 50000, 52000)))), false, false},
		"the link":                       {table(inet, chain("input", true, rule(accept, from("eth0")))), false, false},
		"one of the links":               {table(inet, chain("input", true, rule(accept, from("lo", "eth*")))), false, false},
		"another link":                   {table(inet, chain("input", true, rule(accept, from("eth1", "wg*")))), true, true},
		"not that link":                  {table(inet, chain("input", true, rule(accept, not(from("wan"))))), false, false},
		"dropped by a rule":              {table(inet, chain("input", false, rule(drop, udp, to(51820)))), true, true},
		"accepted before it is dropped":  {table(inet, chain("input", false, rule(accept, udp), rule(drop))), false, false},
		"dropped before it is accepted":  {table(inet, chain("input", false, rule(drop, udp), rule(accept))), true, true},
		"perhaps accepted":               {table(inet, chain("input", true, rule(accept, unclear))), false, false},
		"perhaps dropped":                {table(inet, chain("input", false, rule(drop, unclear))), false, false},
		"perhaps, then dropped":          {table(inet, chain("input", true, rule(accept, unclear, tcp))), true, true},
		"counted only":                   {table(inet, chain("input", true, rule(platform.FilterContinue))), true, true},
		"something unknown is done":      {table(inet, chain("input", true, rule(platform.FilterUnclear))), false, false},
		"another family's rule":          {table(inet, chain("input", true, rule(accept, is(platform.FieldFamily, 10, 10)))), true, true},
		"a chain that accepts":           {table(inet, chain("input", true, jump("zone", from("eth0"))), other("zone", rule(accept, udp))), false, false},
		"a chain that decides nothing":   {table(inet, chain("input", true, jump("zone")), other("zone", rule(accept, tcp))), true, true},
		"a chain that returns":           {table(inet, chain("input", true, jump("zone"), rule(accept)), other("zone", rule(platform.FilterReturn, udp), rule(drop))), false, false},
		"a chain that rejects":           {table(inet, chain("input", false, jump("reject")), other("reject", rule(drop))), true, true},
		"a chain that is entered, maybe": {table(inet, chain("input", false, jump("reject", unclear)), other("reject", rule(drop))), false, false},
		"a chain that does not exist":    {table(inet, chain("input", true, jump("nowhere"))), false, false},
		"a chain that jumps to itself":   {table(inet, chain("input", false, jump("input"))), false, false},
		"gone to, and left":              {table(inet, chain("input", true, platform.FilterRule{Verdict: platform.FilterGoto, Chain: "zone"}, rule(accept)), other("zone")), true, true},
		"accepted here, dropped there":   {table(inet, chain("input", false, rule(accept)), chain("later", true)), true, true},
		"OpenWrt's": {table(inet, chain("input", true,
			rule(accept, from("lo")), rule(accept, answers), jump("input_lan", from("br-lan")), jump("input_wan", from("eth0")), jump("handle_reject")),
			other("input_lan", rule(accept)), other("input_wan", rule(accept, udp, to(68)), jump("reject_from_wan")),
			other("reject_from_wan", rule(drop, from("eth0"))), other("handle_reject", rule(drop))), true, false},
	} {
		for p, want := range map[packet]bool{first: test.first, answer: test.answer} {
			if got := barred([]platform.FilterTable{test.table}, &p) != nil; got != want {
				t.Errorf("%s: state %d is barred: %t, want %t", name, p.state, got, want)
			}
		}
	}
}

// TestPacketWithoutPort: one whose port is not known may meet any rule about
// ports.
func TestPacketWithoutPort(t *testing.T) {
	p := packet{platform.HookInput, platform.IPv4, "home", protocolTCP, 0, 0, platform.StateEstablished}
	if barred([]platform.FilterTable{table(platform.IPv4, chain("input", true, rule(accept, to(22))))}, &p) != nil {
		t.Error("it is barred by a rule that may accept it")
	}
	if barred([]platform.FilterTable{table(platform.IPv4, chain("input", true, rule(accept, udp, to(22))))}, &p) == nil {
		t.Error("it is accepted by a rule of another protocol")
	}
}

package inspect

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/netlink"
	"ginnel/platform/platformtest"
)

// The parts of rules.

const states = expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED

func metaIs(key expr.MetaKey, data []byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data}}
}

func name(s string) []byte { return append([]byte(s), make([]byte, unix.IFNAMSIZ-len(s))...) }

func port(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

// dport loads the destination port of UDP packets.
func dport() []expr.Any {
	return append(metaIs(expr.MetaKeyL4PROTO, []byte{unix.IPPROTO_UDP}),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2})
}

func verdict(k expr.VerdictKind) expr.Any { return &expr.Verdict{Kind: k} }

// ruleset is a table that has a bit of everything.
func ruleset(t *testing.T, c *nftables.Conn) {
	t.Helper()
	table := c.AddTable(&nftables.Table{Name: "fw", Family: nftables.TableFamilyINet})
	drop := nftables.ChainPolicyDrop
	input := c.AddChain(&nftables.Chain{Table: table, Name: "input", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter, Policy: &drop})
	c.AddChain(&nftables.Chain{Table: table, Name: "output", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityFilter})
	c.AddChain(&nftables.Chain{Table: table, Name: "forward", Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter, Policy: &drop})
	c.AddChain(&nftables.Chain{Table: table, Name: "zone"})
	ports := &nftables.Set{Table: table, Anonymous: true, Constant: true, Interval: true, KeyType: nftables.TypeInetService}
	links := &nftables.Set{Table: table, Name: "links", KeyType: nftables.TypeIFName}
	byState := &nftables.Set{Table: table, Name: "states", IsMap: true, KeyType: nftables.TypeCTState, DataType: nftables.TypeVerdict}
	for _, s := range []struct {
		set      *nftables.Set
		elements []nftables.SetElement
	}{
		{ports, []nftables.SetElement{{Key: port(53)}, {Key: port(54), IntervalEnd: true}, {Key: port(1000)}, {Key: port(2001), IntervalEnd: true}}},
		{links, []nftables.SetElement{{Key: name("lan0")}, {Key: name("lan1")}}},
		{byState, []nftables.SetElement{
			{Key: binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED), VerdictData: &expr.Verdict{Kind: expr.VerdictAccept}},
			{Key: binaryutil.NativeEndian.PutUint32(expr.CtStateBitINVALID), VerdictData: &expr.Verdict{Kind: expr.VerdictJump, Chain: "zone"}},
		}},
	} {
		if err := c.AddSet(s.set, s.elements); err != nil {
			t.Fatal(err)
		}
	}
	with := func(es []expr.Any, more ...expr.Any) []expr.Any { return append(es, more...) }
	ct := []expr.Any{&expr.Ct{Key: expr.CtKeySTATE, Register: 1}}
	for _, es := range [][]expr.Any{
		with(metaIs(expr.MetaKeyIIFNAME, name("lo")), verdict(expr.VerdictAccept)),
		with(metaIs(expr.MetaKeyIIF, binaryutil.NativeEndian.PutUint32(1)), verdict(expr.VerdictAccept)),
		with(metaIs(expr.MetaKeyIIFNAME, []byte("eth")), &expr.Verdict{Kind: expr.VerdictJump, Chain: "zone"}),
		with(ct, &expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(states), Xor: make([]byte, 4)},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)}, verdict(expr.VerdictAccept)),
		with(ct, &expr.Lookup{SourceRegister: 1, SetName: "states", IsDestRegSet: true, DestRegister: 0}),
		with(dport(), &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: port(51820)}, &expr.Counter{}, verdict(expr.VerdictAccept)),
		with(dport(), &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: port(22)}, verdict(expr.VerdictDrop)),
		with(dport(), &expr.Cmp{Op: expr.CmpOpGte, Register: 1, Data: port(6000)}, &expr.Cmp{Op: expr.CmpOpLt, Register: 1, Data: port(7000)}, verdict(expr.VerdictReturn)),
		with(dport(), &expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: port(1), ToData: port(9)}, &expr.Verdict{Kind: expr.VerdictGoto, Chain: "zone"}),
		with(dport(), &expr.Lookup{SourceRegister: 1, SetName: ports.Name, SetID: ports.ID}, verdict(expr.VerdictAccept)),
		with([]expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}}, &expr.Lookup{SourceRegister: 1, SetName: "links", Invert: true}, verdict(expr.VerdictAccept)),
		with(metaIs(expr.MetaKeyNFPROTO, []byte{unix.NFPROTO_IPV6}), verdict(expr.VerdictDrop)),
		with(metaIs(expr.MetaKeyMARK, make([]byte, 4)), verdict(expr.VerdictAccept)),
		{&expr.Limit{Type: expr.LimitTypePkts, Rate: 5, Unit: expr.LimitTimeSecond, Burst: 5}, verdict(expr.VerdictAccept)},
		{&expr.Counter{}},
		{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: 3}},
	} {
		c.AddRule(&nftables.Rule{Table: table, Chain: input, Exprs: es})
	}
	if err := c.Flush(); err != nil {
		t.Fatalf("the kernel does not take the rules: %v", err)
	}
}

const everything = `table 1 fw
chain input, hook 1, drops true
 in lo: accept
 in lo: accept
 in eth*: jump zone
 state 6-6: accept
 state 1-1: jump zone
 state 2-2: accept
 go on
 protocol 17-17, to 51820-51820: accept
 protocol 17-17, to not 22-22: drop
 protocol 17-17, to 6000-4294967295, to 0-6999: return
 protocol 17-17, to 1-9: goto zone
 protocol 17-17, to 53-53 1000-2000: accept
 in not lan0 lan1: accept
 family 10-10: drop
 ?: accept
 ?: accept
 go on
 drop
chain output, hook 2, drops false
chain zone, hook 0, drops false
`

// TestFilters reads what the kernel has made of all sorts of rules.
func TestFilters(t *testing.T) {
	platformtest.Namespace(t)
	if tables, err := New().Filters(); err != nil || len(tables) != 0 {
		t.Fatalf("without rules: %v, %v", tables, err)
	}
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	ruleset(t, c)
	tables, err := New().Filters()
	if err != nil {
		t.Fatal(err)
	}
	if got := show(tables); got != everything {
		t.Errorf("it is\n%swant\n%s", got, everything)
	}
}

// show writes tables down.
func show(tables []platform.FilterTable) string {
	var b strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&b, "table %d %s\n", t.Family, t.Name)
		for _, c := range t.Chains {
			fmt.Fprintf(&b, "chain %s, hook %d, drops %t\n", c.Name, c.Hook, c.Drops)
			for _, r := range c.Rules {
				b.WriteString(" " + showRule(&r) + "\n")
			}
		}
	}
	return b.String()
}

func showRule(r *platform.FilterRule) string {
	var when []string
	for _, c := range r.Conditions {
		s := []string{"?", "in", "out", "family", "protocol", "from", "to", "state"}[c.Field]
		if c.Not {
			s += " not"
		}
		for _, l := range c.Links {
			s += " " + l
		}
		for _, n := range c.Ranges {
			s += fmt.Sprintf(" %d-%d", n[0], n[1])
		}
		when = append(when, s)
	}
	does := strings.TrimSpace([]string{"go on", "accept", "drop", "jump", "goto", "return", "?"}[r.Verdict] + " " + r.Chain)
	if len(when) == 0 {
		return does
	}
	return strings.Join(when, ", ") + ": " + does
}

// TestMatches reads the matches and targets of iptables, which this kernel may
// not have.
func TestMatches(t *testing.T) {
	native := func(ns ...uint16) (b []byte) {
		for _, n := range ns {
			b = binary.NativeEndian.AppendUint16(b, n)
		}
		return b
	}
	conntrack := func(flags, inverted, states uint16) []byte {
		return append(make([]byte, 146), append(native(flags, inverted, states), make([]byte, 16)...)...)
	}
	for _, test := range []struct {
		match string
		info  []byte
		want  string
	}{
		{"udp", append(native(0, 65535, 51820, 51821), 0, 0), "from 0-65535, to 51820-51821: go on"},
		{"udp", append(native(0, 65535, 51820, 51820), 2, 0), "?: go on"}, // all but that port
		{"tcp", append(native(0, 65535, 22, 22), 0, 0, 2, 0), "?: go on"},
		{"tcp", native(1), "?: go on"},
		{"comment", []byte("hello"), "go on"},
		{"conntrack", conntrack(1, 0, 6), "state 6-6: go on"},
		{"conntrack", conntrack(1|1<<13, 1, 1), "state not 1-1: go on"},
		{"conntrack", conntrack(3, 0, 6), "?: go on"},
		{"recent", nil, "?: go on"},
	} {
		d := &decoder{}
		if d.match(test.match, test.info); showRule(&d.rule) != test.want {
			t.Errorf("%s %v is %q, want %q", test.match, test.info, showRule(&d.rule), test.want)
		}
	}
	for name, want := range map[string]string{"REJECT": "drop", "LOG": "go on", "TPROXY": "?"} {
		d := &decoder{}
		if d.target(name); showRule(&d.rule) != want {
			t.Errorf("%s is %q, want %q", name, showRule(&d.rule), want)
		}
	}
}

// FuzzRules: whatever the kernel says is read, somehow.
func FuzzRules(f *testing.F) {
	var list, expression, data netlink.Body
	data.Bytes(unix.NFTA_CMP_SREG, []byte{0, 0, 0, 1})
	expression.Text(unix.NFTA_EXPR_NAME, "cmp")
	expression.Bytes(unix.NFTA_EXPR_DATA, data)
	list.Bytes(unix.NFTA_LIST_ELEM, expression)
	f.Add(byte(1), []byte(list))
	f.Add(byte(2), []byte{3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, family byte, b []byte) {
		r := &reader{sets: map[string][]element{}}
		if len(r.decode(family, "t", b)) == 0 {
			t.Error("a rule is lost")
		}
	})
}

package inspect

import (
	"fmt"
	"sort"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/netlink"
)

// Sizes and numbers of linux/netfilter/nfnetlink.h and linux/netfilter.h.
const (
	nfgenmsg     = 4
	hookLocalIn  = 1 // NF_INET_LOCAL_IN
	hookLocalOut = 3 // NF_INET_LOCAL_OUT
	verdictDrop  = 0 // NF_DROP
	verdictTake  = 1 // NF_ACCEPT
)

// Filters implements platform.Inspector. A ruleset that changes while it is
// read is read as far as it goes.
func (Inspector) Filters() ([]platform.FilterTable, error) {
	nl, err := netlink.Dial(unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("read the rules of nftables: %w", translate(err))
	}
	defer nl.Close()
	r := &reader{nl: nl, sets: map[string][]element{}}
	if err := r.readChains(); err != nil {
		return nil, fmt.Errorf("read the rules of nftables: %w", translate(err))
	}
	if err := r.readRules(); err != nil {
		return nil, fmt.Errorf("read the rules of nftables: %w", translate(err))
	}
	return r.hooked(), nil
}

// reader collects the tables.
type reader struct {
	nl     *netlink.Conn
	tables []platform.FilterTable
	sets   map[string][]element // by family, table and name
}

// dump asks for all objects of a kind (NFT_MSG_GET*), of every family where
// that is AF_UNSPEC.
func (r *reader) dump(kind uint16, family uint8, attributes netlink.Body) ([][]byte, error) {
	answer, err := r.nl.Dump(unix.NFNL_SUBSYS_NFTABLES<<8|kind, append([]byte{family, unix.NFNETLINK_V0, 0, 0}, attributes...))
	return answer.Bodies, err
}

func (r *reader) readChains() error {
	answers, err := r.dump(unix.NFT_MSG_GETCHAIN, unix.AF_UNSPEC, nil)
	for _, m := range answers {
		r.chain(m)
	}
	return err
}

func (r *reader) chain(b []byte) {
	a := parse(behind(nfgenmsg, b))
	t := r.table(b[0], text(a[unix.NFTA_CHAIN_TABLE]))
	if t == nil {
		return
	}
	c := platform.FilterChain{Name: text(a[unix.NFTA_CHAIN_NAME])}
	if hook := a[unix.NFTA_CHAIN_HOOK]; hook != nil {
		kind := text(a[unix.NFTA_CHAIN_TYPE])
		switch number := big(parse(hook)[unix.NFTA_HOOK_HOOKNUM]); {
		case number == hookLocalIn && kind == "filter":
			c.Hook = platform.HookInput
		case number == hookLocalOut && (kind == "filter" || kind == "route"):
			c.Hook = platform.HookOutput
		default:
			return // of no interest
		}
		policy := a[unix.NFTA_CHAIN_POLICY]
		c.Drops = policy != nil && big(policy) == verdictDrop
	}
	t.Chains = append(t.Chains, c)
}

// table returns the table, made where there is none yet; nil for families whose
// packets are none of ours.
func (r *reader) table(family uint8, name string) *platform.FilterTable {
	f := platform.Family(family)
	if f != platform.AnyFamily && f != platform.IPv4 && f != platform.IPv6 {
		return nil
	}
	for i := range r.tables {
		if t := &r.tables[i]; t.Family == f && t.Name == name {
			return t
		}
	}
	r.tables = append(r.tables, platform.FilterTable{Family: f, Name: name})
	return &r.tables[len(r.tables)-1]
}

// hooked returns the tables that see packets of ours.
func (r *reader) hooked() (list []platform.FilterTable) {
	for _, t := range r.tables {
		for _, c := range t.Chains {
			if c.Hook != platform.NoHook {
				list = append(list, t)
				break
			}
		}
	}
	return list
}

func (r *reader) readRules() error {
	if len(r.hooked()) == 0 {
		return nil
	}
	answers, err := r.dump(unix.NFT_MSG_GETRULE, unix.AF_UNSPEC, nil)
	for _, m := range answers {
		r.rule(m)
	}
	return err
}

// rule adds a rule to its chain: the kernel dumps them in their order.
func (r *reader) rule(b []byte) {
	a := parse(behind(nfgenmsg, b))
	table, chain := text(a[unix.NFTA_RULE_TABLE]), text(a[unix.NFTA_RULE_CHAIN])
	t := r.table(b[0], table)
	if t == nil {
		return
	}
	for i := range t.Chains {
		if c := &t.Chains[i]; c.Name == chain {
			c.Rules = append(c.Rules, r.decode(b[0], table, a[unix.NFTA_RULE_EXPRESSIONS])...)
		}
	}
}

// element is one of a set's: a key, and in a map of verdicts what is done.
type element struct {
	key   []byte
	end   bool // the first key behind a range
	rule  platform.FilterVerdict
	chain string
}

// set returns the elements of a set, sorted by their keys. A set that cannot be
// read has none, and known is false.
func (r *reader) set(family uint8, table, name string) (list []element, known bool) {
	id := string(rune(family)) + table + "\x00" + name
	if list, known = r.sets[id]; known {
		return list, list != nil
	}
	r.sets[id] = nil
	var which netlink.Body
	which.Text(unix.NFTA_SET_ELEM_LIST_TABLE, table)
	which.Text(unix.NFTA_SET_ELEM_LIST_SET, name)
	answers, err := r.dump(unix.NFT_MSG_GETSETELEM, family, which)
	if err != nil {
		return nil, false
	}
	list = []element{}
	for _, m := range answers {
		_ = netlink.Each(parse(behind(nfgenmsg, m))[unix.NFTA_SET_ELEM_LIST_ELEMENTS], func(e netlink.Attribute) {
			list = append(list, elementOf(parse(e.Value)))
		})
	}
	sort.Slice(list, func(i, j int) bool { // where a range ends another one may begin
		a, b := string(list[i].key), string(list[j].key)
		return a < b || a == b && list[i].end && !list[j].end
	})
	r.sets[id] = list
	return list, true
}

func elementOf(a *attributes) (e element) {
	const intervalEnd = 1 // NFT_SET_ELEM_INTERVAL_END
	e.key = value(a[unix.NFTA_SET_ELEM_KEY])
	e.end = big(a[unix.NFTA_SET_ELEM_FLAGS])&intervalEnd != 0
	e.rule, e.chain = verdictOf(a[unix.NFTA_SET_ELEM_DATA])
	return e
}

// value reads data that are a value, and no verdict.
func value(data []byte) []byte { return parse(data)[unix.NFTA_DATA_VALUE] }

// verdictOf reads data that are a verdict.
func verdictOf(data []byte) (v platform.FilterVerdict, chain string) {
	a := parse(parse(data)[unix.NFTA_DATA_VERDICT])
	code := a[unix.NFTA_VERDICT_CODE]
	if code == nil {
		return platform.FilterUnclear, ""
	}
	return verdictCode(int32(big(code))), text(a[unix.NFTA_VERDICT_CHAIN])
}

// verdictCode reads what linux/netfilter/nf_tables.h calls NFT_CONTINUE and so
// on.
func verdictCode(code int32) platform.FilterVerdict {
	switch code {
	case verdictDrop:
		return platform.FilterDrop
	case verdictTake:
		return platform.FilterAccept
	case -1:
		return platform.FilterContinue
	case -3:
		return platform.FilterJump
	case -4:
		return platform.FilterGoto
	case -5:
		return platform.FilterReturn
	}
	return platform.FilterUnclear
}

package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"ginnel/daemon/local"
)

// pinCommands: the keys this machine has accepted.
var pinCommands = []command{
	{
		name: "pin list", brief: "List the keys that this machine has accepted for peers' addresses",
		about: `The first key that the coordinator presents for an address is pinned. Another one is not taken,
and whoever had the address stays as it was: STATE is then a conflict. It is gone when nobody has
the address, which stays pinned. Without --network the pins of all networks are listed.`,
		setup: func(o *options) action {
			network, asJSON := networkOption(o), jsonOption(o)
			return func(ctx context.Context, e *env, _ []string) error { return listPins(ctx, e, *network, *asJSON) }
		},
	},
	{
		name: "pin forget", args: "PEER|ADDRESS", brief: "Take another key for a peer's address",
		about: `This ends a conflict that ` + "`ginnel status`" + ` tells of, where the change is expected: an admin freed
the address, and another machine has joined with it. The coordinator is asked at once, and the
key that it was shown to present is pinned, no other; where it presented none, the next is.`,
		setup: func(o *options) action {
			network, yes := networkOption(o), yesOption(o)
			o.ask("PEER|ADDRESS", question{text: "Which pin", list: func(a *asking) ([]choice, error) { return pinsToForget(a, *network) }})
			return func(ctx context.Context, e *env, args []string) error {
				return forgetPin(ctx, e, *network, args[0], *yes)
			}
		},
	},
}

// networkPins is what --json prints of each network.
type networkPins struct {
	Network string      `json:"network"`
	Pins    []local.Pin `json:"pins"` // sorted by address
}

// pins returns the pins of the named network, or of all that are up.
func (e *env) pins(ctx context.Context, network string) (list []networkPins, err error) {
	err = e.each(ctx, network, func(n *local.Network) error {
		pins, err := e.client().Pins(ctx, n.Name)
		if err == nil {
			list = append(list, networkPins{n.Name, pins})
		}
		return err
	})
	return list, err
}

func listPins(ctx context.Context, e *env, network string, asJSON bool) error {
	list, failed := e.pins(ctx, network)
	switch {
	case list == nil:
		return failed
	case asJSON:
		if err := e.printJSON(list); err != nil {
			return err
		}
		return failed
	}
	p := e.newPage()
	for i := range list {
		if i > 0 {
			p.line(ordinary, "")
		}
		p.pins(&list[i])
	}
	if err := e.put(p); err != nil {
		return err
	}
	return failed
}

// pins adds the pins of a network.
func (p *page) pins(n *networkPins) {
	p.line(strong, "network %s", n.Network)
	if len(n.Pins) == 0 {
		p.line(ordinary, "  no key is pinned: this machine keeps the book, which is the authority")
		return
	}
	t := &table{heading: []string{"ADDRESS", "NAME", "KEY", "STATE"}, indent: 2}
	for _, pin := range n.Pins {
		t.rows = append(t.rows, []string{pin.Address.String(), orDash(pin.Name), pin.PublicKey.String(), pinState(&pin)})
	}
	p.add(t)
	for _, pin := range n.Pins {
		if !pin.Presented.IsZero() {
			p.paragraph(bad, 2, "%s: the coordinator presents the key %s: `ginnel pin forget %[1]s` takes it", pin.Address, pin.Presented)
		}
	}
}

func pinState(p *local.Pin) string {
	switch {
	case !p.Presented.IsZero():
		return "conflict"
	case p.InMap:
		return "in the map"
	}
	return "gone"
}

// pinsToForget lists the pins, conflicts first.
func pinsToForget(a *asking, network string) ([]choice, error) {
	list, err := a.e.pins(a.ctx, network)
	if err != nil {
		return nil, err
	}
	var conflicts, others []choice
	for _, n := range list {
		for _, p := range n.Pins {
			c := choice{p.Address.String(), fmt.Sprintf("%s in %s, %s", orDash(p.Name), n.Network, pinState(&p))}
			if p.Presented.IsZero() {
				others = append(others, c)
			} else {
				conflicts = append(conflicts, c)
			}
		}
	}
	return someOf(append(conflicts, others...), "no key is pinned on this machine")
}

// namedPin is a pin of one network.
type namedPin struct {
	local.Pin
	network string
}

// String says whose pin it is.
func (p *namedPin) String() string {
	if p.Name == "" {
		return fmt.Sprintf("%s in %s", p.Address, p.network)
	}
	return fmt.Sprintf("%s (%s) in %s", p.Address, p.Name, p.network)
}

// findPin returns the only pin that word names, by its address or by the name
// of who has the address.
func (e *env) findPin(ctx context.Context, network, word string) (*namedPin, error) {
	list, failed := e.pins(ctx, network)
	address, err := netip.ParseAddr(word)
	isAddress := err == nil
	var found []namedPin
	var texts []string
	for _, n := range list {
		for _, p := range n.Pins {
			if isAddress && p.Address == address || !isAddress && p.Name == word {
				found = append(found, namedPin{p, n.Network})
				texts = append(texts, found[len(found)-1].String())
			}
		}
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		return nil, usagef("there are %d such pins: say which with its address and --network: %s", len(found), strings.Join(texts, ", "))
	case failed != nil:
		return nil, failed
	}
	return nil, fmt.Errorf("no key is pinned for %s: `ginnel pin list` lists those that are", word)
}

func forgetPin(ctx context.Context, e *env, network, word string, yes bool) error {
	p, err := e.findPin(ctx, network, word)
	if err != nil {
		return err
	}
	e.note("%s is pinned to the key %s", p, p.PublicKey)
	ask := "Forget it, and take the key that the coordinator presents next?"
	if !p.Presented.IsZero() {
		e.note("the coordinator presents %s", p.Presented)
		ask = "Forget it, and take that key?"
	}
	if err := e.confirm(yes, ask); err != nil {
		return err
	}
	if err := e.client().Forget(ctx, p.network, p.Address, p.Presented); err != nil {
		return err
	}
	if !p.Presented.IsZero() {
		return e.say("forgot the key of %s: it is pinned to %s", p, p.Presented)
	}
	return e.say("forgot the key of %s: the one that the coordinator presents next is taken", p)
}

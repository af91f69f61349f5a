package daemon

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"ginnel/daemon/core"
	"ginnel/journal"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

// trace logs at debug level what the core was told and what it asks for, in
// words for people who look for the reason of something. Looks at the machine
// that lead to nothing are left out: they come every few seconds.
func (p *peer) trace(ctx context.Context, ev core.Event, actions []core.Action) {
	if !p.log.Enabled(journal.Debug) {
		return
	}
	event, news := describeEvent(ev)
	var todo []string
	for _, a := range actions {
		if s := p.describeAction(a); s != "" {
			todo = append(todo, s)
		}
	}
	switch {
	case len(todo) > 0:
		p.log.Debug(event, "todo", strings.Join(todo, "; "))
	case news:
		p.log.Debug(event)
	}
}

// describeEvent says what happened, and whether that is news by itself.
func describeEvent(ev core.Event) (text string, news bool) {
	switch ev := ev.(type) {
	case core.Started:
		if ev.Map == nil {
			return "started without a saved map", true
		}
		return fmt.Sprintf("started with the map of %s, %d members", position(ev.Map.Position), len(ev.Map.Members)), true
	case core.Fetched:
		return describeFetched(&ev), true
	case core.Signalled:
		return fmt.Sprintf("%s %d came from %s", signalName(ev.Signal), ev.Signal.Value, ev.From), true
	case core.Resolved:
		return outcome(fmt.Sprintf("look up %s, at %v", ev.Host, ev.Addrs), ev.Err), true
	case core.Reported:
		return outcome("report", ev.Err), true
	case core.Applied:
		return outcome(appliedTo(ev.Action), ev.Err), ev.Err != nil
	case core.TunnelObserved:
		return outcome("look at the tunnel", ev.Err), ev.Err != nil
	case core.NetObserved:
		return outcome("look at the link", ev.Err), ev.Err != nil
	case core.UnderlayObserved:
		return outcome("look at the underlay", ev.Err), ev.Err != nil
	case core.Changed:
		return "links, addresses, routes or rules changed", false
	case core.Configured:
		return fmt.Sprintf("settings: %+v", ev.Settings), true
	case core.Asked:
		return "asked for the status", false
	case core.Forget:
		if !ev.Key.IsZero() {
			return fmt.Sprintf("asked to pin %s to %s", ev.Address, ev.Key), true
		}
		return fmt.Sprintf("asked to forget the pin of %s", ev.Address), true
	case core.FetchNow:
		return "asked to fetch", true
	case core.Tick:
		return "time has come", false
	}
	return fmt.Sprintf("%T", ev), true
}

func appliedTo(a core.Action) string {
	switch a.(type) {
	case core.ApplyTunnel:
		return "change the tunnel"
	case core.ApplyNet:
		return "change the link"
	}
	return "write the names"
}

func outcome(what string, err error) string {
	if err != nil {
		return fmt.Sprintf("%s: failed: %v", what, err)
	}
	return what + ": done"
}

func describeFetched(ev *core.Fetched) string {
	u := ev.Update
	if ev.Err != nil || u == nil {
		return outcome("fetch the map", ev.Err)
	}
	text := fmt.Sprintf("fetched %s: %d members within %v", position(u.Position), len(u.Members), u.Ranges)
	for _, patch := range u.Patches {
		text += fmt.Sprintf(", %s is at %s", patch.Address, endpoints(patch.Endpoints))
	}
	return text
}

func position(p wire.Position) string {
	return fmt.Sprintf("revision %d.%d", p.Revision, p.Seq)
}

func endpoints(e wire.Endpoints) string {
	return fmt.Sprintf("%s %v %v", e.Seen, e.Candidates, e.Announced)
}

func signalName(s wire.Signal) string {
	switch s.Kind {
	case wire.SignalNudge:
		return "nudge"
	case wire.SignalProbe:
		return "probe"
	case wire.SignalAnswer:
		return "answer"
	case wire.SignalCurrent:
		return "no news"
	case wire.SignalPoll:
		return "poll"
	}
	return fmt.Sprintf("signal %q", s.Kind)
}

// describeAction says what is to be done, or nothing for looks and for what is
// logged anyway.
func (p *peer) describeAction(a core.Action) string {
	switch a := a.(type) {
	case core.ApplyTunnel:
		return p.describeChange(&a.Change)
	case core.ApplyNet:
		return describeNetChange(&a.Change)
	case core.Report:
		return fmt.Sprintf("report %v", a.Report.Candidates)
	case core.Fetch:
		return "fetch since " + position(a.Position)
	case core.Resolve:
		return "look up " + a.Host
	case core.Signal:
		return fmt.Sprintf("%s %d to %s", signalName(a.Signal), a.Signal.Value, a.To)
	case core.SetNames:
		return fmt.Sprintf("write %d names", len(a.Entries))
	case core.Save:
		return "save the map and the pins"
	}
	return ""
}

func describeNetChange(c *platform.NetChange) string {
	var parts []string
	if c.SetUp {
		parts = append(parts, "up")
	}
	if c.SetMTU != 0 {
		parts = append(parts, fmt.Sprintf("mtu %d", c.SetMTU))
	}
	list := func(what string, ps []netip.Prefix) {
		if len(ps) > 0 {
			parts = append(parts, fmt.Sprintf("%s %v", what, ps))
		}
	}
	list("without addresses", c.RemoveAddresses)
	list("without routes", c.RemoveRoutes)
	list("addresses", c.AddAddresses)
	list("routes", c.AddRoutes)
	return "link: " + strings.Join(parts, ", ")
}

// describeChange never shows a private key: that there is one is said.
func (p *peer) describeChange(c *platform.TunnelChange) string {
	var b strings.Builder
	b.WriteString("tunnel:")
	if c.ReplacePeers {
		b.WriteString(" replace all peers,")
	}
	if c.Set&platform.SetPrivateKey != 0 {
		b.WriteString(" set the private key,")
	}
	if c.Set&platform.SetListenPort != 0 {
		fmt.Fprintf(&b, " listen on port %d,", c.ListenPort)
	}
	for _, k := range c.Remove {
		fmt.Fprintf(&b, " remove %s,", p.called(k))
	}
	for i := range c.Peers {
		p.describePeerChange(&b, &c.Peers[i])
	}
	return strings.TrimSuffix(b.String(), ",")
}

func (p *peer) describePeerChange(b *strings.Builder, c *platform.PeerChange) {
	verb := "add"
	if c.Update {
		verb = "update"
	}
	fmt.Fprintf(b, " %s %s", verb, p.called(c.PublicKey))
	if c.Set&platform.SetEndpoint != 0 {
		fmt.Fprintf(b, " endpoint %s", c.Endpoint)
	}
	if c.Set&platform.SetKeepalive != 0 {
		fmt.Fprintf(b, " keepalive %d", c.Keepalive)
	}
	if len(c.AllowedIPs) > 0 {
		fmt.Fprintf(b, " allowed %v", c.AllowedIPs)
	}
	b.WriteString(",")
}

// called returns a member's name, or the beginning of the key of one that is
// not in the map (any longer).
func (p *peer) called(k key.PublicKey) string {
	if k == p.id.Coordinator.PublicKey {
		return "the coordinator"
	}
	m := p.core.Map()
	for i := range m.Members {
		if m.Members[i].PublicKey == k {
			return m.Members[i].Name
		}
	}
	return fmt.Sprintf("%.8s...", k)
}

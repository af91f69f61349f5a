package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"ginnel/daemon/core"
	"ginnel/platform"
)

// trace logs at debug level what the core was told and what it asks for.
// Ticks and observations that lead to nothing are left out.
func (p *peer) trace(ctx context.Context, ev core.Event, actions []core.Action) {
	if !p.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	event := describeEvent(ev)
	if event == "" && len(actions) == 0 {
		return
	}
	parts := make([]string, len(actions))
	for i, a := range actions {
		parts[i] = describeAction(a)
	}
	p.log.Debug("step", "event", fmt.Sprintf("%T %s", ev, event), "actions", strings.Join(parts, "; "))
}

// describeEvent returns the details worth a line, or nothing for an event that
// comes often and says little.
func describeEvent(ev core.Event) string {
	switch ev := ev.(type) {
	case core.Fetched:
		if ev.Err != nil {
			return ev.Err.Error()
		}
		u := ev.Update
		return fmt.Sprintf("position %v: %d ranges, %d members, patches %v", u.Position, len(u.Ranges), len(u.Members), u.Patches)
	case core.Signalled:
		return fmt.Sprintf("%c from %s", ev.Signal.Kind, ev.From)
	case core.Resolved:
		return fmt.Sprintf("%s is %v %v", ev.Host, ev.Addrs, errText(ev.Err))
	case core.Reported:
		return errText(ev.Err)
	case core.TunnelObserved:
		return errText(ev.Err)
	case core.NetObserved:
		return errText(ev.Err)
	case core.Applied:
		return errText(ev.Err)
	}
	return ""
}

func describeAction(a core.Action) string {
	switch a := a.(type) {
	case core.ApplyTunnel:
		return describeChange(&a.Change)
	case core.ApplyNet:
		return fmt.Sprintf("link %+v", a.Change)
	case core.Report:
		return fmt.Sprintf("report %v", a.Report.Candidates)
	case core.Fetch:
		return fmt.Sprintf("fetch since %v", a.Position)
	case core.Signal:
		return fmt.Sprintf("signal %c to %s", a.Signal.Kind, a.To)
	case core.SetNames:
		return fmt.Sprintf("%d names", len(a.Entries))
	case core.Save:
		return "save"
	}
	return fmt.Sprintf("%T %+v", a, a)
}

func describeChange(c *platform.TunnelChange) string {
	var b strings.Builder
	b.WriteString("tunnel:")
	for _, k := range c.Remove {
		fmt.Fprintf(&b, " remove %.8s", k)
	}
	for i := range c.Peers {
		p := &c.Peers[i]
		verb := "add"
		if p.Update {
			verb = "update"
		}
		fmt.Fprintf(&b, " %s %.8s", verb, p.PublicKey)
		if p.Set&platform.SetEndpoint != 0 {
			fmt.Fprintf(&b, " endpoint %s", p.Endpoint)
		}
		if p.Set&platform.SetKeepalive != 0 {
			fmt.Fprintf(&b, " keepalive %d", p.Keepalive)
		}
		if len(p.AllowedIPs) > 0 {
			fmt.Fprintf(&b, " %v", p.AllowedIPs)
		}
	}
	return b.String()
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

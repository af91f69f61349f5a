package main

import (
	"context"
	"errors"
	"slices"

	"ginnel/daemon/config"
	"ginnel/wire"
)

// ownName is what this machine is called in a network now, as its daemon knows
// it: it may have been renamed. Empty where none tells, and on the coordinator,
// from whom nothing can be taken.
func (e *env) ownName(ctx context.Context, network string) string {
	st, err := e.client().Status(ctx)
	if err != nil {
		return ""
	}
	n := described(st, &config.Network{Name: network})
	return mark(n.Role != string(config.Coordinator), n.Self.Name)
}

// warnSelf says what this machine itself loses, if it is one of the named peers,
// and returns which one; empty: none.
func (e *env) warnSelf(ctx context.Context, network string, names []string, loses string) string {
	network, _ = e.pick(ctx, network) // who cannot tell is asked for more
	own := e.ownName(ctx, network)
	if own == "" || !slices.Contains(names, own) {
		return ""
	}
	e.note("%s is this machine: it %s", own, loses)
	return own
}

// errCutOff is all that is known after a request by which this machine cut
// itself off: its answer does not arrive any more.
var errCutOff = errors.New("no answer came, as when this machine is cut off at once: it was probably done, and `ginnel peer list` on another admin's machine tells")

// cutting makes errCutOff of the error of a request about this machine itself
// that got no answer.
func cutting(self bool, err error) error {
	if p := (*wire.Problem)(nil); self && errors.As(err, &p) && p.Status == wire.StatusBadGateway {
		return errCutOff
	}
	return err
}

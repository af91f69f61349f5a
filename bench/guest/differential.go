package main

import (
	"fmt"

	"ginnel/bench/table"
	"ginnel/platform"
)

// differential writes so many peers of every kind with one of ours and
// wgctrl-go, and reads them with both: all must agree with what was meant, and
// with each other.
func (b *bench) differential(size int) error {
	for _, by := range []implementation{b.ours, b.library} {
		if err := b.writeAndCompare(by, "diff-"+by.name(), size); err != nil {
			return fmt.Errorf("%d peers written by %s: %w", size, by.name(), err)
		}
	}
	return nil
}

func (b *bench) writeAndCompare(by implementation, link string, size int) error {
	if err := b.ours.open(link, drawPrivate(b.random), nil); err != nil {
		return err
	}
	peers := variety(b.random, size)
	do, err := by.writer(write{link, table.Add, peers})
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if err := b.look(link, intend(peers)); err != nil {
		return err
	}
	var ours platform.TunnelState
	if err := b.ours.tunnels[link].Observe(&ours); err != nil {
		return err
	}
	theirs, err := b.library.state(link)
	if err != nil {
		return err
	}
	return sameState(ours, theirs)
}

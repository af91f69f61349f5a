package main

import (
	"fmt"
	"math/rand/v2"

	"ginnel/bench/table"
	"ginnel/platform"
)

// trial is one operation made ready for one implementation. Its two halves
// take the interface there and back again, so that all start from the same
// state; there is what is measured. A reading goes nowhere.
type trial struct {
	by                string
	ownHeap           bool // it allocates in other processes
	there, back       task
	arrived, returned task // find out whether the interface is as it should be
}

// nowhere is the way back from a reading, and from doing nothing.
func nowhere() error { return nil }

// prepare makes an operation ready for every implementation, and with wg the
// start of its process.
func (b *bench) prepare(op table.Operation) ([]*trial, error) {
	in, err := b.open(op.Size)
	if err != nil {
		return nil, err
	}
	there, back := in.writes(op, b.random)
	var all []*trial
	for _, by := range b.implementations {
		t := &trial{by: by.name(), ownHeap: by.name() == table.Wg, back: nowhere, arrived: nowhere, returned: nowhere}
		if op.Verb == table.Read {
			t.there, err = by.reader(in.link)
		} else {
			err = b.prepareWrites(t, by, in, there, back)
		}
		if err != nil {
			return nil, fmt.Errorf("%s for %s: %w", op.Name, t.by, err)
		}
		all = append(all, t)
	}
	if b.program != nil {
		all = append(all, &trial{table.Start, true, b.program.nothing, nowhere, nowhere, nowhere})
	}
	return all, nil
}

func (b *bench) prepareWrites(t *trial, by implementation, in *populated, there, back write) (err error) {
	before, after := intend(in.peers), intend(in.peers)
	after.do(there)
	if t.there, err = by.writer(there); err != nil {
		return err
	}
	if t.back, err = by.writer(back); err != nil {
		return err
	}
	t.arrived = func() error { return b.look(in.link, after) }
	t.returned = func() error { return b.look(in.link, before) }
	return nil
}

// look reads an interface with wgctrl-go and compares.
func (b *bench) look(link string, want intent) error {
	got, err := b.library.state(link)
	if err != nil {
		return err
	}
	if err := want.check(got.Peers); err != nil {
		return fmt.Errorf("wgctrl-go reads of %s: %w", link, err)
	}
	return nil
}

// populated is an interface with peers, and what may become of them.
type populated struct {
	link  string
	peers []platform.Peer
	spare platform.Peer // one that is not there
}

// open makes the interface of so many peers, unless it is there.
func (b *bench) open(size int) (*populated, error) {
	if in := b.populated[size]; in != nil {
		return in, nil
	}
	peers := population(b.random, size+1)
	in := &populated{fmt.Sprintf("bench%d", size), peers[:size], peers[size]}
	if err := b.ours.open(in.link, drawPrivate(b.random), in.peers); err != nil {
		return nil, err
	}
	b.populated[size] = in
	return in, b.look(in.link, intend(in.peers))
}

// writes are an operation, and what undoes it; nothing for a reading.
func (in *populated) writes(op table.Operation, r *rand.Rand) (there, back write) {
	some := in.peers[:op.Count]
	switch op.Verb {
	case table.Read:
		return write{}, write{}
	case table.Add:
		spare := []platform.Peer{in.spare}
		return write{in.link, table.Add, spare}, write{in.link, table.Remove, spare}
	case table.Remove:
		return write{in.link, table.Remove, some}, write{in.link, table.Add, some}
	default:
		return write{in.link, op.Verb, moved(r, some)}, write{in.link, op.Verb, some}
	}
}

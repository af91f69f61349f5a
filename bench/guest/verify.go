package main

import (
	"fmt"
	"net/netip"
	"slices"

	"ginnel/bench/table"
	"ginnel/key"
	"ginnel/platform"
)

// intent is which peers an interface should have, kept without reading it.
type intent map[key.PublicKey]platform.Peer

func intend(peers []platform.Peer) intent {
	in := intent{}
	for _, p := range peers {
		in[p.PublicKey] = p
	}
	return in
}

// do follows a write. Its peers exist unless it adds them, and have among them
// all of their allowed IPs afterwards, so that no other peer loses one.
func (in intent) do(w write) {
	for _, p := range w.peers {
		switch w.verb {
		case table.Remove:
			delete(in, p.PublicKey)
		case table.Add:
			in[p.PublicKey] = p
		case table.SetEndpoint:
			is := in[p.PublicKey]
			is.Endpoint = p.Endpoint
			in[p.PublicKey] = is
		case table.Update, table.Replace:
			is := in[p.PublicKey]
			is.Endpoint, is.AllowedIPs = p.Endpoint, p.AllowedIPs
			in[p.PublicKey] = is
		}
	}
}

// check compares what was read of an interface with the intent. No traffic
// passes, so handshakes and counters are zero.
func (in intent) check(got []platform.Peer) error {
	for _, p := range got {
		want, ok := in[p.PublicKey]
		if !ok {
			return fmt.Errorf("peer %s is there and should not be", p.PublicKey)
		}
		if err := same(p, want); err != nil {
			return err
		}
	}
	if len(got) != len(in) {
		return fmt.Errorf("%d peers are there, and should be %d", len(got), len(in))
	}
	return nil
}

// same compares peers whose prefixes, when the host's bits are cleared, may
// come in any order.
func same(got, want platform.Peer) error {
	g, w := canonical(got), canonical(want)
	if g.Endpoint == w.Endpoint && g.Keepalive == w.Keepalive && slices.Equal(g.AllowedIPs, w.AllowedIPs) &&
		g.LastHandshake.Equal(w.LastHandshake) && g.Rx == w.Rx && g.Tx == w.Tx {
		return nil
	}
	return fmt.Errorf("a peer is\n  %+v\nand should be\n  %+v", g, w)
}

func canonical(p platform.Peer) platform.Peer {
	p.AllowedIPs = slices.Clone(p.AllowedIPs)
	for i, a := range p.AllowedIPs {
		p.AllowedIPs[i] = a.Masked()
	}
	slices.SortFunc(p.AllowedIPs, netip.Prefix.Compare)
	return p
}

// sameState compares two readings of one interface.
func sameState(a, b platform.TunnelState) error {
	if a.Backend != b.Backend || !a.PrivateKey.Equal(b.PrivateKey) || a.ListenPort != b.ListenPort || a.FwMark != b.FwMark {
		return fmt.Errorf("two readings of one interface: %s, port %d, mark %d, and %s, port %d, mark %d, or another private key",
			a.Backend, a.ListenPort, a.FwMark, b.Backend, b.ListenPort, b.FwMark)
	}
	return intend(a.Peers).check(b.Peers)
}

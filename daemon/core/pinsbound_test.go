package core_test

import (
	"net/netip"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/wire"
)

// TestPinsAreBounded: who is new when there are as many pins as may be is left
// out, and people are told; a pin that is forgotten makes room for one.
func TestPinsAreBounded(t *testing.T) {
	const most = 20_000
	var pins []core.Pin
	for a := netip.MustParseAddr("10.9.8.0"); len(pins) < most-1; a = a.Next() {
		pins = append(pins, core.Pin{Address: a, PublicKey: eveKey.Public()})
	}
	s := newScript(t, annConfig())
	s.do(0, core.Started{Pins: pins})
	s.do(500*time.Millisecond, core.Tick{})
	s.do(0, core.Fetched{Update: whole(1, hubMember(), benMember(wire.Endpoints{}), catMember(wire.Endpoints{}))})
	if got, want := s.keys(), "10.9.0.4 ben=ben, problem pins"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := len(s.core.AppendPins(nil)); n != most+1 { // the coordinator's is there in any case
		t.Errorf("%d pins", n)
	}
	s.do(0, core.Forget{Address: pins[0].Address})
	s.do(0, core.Fetched{Update: whole(1, hubMember(), benMember(wire.Endpoints{}), catMember(wire.Endpoints{}))})
	if got, want := s.keys(), "10.9.0.4 ben=ben, 10.9.0.5 cat=cat"; got != want {
		t.Errorf("with room: got %q, want %q", got, want)
	}
}

package core_test

import (
	"testing"

	"ginnel/daemon/core"
	"ginnel/wire"
)

// impostor is ben with another key.
var impostor = with(benMember(wire.Endpoints{}), eveKey)

// refusing has ben pinned, whom the coordinator presents as the impostor.
func refusing(t *testing.T) *script {
	s := ready(t, benMember(wire.Endpoints{}))
	s.who[eveKey.Public()] = "eve"
	s.nudge(2)
	s.do(0, core.Fetched{Update: s.delta(2, 2, hosts(ben), impostor)})
	return s
}

// takesImpostor answers with the impostor, who must be taken and pinned.
func (s *script) takesImpostor() {
	s.t.Helper()
	s.do(0, core.Fetched{Update: whole(2, hubMember(), impostor)})
	if got := s.keys(); got != "10.9.0.4 ben=eve" || !s.touches(eveKey.Public()) || !s.touches(benKey.Public()) {
		s.t.Errorf("%s; %+v", got, s.last)
	}
	if pin := s.core.AppendPins(nil)[1]; pin.PublicKey != eveKey.Public() {
		s.t.Errorf("pinned is %+v", pin)
	}
}

// TestForget: after it the coordinator is asked for everybody, and what it then
// presents is taken and pinned. What is under way counts for nothing.
func TestForget(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		s := refusing(t)
		s.step(0, core.Forget{Address: ben}, "over pin 10.9.0.4", "save 0 with 2", "fetch 0/0/0")
		s.takesImpostor()
		s.step(0, core.Forget{Address: cat}) // not pinned
	})
	t.Run("under way", func(t *testing.T) {
		s := refusing(t)
		s.nudge(3)
		s.step(0, core.Forget{Address: ben}, "over pin 10.9.0.4", "save 0 with 2")
		s.step(0, core.Fetched{Update: s.delta(3, 3, nil)}, "fetch 0/0/0")
		if got := s.keys(); got != "10.9.0.4 ben=ben" || len(s.core.AppendPins(nil)) != 1 {
			t.Errorf("before the answer: %s, %+v", got, s.core.AppendPins(nil))
		}
		s.takesImpostor()
	})
	t.Run("coordinator away", func(t *testing.T) {
		s := refusing(t)
		s.do(0, core.Forget{Address: ben})
		s.do(0, core.Fetched{Err: errAway})
		s.tick("fetch 0/0/0")
		s.takesImpostor()
	})
	t.Run("restart", func(t *testing.T) {
		s := refusing(t)
		s.do(0, core.Forget{Address: ben})
		next := s.restarted()
		if got := next.keys(); got != "10.9.0.4 ben=ben" {
			t.Errorf("after the restart: %s", got)
		}
		next.asksFrom(0)
		next.takesImpostor()
	})
}

// TestForgetForThatKey: of what the coordinator presents then, the key that was
// shown is taken, and a third one is a conflict.
func TestForgetForThatKey(t *testing.T) {
	s := refusing(t)
	s.step(0, core.Forget{Address: ben, Key: eveKey.Public()}, "over pin 10.9.0.4", "save 0 with 2", "fetch 0/0/0")
	s.takesImpostor()

	s = refusing(t)
	s.do(0, core.Forget{Address: ben, Key: eveKey.Public()})
	s.do(0, core.Fetched{Update: whole(2, hubMember(), with(impostor, catKey))})
	pin := s.core.AppendPins(nil)[1]
	if got := s.keys(); got != "10.9.0.4 ben=ben, problem pin 10.9.0.4" || pin.PublicKey != eveKey.Public() || pin.Presented != catKey.Public() {
		t.Errorf("%s; pinned is %+v", got, pin)
	}
	s.nudge(3)
	s.takesImpostor()
}

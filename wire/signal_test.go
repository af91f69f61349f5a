package wire_test

import (
	"bytes"
	"testing"

	"ginnel/wire"
)

func TestSignalLayout(t *testing.T) {
	s := wire.Signal{Kind: wire.SignalNudge, Value: 0x0102030405060708}
	want := []byte{'x', 'g', 'n', 1, 'n', 1, 2, 3, 4, 5, 6, 7, 8}
	got := s.Append([]byte("x"))
	if !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
	if back, err := wire.ParseSignal(got[1:]); err != nil || back != s {
		t.Errorf("reads as %v, %v", back, err)
	}
}

func TestSignalStrict(t *testing.T) {
	good := wire.Signal{Kind: wire.SignalProbe, Value: 1}.Append(nil)
	bad := [][]byte{nil, good[:11], append(bytes.Clone(good), 0)}
	for i := range 4 {
		b := bytes.Clone(good)
		b[i]++
		bad = append(bad, b)
	}
	for _, b := range bad {
		if s, err := wire.ParseSignal(b); err != wire.ErrSignal {
			t.Errorf("% x reads as %v, %v", b, s, err)
		}
	}
}

func TestParseSignalAllocatesNothing(t *testing.T) {
	b := wire.Signal{Kind: wire.SignalAnswer}.Append(nil)
	if n := testing.AllocsPerRun(100, func() {
		wire.ParseSignal(b)
		wire.ParseSignal(b[1:])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseSignal(f *testing.F) {
	f.Add(wire.Signal{Kind: wire.SignalAnswer, Value: 1 << 63}.Append(nil))
	f.Add(wire.Signal{Kind: wire.SignalPoll, Value: 1}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := wire.ParseSignal(b); err == nil && !bytes.Equal(s.Append(nil), b) {
			t.Errorf("% x reads as %v", b, s)
		}
	})
}

package message

import (
	"reflect"
	"slices"
	"testing"

	"ginnel/platform"
)

// FuzzDecode wants of any datagram no panic, a state as the contract says, and
// the same one in used memory.
func FuzzDecode(f *testing.F) {
	for _, what := range []string{"dump", "refusals"} {
		for _, datagrams := range captured(f, what) {
			for _, b := range datagrams {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		read := func(s *platform.TunnelState) {
			d := Decoder{Zone: zone}
			d.Start(s)
			a := Answer{Sequence: 7}
			for range 2 { // as if it came twice
				_ = a.Take(datagram, &d)
			}
			d.Finish()
		}
		var fresh platform.TunnelState
		used := deviceOf(3).TunnelState
		read(&fresh)
		read(&used)
		checkState(t, &fresh)
		checkState(t, &used)
		compare(t, "in used memory", &used, &fresh)
	})
}

func checkState(t *testing.T, s *platform.TunnelState) {
	t.Helper()
	for i, p := range s.Peers {
		if i > 0 && s.Peers[i-1].PublicKey.Compare(p.PublicKey) >= 0 {
			t.Errorf("peer %d is not in its place", i)
		}
		if a := p.Endpoint.Addr(); a.Is4In6() {
			t.Errorf("endpoint %v", p.Endpoint)
		}
		for j, a := range p.AllowedIPs {
			if !a.IsValid() || a != a.Masked() || j > 0 && p.AllowedIPs[j-1].Compare(a) > 0 {
				t.Errorf("allowed IP %v", a)
			}
		}
	}
}

// FuzzLink wants no panic, and nothing read into what was there.
func FuzzLink(f *testing.F) {
	f.Add(MakeLink("wg0", 1420)[headerSize:])
	f.Add(FindFamily(Kind)[headerSize:])
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := slices.Clone(payload)
		for _, sink := range []Sink{new(Link), new(Family)} {
			_ = sink.Add(payload)
		}
		if !reflect.DeepEqual(before, payload) {
			t.Error("the payload was changed")
		}
	})
}

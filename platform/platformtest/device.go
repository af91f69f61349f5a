package platformtest

import (
	"testing"

	"ginnel/platform"
)

// deviceTests are about the interface's own settings.
var deviceTests = []tunnelTest{
	{"key, port and mark", testDevice},
	{"fields not named stay", testDeviceUntouched},
	{"any port", testAnyPort},
	{"port in use", testPortInUse},
	{"own key is no peer", testOwnKey},
	{"new private key keeps the peers", testRekey},
}

func testDevice(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	const all = platform.SetPrivateKey | platform.SetListenPort | platform.SetFwMark
	tn.apply(t, platform.TunnelChange{Set: all, PrivateKey: private(1), ListenPort: 40001, FwMark: 0x8000_0001})
	wantDevice(t, tn.observe(t), 1, 40001, 0x8000_0001)
	tn.apply(t, platform.TunnelChange{Set: all, PrivateKey: private(2), ListenPort: 40002})
	wantDevice(t, tn.observe(t), 2, 40002, 0)
	tn.apply(t, platform.TunnelChange{Set: platform.SetPrivateKey})
	if s := tn.observe(t); !s.PrivateKey.IsZero() {
		t.Error("the zero key did not take the private key away")
	}
}

func wantDevice(t *testing.T, s *platform.TunnelState, own int, port uint16, mark uint32) {
	t.Helper()
	if !s.PrivateKey.Equal(private(own)) {
		t.Error("the private key is not what was set")
	}
	if s.ListenPort != port || s.FwMark != mark {
		t.Errorf("port %d, mark %#x; want %d, %#x", s.ListenPort, s.FwMark, port, mark)
	}
}

func testDeviceUntouched(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	tn.apply(t, platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private(1)})
	tn.apply(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 40001})
	tn.apply(t, platform.TunnelChange{Set: platform.SetFwMark, FwMark: 9})
	tn.apply(t, platform.TunnelChange{PrivateKey: private(2), ListenPort: 40002, FwMark: 10})
	wantDevice(t, tn.observe(t), 1, 40001, 9)
}

func testAnyPort(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	tn.apply(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 40001})
	tn.apply(t, platform.TunnelChange{Set: platform.SetListenPort})
	if s := tn.observe(t); s.ListenPort == 0 {
		t.Error("no port was chosen")
	}
}

// testPortInUse also wants the tunnel to go on with the port it had, and the
// rest of the change to be done: one part that cannot be must not block all.
func testPortInUse(t *testing.T, ts *tunnels) {
	first, second := ts.up(t, "wg0"), ts.up(t, "wg1")
	first.apply(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 40001})
	second.apply(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 40002})
	const all = platform.SetPrivateKey | platform.SetListenPort | platform.SetFwMark
	taken := platform.TunnelChange{Set: all, PrivateKey: private(1), ListenPort: 40001, FwMark: 5, Peers: []platform.PeerChange{{PublicKey: public(2)}}}
	for range 2 {
		wantErr(t, second.Apply(&taken), platform.ErrInUse)
		wantDevice(t, second.observe(t), 1, 40002, 5)
		wantPeers(t, second.observe(t).Peers, platform.Peer{PublicKey: public(2)})
	}
	if err := first.Delete(); err != nil {
		t.Fatalf("delete: %v", err)
	}
	second.apply(t, taken)
	wantDevice(t, second.observe(t), 1, 40001, 5)
}

func testOwnKey(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	tn.apply(t, platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private(1)})
	own := platform.PeerChange{PublicKey: public(1), AllowedIPs: prefixes("10.0.0.1/32")}
	wantPeers(t, tn.setPeers(t, own))
	other := platform.PeerChange{PublicKey: public(2), AllowedIPs: prefixes("10.0.0.2/32")}
	wantPeers(t, tn.setPeers(t, own, other), platform.Peer{PublicKey: public(2), AllowedIPs: other.AllowedIPs})
	tn.apply(t, platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private(2)})
	wantPeers(t, tn.observe(t).Peers)
}

func testRekey(t *testing.T, ts *tunnels) {
	tn := ts.up(t, "wg0")
	peer := platform.PeerChange{PublicKey: public(3), AllowedIPs: prefixes("10.0.0.3/32")}
	tn.apply(t, platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private(1), Peers: []platform.PeerChange{peer}})
	tn.apply(t, platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private(2)})
	wantPeers(t, tn.observe(t).Peers, platform.Peer{PublicKey: public(3), AllowedIPs: peer.AllowedIPs})
}

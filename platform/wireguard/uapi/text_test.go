package uapi

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/platform"
)

func TestAppendChange(t *testing.T) {
	one, two, three := key.PublicKey{1}, key.PublicKey{2}, key.PublicKey{3}
	change := platform.TunnelChange{
		Set: platform.SetPrivateKey | platform.SetListenPort | platform.SetFwMark, PrivateKey: key.NewPrivate([32]byte{8}),
		ListenPort: 51820, FwMark: 0xffffffff, ReplacePeers: true, Remove: []key.PublicKey{one},
		Peers: []platform.PeerChange{
			{PublicKey: two, Update: true, Set: platform.SetEndpoint | platform.SetKeepalive, Endpoint: netip.MustParseAddrPort("[fe80::1%eth0]:5"),
				Keepalive: 25, ReplaceAllowedIPs: true, AllowedIPs: []netip.Prefix{netip.MustParsePrefix("10.1.2.3/24"), netip.MustParsePrefix("::/0")}},
			{PublicKey: three, Endpoint: netip.MustParseAddrPort("1.2.3.4:5"), Keepalive: 7},
			{PublicKey: three, Set: platform.SetEndpoint, Endpoint: netip.MustParseAddrPort("[::ffff:1.2.3.4]:5")},
			{PublicKey: three, Set: platform.SetEndpoint},
		},
	}
	zeros := strings.Repeat("0", 62)
	want := "private_key=08" + zeros[:60] + "40\nlisten_port=51820\nfwmark=4294967295\nreplace_peers=true\n" +
		"public_key=01" + zeros + "\nremove=true\n" +
		"public_key=02" + zeros + "\nupdate_only=true\nendpoint=[fe80::1%eth0]:5\npersistent_keepalive_interval=25\n" +
		"replace_allowed_ips=true\nallowed_ip=10.1.2.0/24\nallowed_ip=::/0\n" +
		"public_key=03" + zeros + "\n" +
		"public_key=03" + zeros + "\nendpoint=1.2.3.4:5\n" +
		"public_key=03" + zeros + "\n"
	if got := string(appendChange(nil, &change)); got != want {
		t.Errorf("text is\n%s\nwant\n%s", got, want)
	}
	if got := appendChange(nil, &platform.TunnelChange{PrivateKey: change.PrivateKey, ListenPort: 1, FwMark: 2}); len(got) != 0 {
		t.Errorf("an empty change is %q", got)
	}
}

// stateText is what a device with two peers says, in no order.
func stateText() string {
	zeros := strings.Repeat("0", 62)
	return "private_key=08" + zeros[:60] + "40\nlisten_port=51820\nfwmark=7\n" +
		"public_key=02" + zeros + "\npreshared_key=00" + zeros + "\nprotocol_version=1\nendpoint=[fe80::1%eth0]:5\n" +
		"last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=5\ntx_bytes=18446744073709551615\nrx_bytes=6\n" +
		"persistent_keepalive_interval=25\nallowed_ip=fd00::/64\nallowed_ip=10.1.2.0/24\n" +
		"public_key=01" + zeros + "\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\nsomething_new=1\n"
}

func TestParseState(t *testing.T) {
	want := platform.TunnelState{Backend: platform.Userspace, PrivateKey: key.NewPrivate([32]byte{8}), ListenPort: 51820, FwMark: 7,
		Peers: []platform.Peer{
			{PublicKey: key.PublicKey{1}},
			{PublicKey: key.PublicKey{2}, Endpoint: netip.MustParseAddrPort("[fe80::1%eth0]:5"), Keepalive: 25,
				AllowedIPs:    []netip.Prefix{netip.MustParsePrefix("10.1.2.0/24"), netip.MustParsePrefix("fd00::/64")},
				LastHandshake: time.Unix(1_700_000_000, 5), Tx: 1<<64 - 1, Rx: 6},
		}}
	s := platform.TunnelState{FwMark: 99, Peers: []platform.Peer{{AllowedIPs: make([]netip.Prefix, 3)}, {Keepalive: 1}, {}}}
	for range 3 { // again, in used memory
		if err := parseState(&s, []byte(stateText())); err != nil {
			t.Fatal(err)
		}
		for i := range s.Peers {
			s.Peers[i].AllowedIPs = slices.Clip(s.Peers[i].AllowedIPs)
			if len(s.Peers[i].AllowedIPs) == 0 {
				s.Peers[i].AllowedIPs = nil
			}
		}
		if !reflect.DeepEqual(s, want) {
			t.Fatalf("state is\n%+v\nwant\n%+v", s, want)
		}
	}
}

func TestParseStateRefuses(t *testing.T) {
	secret := strings.Repeat("ab", 31)
	for _, text := range []string{
		"private_key=" + secret, "private_key=" + secret + "zz", "public_key=", "listen_port=65536", "fwmark=x",
		"public_key=" + secret + "ab\nendpoint=1.2.3.4", "public_key=" + secret + "ab\nallowed_ip=1.2.3.4/33",
		"public_key=" + secret + "ab\nlast_handshake_time_sec=-1", "public_key=" + secret + "ab\nrx_bytes=18446744073709551616",
	} {
		err := parseState(new(platform.TunnelState), []byte(text))
		if err == nil || strings.Contains(err.Error(), "abab") {
			t.Errorf("%q: error is %v, want one without the key", text, err)
		}
	}
}

// FuzzParseState wants no panic, and that what was read can be written as a
// change that reads the same.
func FuzzParseState(f *testing.F) {
	f.Add([]byte(stateText()))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s, again platform.TunnelState
		if parseState(&s, text) != nil {
			return
		}
		c := platform.TunnelChange{Set: platform.SetPrivateKey | platform.SetListenPort | platform.SetFwMark,
			PrivateKey: s.PrivateKey, ListenPort: s.ListenPort, FwMark: s.FwMark}
		for i := range s.Peers {
			p := &s.Peers[i]
			p.LastHandshake, p.Rx, p.Tx = time.Time{}, 0, 0
			p.Endpoint = netip.AddrPortFrom(p.Endpoint.Addr().Unmap(), p.Endpoint.Port())
			for j, a := range p.AllowedIPs {
				p.AllowedIPs[j] = a.Masked()
			}
			slices.SortFunc(p.AllowedIPs, netip.Prefix.Compare)
			c.Peers = append(c.Peers, platform.PeerChange{PublicKey: p.PublicKey, Set: platform.SetEndpoint | platform.SetKeepalive,
				Endpoint: p.Endpoint, Keepalive: p.Keepalive, AllowedIPs: p.AllowedIPs})
		}
		if err := parseState(&again, appendChange(nil, &c)); err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		sortState(&s)
		if got, want := fmt.Sprint(again), fmt.Sprint(s); got != want {
			t.Errorf("read again\n%s\nwant\n%s", got, want)
		}
	})
}

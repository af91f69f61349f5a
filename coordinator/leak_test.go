package coordinator_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/coordinator/commandtest"
	"ginnel/coordinator/coordinatortest"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

// seenAt is a peer's endpoint, no other's.
func seenAt(a netip.Addr) netip.AddrPort {
	b := a.As4()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, b[2]}), 1000+uint16(b[3]))
}

// TestBehaviour28NothingLeaks: whatever the coordinator answers to a peer that
// is no admin, nothing in it is of a peer or CIDR it may not see.
func TestBehaviour28NothingLeaks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	src := commandtest.New(seed)
	n := coordinatortest.New(t)
	n.MustDo(network.RemovePeer{Name: "eve"})
	positions, forbidden := map[netip.Addr]wire.Position{}, 0
	for range 300 {
		now := time.Now()
		if _, err := n.Do(src.Next(n.Book(), now)); err != nil {
			continue
		}
		p := n.Book().Peers()[src.IntN(len(n.Book().Peers()))]
		n.Seen(now, []wire.Sighting{{Address: p.Address, Endpoint: seenAt(p.Address), LastHandshake: now}})
		holder := src.Holder(p.Key)
		if p.IsInvited() {
			holder = src.Holder(p.Invited.Key)
		}
		if p.Admin || holder.IsZero() {
			continue
		}
		dump := askEverything(t, n, p.Address, holder, positions)
		for what, text := range secrets(n.Book(), &p) {
			forbidden++
			if strings.Contains(dump, text) {
				t.Fatalf("seed %d: %s was told %s (%s):\n%s", seed, p.Address, text, what, dump)
			}
		}
	}
	if forbidden < 300 {
		t.Errorf("seed %d: only %d things to keep secret: the test tests nothing", seed, forbidden)
	}
}

// askEverything returns every byte that a peer is answered.
func askEverything(t *testing.T, n *coordinatortest.Network, a netip.Addr, k key.PrivateKey, positions map[netip.Addr]wire.Position) string {
	t.Helper()
	var dump strings.Builder
	ask := func(method, target string, body any) {
		r := n.CallFrom(a, k, method, target, body)
		fmt.Fprintf(&dump, "%s %s: %d %v %s\n", method, target, r.Status, r.Header, r.Body)
		var u wire.Update
		if r.Status == wire.StatusOK && json.Unmarshal(r.Body, &u) == nil && u.Position.Epoch != 0 {
			positions[a] = u.Position
		}
	}
	pos := positions[a]
	ask("GET", fmt.Sprintf("%s?revision=%d&epoch=%d&seq=%d", wire.PathMap, pos.Revision, pos.Epoch, pos.Seq), nil)
	ask("GET", fmt.Sprintf("%s?revision=%d&epoch=1", wire.PathMap, max(n.Book().Revision()-5, 1)), nil)
	ask("GET", wire.PathMap, nil)
	ask("GET", wire.PathNetwork, nil)
	ask("GET", wire.PathPeers, nil)
	ask("GET", wire.PathCIDRs, nil)
	ask("PUT", wire.PathSelf, `{"candidates":[]}`)
	other := n.Book().Peers()[len(n.Book().Peers())-1]
	if other.Address != a && !other.Key.IsZero() {
		ask("POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: other.Key})
	}
	return dump.String()
}

// secrets are the texts that may not reach p, by what they are.
func secrets(book *network.Book, p *network.Peer) map[string]string {
	secret := map[string]string{}
	// Its own CIDR's name, the root's, which is the network's, and infra's.
	business := map[string]bool{book.CIDROf(p.Address).Name: true, book.CIDROf(book.Coordinator().Address).Name: true, book.Name(): true}
	for _, q := range book.Peers() {
		active := !p.Disabled && !p.IsInvited()
		shown := active && !q.Disabled && !q.IsInvited() && book.Sees(p.Address, q.Address)
		if q.Address == p.Address || shown || q.Address == book.Coordinator().Address {
			business[book.CIDROf(q.Address).Name] = true
			continue
		}
		of := " of " + q.Address.String()
		secret["name"+of] = `"` + q.Name + `"`
		secret["endpoint"+of] = `"` + seenAt(q.Address).String() + `"`
		if !q.Key.IsZero() {
			secret["key"+of] = q.Key.String()
		} else {
			secret["temporary key"+of] = q.Invited.Key.String()
		}
	}
	for _, c := range book.CIDRs() {
		if !business[c.Name] {
			secret["CIDR "+c.Prefix.String()] = `"` + c.Name + `"`
		}
	}
	return secret
}

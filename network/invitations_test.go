package network_test

import (
	"strings"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/network"
)

func TestBehaviour30Invite(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.join("a", "net", "")
	cmd := network.Invite{Name: "guest", CIDR: "net", Admin: true, Key: w.newKey(), Expires: later}
	c := w.do(cmd)
	w.wantHears(c, "hub")
	p, _ := w.PeerNamed("guest")
	want := network.Peer{Address: addr("10.42.0.3"), Name: "guest", Admin: true, Invited: network.Invitation{Key: cmd.Key, Expires: later}}
	if *p != want || len(c.Put.Peers) != 1 || c.Put.Peers[0] != want || !p.IsInvited() {
		t.Errorf("invited %+v, want %+v", p, want)
	}
	for _, bad := range []network.Invite{
		{Name: "x", Key: w.newKey(), Expires: later},
		{Name: "x", CIDR: "net", Key: w.newKey(), Expires: now},
		{Name: "x", CIDR: "net", Key: w.newKey()},
	} {
		w.refused(bad, network.Invalid)
	}
	w.refused(network.Invite{Name: "x", CIDR: "none", Key: w.newKey(), Expires: later}, network.NotFound, `"none"`)
	w.refused(network.Invite{Name: "x", CIDR: "infra", Key: w.newKey(), Expires: later}, network.Conflict, "infra")
}

// TestBehaviour44Reinvite: the old invitation is good for nothing at once, all
// else stays.
func TestBehaviour44Reinvite(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.join("a", "net", "")
	old := network.Invite{Name: "guest", CIDR: "net", Admin: true, Key: w.newKey(), Expires: later}
	w.do(old)
	before, _ := w.PeerNamed("guest")
	cmd := network.Reinvite{Name: "guest", Key: w.newKey(), Expires: later.Add(time.Hour)}
	w.wantHears(w.do(cmd), "hub")
	p, _ := w.PeerNamed("guest")
	want := *before
	want.Invited = network.Invitation{Key: cmd.Key, Expires: cmd.Expires}
	if *p != want {
		t.Errorf("reinvited %+v, want %+v", *p, want)
	}
	w.refused(network.Redeem{Address: p.Address, Invited: old.Key, Key: w.newKey()}, network.Gone, "revoked")
	w.refused(network.Reinvite{Name: "guest", Key: w.newKey(), Expires: now}, network.Invalid, "over at once")
	w.refused(network.Reinvite{Name: "guest", Key: cmd.Key, Expires: later}, network.Conflict, "in use")
	w.refused(network.Reinvite{Name: "nobody", Key: w.newKey(), Expires: later}, network.NotFound, "nobody")
	for _, name := range []string{"a", "hub"} {
		w.refused(network.Reinvite{Name: name, Key: w.newKey(), Expires: later}, network.Conflict, name+" has joined", "peer remove", "peer invite")
	}
	w.do(network.Redeem{Address: p.Address, Invited: cmd.Key, Key: w.newKey()})
}

func TestBehaviour31AutomaticAddresses(t *testing.T) {
	cases := []struct {
		root, cidr string
		want       []string // the addresses it gives, until it is full
	}{
		{"10.42.0.0/16", "10.42.1.0/29", []string{"10.42.1.1", "10.42.1.2", "10.42.1.3", "10.42.1.4", "10.42.1.5", "10.42.1.6"}},
		{"10.42.0.0/16", "10.42.1.0/30", []string{"10.42.1.1", "10.42.1.2"}},
		{"10.42.0.0/16", "10.42.1.0/31", []string{"10.42.1.0", "10.42.1.1"}},
		{"10.42.0.0/16", "10.42.1.0/32", []string{"10.42.1.0"}},
		{"10.42.0.0/16", "10.42.255.254/31", []string{"10.42.255.254"}}, // the other one is the root's broadcast
		{"fd42::/64", "fd42::100/126", []string{"fd42::101", "fd42::102", "fd42::103"}},
		{"fd42::/64", "fd42::100/127", []string{"fd42::100", "fd42::101"}},
		{"fd42::/64", "fd42::100/128", []string{"fd42::100"}},
		{"10.42.0.0/31", "", []string{"10.42.0.1"}},
		{"10.42.0.0/30", "", []string{"10.42.0.2"}},
		{"fd42::/127", "", []string{"fd42::1"}},
		{"fd42::/126", "", []string{"fd42::2", "fd42::3"}},
	}
	for _, c := range cases {
		w := newWorld(t, c.root)
		cidr := "net"
		if c.cidr != "" {
			cidr = "small"
			w.cidr(cidr, c.cidr)
		}
		for i, want := range c.want {
			if got := w.invite("p"+string(rune('0'+i)), cidr, ""); got != addr(want) {
				t.Errorf("%s %s gave %v, want %s", c.root, c.cidr, got, want)
			}
		}
		w.refused(network.Invite{Name: "late", CIDR: cidr, Key: w.newKey(), Expires: later}, network.Conflict, "full", cidr)
	}
}

func TestBehaviour31And34AroundChildrenAndGaps(t *testing.T) {
	w := newWorld(t, "10.42.0.0/24")
	w.cidr("dev", "10.42.0.128/25")
	w.cidr("lab", "10.42.0.128/29")
	w.cidr("ops", "10.42.0.140/30")
	if got := w.join("a", "dev", ""); got != addr("10.42.0.136") {
		t.Errorf("the lowest outside lab is %v", got)
	}
	w.join("c", "dev", "10.42.0.138")
	for _, want := range []string{"10.42.0.137", "10.42.0.139", "10.42.0.144"} {
		if got := w.join("d"+want[8:], "dev", ""); got != addr(want) {
			t.Errorf("the lowest free is %v, want %s", got, want)
		}
	}
	w.cidr("whole-1", "10.42.0.64/27")
	w.cidr("half-1", "10.42.0.64/28")
	w.cidr("half-2", "10.42.0.80/28")
	w.refused(network.Invite{Name: "x", CIDR: "whole-1", Key: w.newKey(), Expires: later}, network.Conflict, "all of whole-1 lies in half-1 and half-2: invite into one of those")
}

func TestBehaviour31And32GivenAddresses(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	w.cidr("lab", "10.42.1.128/25")
	w.cidr("pair", "10.42.2.0/31")
	w.cidr("edge", "10.42.255.254/31")
	w.join("a", "dev", "10.42.1.5")
	w.invite("guest", "", "10.42.1.6")
	cases := []struct {
		cidr, address string
		kind          network.Kind
		words         []string
	}{
		{"", "10.43.0.1", network.Invalid, []string{"10.43.0.1", "outside", "net (10.42.0.0/16)"}},
		{"", "fd42::1", network.Invalid, []string{"outside"}},
		{"", "::ffff:10.42.1.7", network.Invalid, []string{"outside"}},
		{"dev", "10.42.2.1", network.Invalid, []string{"10.42.2.1 belongs to pair (10.42.2.0/31), not to dev (10.42.1.0/24)"}},
		{"dev", "10.42.1.129", network.Invalid, []string{"belongs to lab"}},
		{"net", "10.42.1.7", network.Invalid, []string{"belongs to dev"}},
		{"none", "10.42.1.7", network.NotFound, []string{`"none"`}},
		{"infra", "10.42.0.1", network.Conflict, []string{"infra"}},
		{"", "10.42.0.1", network.Conflict, []string{"hub"}},
		{"", "10.42.0.0", network.Invalid, []string{"take another"}},
		{"", "10.42.1.0", network.Invalid, []string{"dev (10.42.1.0/24)"}},
		{"lab", "10.42.1.128", network.Invalid, []string{"lab"}},
		{"lab", "10.42.1.255", network.Invalid, []string{"lab"}},
		{"edge", "10.42.255.255", network.Invalid, []string{"10.42.0.0/16"}},
		{"dev", "10.42.1.5", network.Conflict, []string{"10.42.1.5", "a's"}},
		{"dev", "10.42.1.6", network.Conflict, []string{"guest's"}},
	}
	for _, c := range cases {
		w.refused(network.Invite{Name: "x", CIDR: c.cidr, Address: addr(c.address), Key: w.newKey(), Expires: later}, c.kind, c.words...)
	}
	w.join("p0", "pair", "10.42.2.0")
	w.join("p1", "", "10.42.2.1")
	w.join("d127", "dev", "10.42.1.127") // dev's child does not make it dev's last

	six := newWorld(t, "fd42::/64")
	six.cidr("dev", "fd42::100/120")
	six.refused(network.Invite{Name: "x", Address: addr("fd42::100"), Key: w.newKey(), Expires: later}, network.Invalid, "dev")
	six.refused(network.Invite{Name: "x", Address: addr("fd42::"), Key: w.newKey(), Expires: later}, network.Invalid)
	six.refused(network.Invite{Name: "x", Address: addr("fd42::1%eth0"), Key: w.newKey(), Expires: later}, network.Invalid, "outside")
	six.join("last", "dev", "fd42::1ff")
}

func TestBehaviour35Expiry(t *testing.T) {
	w := newWorld(t, "10.42.0.0/24")
	if !w.NextExpiry().IsZero() {
		t.Error("an expiry without invitations")
	}
	w.join("a", "net", "")
	var guests []network.Invite
	for i, life := range []time.Duration{3 * time.Hour, time.Hour, 2 * time.Hour} {
		guests = append(guests, network.Invite{Name: "g" + string(rune('1'+i)), CIDR: "net", Key: w.newKey(), Expires: now.Add(life)})
		w.do(guests[i])
	}
	if got := w.NextExpiry(); !got.Equal(now.Add(time.Hour)) {
		t.Errorf("the next expiry is %v", got)
	}
	second, _ := w.PeerNamed("g2")
	_, _, err := w.Apply(now.Add(time.Hour), w.redeem(second.Address, w.newKey()))
	wantRefusal(t, err, network.Gone, "2026-03-01T13:00:00Z")

	if c := w.do(network.Expire{}); c.Revision != 0 || len(c.Parts) != 0 {
		t.Errorf("expiring nothing gave %+v", c)
	}
	next, c, err := w.Apply(now.Add(2*time.Hour), network.Expire{})
	if err != nil || len(c.Delete.Peers) != 2 || len(next.Peers()) != 3 || len(next.Snapshot().Retired) != 0 {
		t.Fatalf("expiring gave %+v, %v", c, err)
	}
	w.wantHears(c, "hub")
	w.Book = next
	if got := w.NextExpiry(); !got.Equal(now.Add(3 * time.Hour)) {
		t.Errorf("the next expiry is %v", got)
	}
	if got := w.invite("g2", "net", ""); got != second.Address {
		t.Errorf("the expired invitation's address was not freed, the next got %v", got)
	}
	w.refused(network.Redeem{Address: addr("10.42.0.99"), Key: w.newKey()}, network.NotFound, "10.42.0.99")
}

func TestBehaviour36RedeemOnce(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.cidr("dev", "10.42.1.0/24")
	w.join("b", "dev", "")
	w.join("far", "net", "")
	a := w.invite("a", "dev", "")
	cmd := w.redeem(a, w.newKey())
	w.wantHears(w.do(cmd), "hub", "b", "a")
	if p, _ := w.Peer(a); p.Key != cmd.Key || p.IsInvited() || !p.Invited.Expires.IsZero() {
		t.Errorf("redeemed as %+v", p)
	}
	w.wantSight("a", "hub", "b")
	w.wantSight("b", "hub", "a")
	before := w.Revision()
	if c := w.do(cmd); c.Revision != 0 || w.Revision() != before {
		t.Errorf("the retried redeem gave %+v", c)
	}
	if _, c, err := w.Apply(later.Add(time.Hour), cmd); err != nil || c.Revision != 0 {
		t.Errorf("the redeem retried after expiry gave %+v, %v", c, err)
	}
	w.refused(network.Redeem{Address: a, Key: w.newKey()}, network.Gone, "redeemed already")
}

func TestBehaviour40BadKeys(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	w.join("alice", "net", "")
	w.invite("bob", "net", "")
	carol := w.invite("carol", "net", "")
	alice, _ := w.PeerNamed("alice")
	bob, _ := w.PeerNamed("bob")
	invited, _ := w.Peer(carol)
	weak := key.PublicKey{1}
	for _, c := range []struct {
		what string
		k    key.PublicKey
		kind network.Kind
	}{
		{"zero", key.PublicKey{}, network.Weak},
		{"low order", weak, network.Weak},
		{"the coordinator's", w.Coordinator().Key, network.Conflict},
		{"another peer's", alice.Key, network.Conflict},
		{"another's temporary", bob.Invited.Key, network.Conflict},
		{"its own temporary", invited.Invited.Key, network.Conflict},
	} {
		redeem := w.redeem(carol, c.k)
		w.refused(redeem, c.kind, "generate a new key pair")
		w.refused(network.Invite{Name: "x", CIDR: "net", Key: c.k, Expires: later}, c.kind)
		_, _, err := w.Apply(now, redeem)
		for _, secret := range []string{"alice", "bob", "hub", c.k.String()} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the invitee is told %q: %v", c.what, secret, err)
			}
		}
	}
	w.refused(w.redeem(carol, invited.Invited.Key), network.Conflict, "temporary")
	w.do(w.redeem(carol, w.newKey()))
}

// TestRedate: the ends of the invitations that are named move, and no others.
func TestRedate(t *testing.T) {
	w := newWorld(t, "10.42.0.0/16")
	a, b := w.newKey(), w.newKey()
	w.do(network.Invite{Name: "a", CIDR: "net", Key: a, Expires: later})
	w.do(network.Invite{Name: "b", CIDR: "net", Key: b, Expires: later})
	c := w.do(network.Redate{Keys: []key.PublicKey{a, w.newKey()}, By: time.Hour})
	w.wantHears(c, "hub")
	if len(c.Put.Peers) != 1 {
		t.Errorf("the change is %+v", c)
	}
	for name, want := range map[string]time.Time{"a": later.Add(time.Hour), "b": later} {
		if p, ok := w.PeerNamed(name); !ok || !p.Invited.Expires.Equal(want) {
			t.Errorf("%s ends at %v, want %v", name, p.Invited.Expires, want)
		}
	}
	if c := w.do(network.Redate{Keys: []key.PublicKey{w.newKey()}, By: time.Hour}); c.Revision != 0 {
		t.Errorf("of nobody's key: %+v", c)
	}
}

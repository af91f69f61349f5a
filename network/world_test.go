package network_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/network"
)

// now is the time at which tests act, unless they say otherwise.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// later is when invitations end, unless tests say otherwise.
var later = now.Add(network.InvitationLife)

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

var keys []key.PublicKey

// testKey returns the n-th of a sequence of good keys.
func testKey(n int) key.PublicKey {
	for len(keys) <= n {
		b := [key.Size]byte{8: byte(len(keys)), 9: byte(len(keys) >> 8), 10: byte(len(keys) >> 16)}
		keys = append(keys, key.NewPrivate(b).Public())
	}
	return keys[n]
}

// world is a book that a test acts on.
type world struct {
	testing.TB
	*network.Book
	used int // keys
}

// newWorld makes a network "net" with the coordinator "hub".
func newWorld(t testing.TB, root string) *world {
	t.Helper()
	b, _, err := network.New("net", prefix(root), "hub", testKey(0))
	if err != nil {
		t.Fatal(err)
	}
	return &world{TB: t, Book: b}
}

func (w *world) newKey() key.PublicKey {
	w.used++
	return testKey(w.used)
}

// do applies commands that must be accepted, and returns the last one's change.
func (w *world) do(cmds ...network.Command) network.Change {
	w.Helper()
	var last network.Change
	for _, cmd := range cmds {
		next, change, err := w.Apply(now, cmd)
		if err != nil {
			w.Fatalf("%T%+v: %v", cmd, cmd, err)
		}
		if _, err := network.Load(next.Snapshot()); err != nil {
			w.Fatalf("after %T%+v: %v", cmd, cmd, err)
		}
		w.Book, last = next, change
	}
	return last
}

// refused applies a command that must be refused with all the words in its
// reason, and change nothing.
func (w *world) refused(cmd network.Command, kind network.Kind, words ...string) {
	w.Helper()
	next, change, err := w.Apply(now, cmd)
	if next != w.Book || change.Revision != 0 {
		w.Errorf("%T%+v was refused and yet changed something", cmd, cmd)
	}
	wantRefusal(w.TB, err, kind, words...)
}

func wantRefusal(t testing.TB, err error, kind network.Kind, words ...string) {
	t.Helper()
	var r *network.Refusal
	if !errors.As(err, &r) {
		t.Errorf("error %v is no refusal", err)
		return
	}
	if r.Kind != kind {
		t.Errorf("refused with kind %d, want %d: %s", r.Kind, kind, r.Reason)
	}
	for _, word := range words {
		if !strings.Contains(r.Reason, word) {
			t.Errorf("reason %q does not say %q", r.Reason, word)
		}
	}
}

// invite invites a peer to an address ("" picks one) in a CIDR.
func (w *world) invite(name, cidr, address string) netip.Addr {
	w.Helper()
	cmd := network.Invite{Name: name, CIDR: cidr, Key: w.newKey(), Expires: later}
	if address != "" {
		cmd.Address = addr(address)
	}
	return w.do(cmd).Put.Peers[0].Address
}

// join invites a peer and redeems the invitation.
func (w *world) join(name, cidr, address string) netip.Addr {
	w.Helper()
	a := w.invite(name, cidr, address)
	w.do(w.redeem(a, w.newKey()))
	return a
}

// redeem is the redeeming of whatever invitation is open at a.
func (w *world) redeem(a netip.Addr, k key.PublicKey) network.Redeem {
	cmd := network.Redeem{Address: a, Key: k}
	if p, ok := w.Peer(a); ok {
		cmd.Invited = p.Invited.Key
	}
	return cmd
}

func (w *world) cidr(name, p string) {
	w.Helper()
	w.do(network.AddCIDR{Name: name, Prefix: prefix(p)})
}

// wantSight checks whom a peer sees: the names, in order of address.
func (w *world) wantSight(name string, want ...string) {
	w.Helper()
	p, ok := w.PeerNamed(name)
	if !ok {
		w.Fatalf("no peer is called %s", name)
	}
	var got []string
	for _, q := range w.View(p.Address, nil) {
		got = append(got, q.Name)
	}
	if !slices.Equal(got, want) {
		w.Errorf("%s sees %v, want %v", name, got, want)
	}
}

// wantHears checks which peers must look again after a change.
func (w *world) wantHears(c network.Change, want ...string) {
	w.Helper()
	var got []string
	for _, p := range w.Peers() {
		if len(network.Touched([]network.Change{c}, p.Address)) > 0 {
			got = append(got, p.Name)
		}
	}
	if !slices.Equal(got, want) {
		w.Errorf("of the change hear %v, want %v", got, want)
	}
}

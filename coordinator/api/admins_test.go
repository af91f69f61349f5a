package api_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"ginnel/coordinator"
	"ginnel/coordinator/coordinatortest"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

func TestBehaviour13CIDRs(t *testing.T) {
	n := coordinatortest.New(t)
	lab := netip.MustParsePrefix("10.42.1.0/28")
	made := answer[wire.CIDRChange](t, n.Call("ann", "POST", wire.PathCIDRs, wire.CIDR{Name: "lab", Prefix: lab}), 201)
	if made.CIDR != (wire.CIDR{Name: "lab", Prefix: lab, Parent: "servers", Peers: 3}) {
		t.Errorf("made %+v", made.CIDR)
	}
	renamed := answer[wire.CIDR](t, n.Call("ann", "PATCH", wire.PathCIDRs+"/lab", wire.Rename{Name: "den"}), 200)
	if renamed != (wire.CIDR{Name: "den", Prefix: lab, Parent: "servers", Peers: 3}) {
		t.Errorf("renamed %+v", renamed)
	}
	answer[wire.CIDRChange](t, n.Call("ann", "POST", wire.PathCIDRs, wire.CIDR{Name: "guests", Prefix: netip.MustParsePrefix("10.42.7.0/24"), Isolated: true}), 201)
	want := []wire.CIDR{
		{Name: "home", Prefix: netip.MustParsePrefix("10.42.0.0/16")},
		{Name: "infra", Prefix: netip.MustParsePrefix("10.42.0.1/32"), Parent: "home", Peers: 1},
		{Name: "servers", Prefix: netip.MustParsePrefix("10.42.1.0/24"), Parent: "home"},
		{Name: "den", Prefix: lab, Parent: "servers", Peers: 3},
		{Name: "phones", Prefix: netip.MustParsePrefix("10.42.2.0/24"), Parent: "home", Peers: 2},
		{Name: "guests", Prefix: netip.MustParsePrefix("10.42.7.0/24"), Parent: "home", Isolated: true},
	}
	if list := answer[[]wire.CIDR](t, n.Call("ann", "GET", wire.PathCIDRs, nil), 200); !slices.Equal(list, want) {
		t.Errorf("CIDRs are\n%+v\nwant\n%+v", list, want)
	}
	status(t, n.Call("ann", "DELETE", wire.PathCIDRs+"/guests", nil), 204)
	status(t, n.Call("ann", "DELETE", wire.PathCIDRs+"/guests", nil), 404)
}

func TestBehaviour16PreviewSaysWhoLosesSight(t *testing.T) {
	n := coordinatortest.New(t)
	before := n.Book()
	alone := wire.CIDR{Name: "lab", Prefix: netip.PrefixFrom(n.Address("bob"), 32)}
	preview := answer[wire.CIDRChange](t, n.Call("ann", "POST", wire.PathCIDRs+"?preview=1", alone), 200)
	want := []wire.NamePair{{"ann", "bob"}}
	if !slices.Equal(preview.Lost, want) || preview.LostCount != 1 || len(preview.Gained)+preview.GainedCount > 0 || preview.CIDR.Parent != "servers" || preview.CIDR.Peers != 1 {
		t.Errorf("the preview is %+v", preview)
	}
	if n.Book() != before {
		t.Error("the preview changed the book")
	}
	made := answer[wire.CIDRChange](t, n.Call("ann", "POST", wire.PathCIDRs, alone), 201)
	if len(made.Lost)+made.LostCount > 0 || made.CIDR != preview.CIDR {
		t.Errorf("made %+v, the preview was %+v", made, preview)
	}
}

// TestPreviewsAreBounded: pairs grow with the square of the peers, answers do
// not.
func TestPreviewsAreBounded(t *testing.T) {
	n := coordinatortest.New(t)
	n.Grow(2000)
	half := wire.CIDR{Name: "half", Prefix: netip.MustParsePrefix("10.42.128.0/22")}
	response := n.Call("ann", "POST", wire.PathCIDRs+"?preview=1", half)
	preview := answer[wire.CIDRChange](t, response, 200)
	if preview.LostCount != 1023*977 || len(preview.Lost) != wire.MaxPreviewPairs || len(response.Body) > 8<<10 {
		t.Errorf("of %d lost pairs %d are named, in %d bytes", preview.LostCount, len(preview.Lost), len(response.Body))
	}
	if made := n.Call("ann", "POST", wire.PathCIDRs, half); made.Status != 201 || len(made.Body) > 1<<10 {
		t.Errorf("making it is answered with %d and %d bytes", made.Status, len(made.Body))
	}
}

func TestBehaviour27Associations(t *testing.T) {
	n := coordinatortest.New(t)
	pair := wire.Association{"servers", "phones"}
	if list := n.Call("ann", "GET", wire.PathAssociations, nil); string(list.Body) != "[]" {
		t.Errorf("no associations are %s, want []", list.Body)
	}
	if made := answer[wire.Association](t, n.Call("ann", "POST", wire.PathAssociations, pair), 201); made != pair {
		t.Errorf("made %v", made)
	}
	status(t, n.Call("ann", "POST", wire.PathAssociations, wire.Association{"phones", "servers"}), 409)
	list := answer[[]wire.Association](t, n.Call("ann", "GET", wire.PathAssociations, nil), 200)
	if len(list) != 1 || list[0] != pair {
		t.Errorf("associations are %v, want %v", list, pair)
	}
	before := n.Book()
	preview := answer[wire.SightChange](t, n.Call("ann", "DELETE", wire.PathAssociations+"/phones/servers?preview=1", nil), 200)
	want := []wire.NamePair{{"ann", "carl"}, {"bob", "carl"}} // dan is disabled, eve invited
	if preview.LostCount != 2 || !slices.Equal(preview.Lost, want) || preview.GainedCount > 0 || n.Book() != before {
		t.Errorf("the preview is %+v", preview)
	}
	status(t, n.Call("ann", "DELETE", wire.PathAssociations+"/phones/phones?preview=1", nil), 404)
	status(t, n.Call("ann", "DELETE", wire.PathAssociations+"/phones/servers", nil), 204)
	status(t, n.Call("ann", "DELETE", wire.PathAssociations+"/phones/servers", nil), 404)
}

func TestListOfPeers(t *testing.T) {
	n := coordinatortest.New(t)
	seen := time.Now().UTC().Truncate(time.Second)
	n.Seen(seen, []wire.Sighting{{Address: n.Address("bob"), Endpoint: netip.MustParseAddrPort("192.0.2.7:9"), LastHandshake: seen}})
	list := answer[[]wire.Peer](t, n.Call("ann", "GET", wire.PathPeers, nil), 200)
	states := map[string]wire.PeerState{}
	for _, p := range list {
		states[p.Name] = p.State
		if p.PublicKey != n.Keys[p.Name].Public() {
			t.Errorf("%s has the key %s", p.Name, p.PublicKey)
		}
		switch p.Name {
		case "bob":
			if !p.LastHandshake.Equal(seen) || p.Endpoints.Seen.Port() != 9 {
				t.Errorf("bob is %+v", p)
			}
		case "eve":
			if p.Expires.IsZero() || p.Role != wire.RoleInvitee {
				t.Errorf("eve is %+v", p)
			}
		}
	}
	want := map[string]wire.PeerState{"hub": "active", "ann": "active", "bob": "active", "carl": "active", "dan": "disabled", "eve": "invited"}
	for name, state := range want {
		if states[name] != state {
			t.Errorf("%s is %q, want %q", name, states[name], state)
		}
	}
	if len(list) != len(want) {
		t.Errorf("the list has %d peers, want %d", len(list), len(want))
	}
}

func TestBehaviour30And31Invitations(t *testing.T) {
	n := coordinatortest.New(t)
	request := wire.InvitationRequest{Name: "fay", CIDR: "servers", Admin: true, ExpiresIn: 3600}
	issued := answer[wire.InvitationIssued](t, n.Call("ann", "POST", wire.PathInvitations, request), 201)
	inv, err := wire.ParseInvitation(issued.Token)
	if err != nil {
		t.Fatal(err)
	}
	p := issued.Peer
	if p.Name != "fay" || p.Address != netip.MustParseAddr("10.42.1.4") || p.CIDR != "servers" || !p.Admin || p.State != wire.PeerInvited || p.PublicKey != inv.Key.Public() {
		t.Errorf("the invited peer is %+v", p)
	}
	if inv.Network != "home" || inv.Root != n.Book().Root() || inv.Address != p.Address || inv.Name != "fay" || !inv.Expires.Equal(p.Expires) {
		t.Errorf("the invitation is for %s at %s in %s (%s) until %s", inv.Name, inv.Address, inv.Network, inv.Root, inv.Expires)
	}
	c := inv.Coordinator
	if c.Address != n.Address("hub") || c.PublicKey != n.Keys["hub"].Public() || c.APIPort != 51820 || !slices.Equal(c.Endpoints, []string{"hub.example:51820"}) {
		t.Errorf("the coordinator is %+v", c)
	}
	if left := time.Until(p.Expires); left < 50*time.Minute || left > time.Hour {
		t.Errorf("it ends in %s, want an hour", left)
	}
	n.Keys["fay"] = inv.Key
	real := n.Source.PrivateKey()
	status(t, n.Call("fay", "POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: real.Public()}), 200)
	n.Keys["fay"] = real
	status(t, n.Call("fay", "GET", wire.PathPeers, nil), 200) // invited as an admin
}

// TestBehaviour44Reinvite: the token before is good for nothing at once.
func TestBehaviour44Reinvite(t *testing.T) {
	n := coordinatortest.New(t)
	redeem := func(k key.PrivateKey, want int) {
		t.Helper()
		n.Keys["eve"] = k
		status(t, n.Call("eve", "POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: n.Source.Key()}), want)
	}
	old := n.Keys["eve"]
	path := wire.PathPeers + "/eve/" + wire.PeerInvitation
	issued := answer[wire.InvitationIssued](t, n.Call("ann", "POST", path, wire.InvitationRenewal{ExpiresIn: 60}), 201)
	inv, err := wire.ParseInvitation(issued.Token)
	if err != nil || inv.Name != "eve" || inv.Address != n.Address("eve") || issued.Peer.State != wire.PeerInvited ||
		time.Until(inv.Expires) > time.Minute || !inv.Expires.Equal(issued.Peer.Expires) {
		t.Fatalf("issued %+v, %v", issued.Peer, err)
	}
	status(t, n.Call("ann", "POST", path, wire.InvitationRenewal{ExpiresIn: -1}), 422)
	status(t, n.Call("bob", "POST", path, wire.InvitationRenewal{}), 403)
	redeem(old, 401)
	redeem(inv.Key, 200)
	status(t, n.Call("ann", "POST", wire.PathPeers+"/nobody/"+wire.PeerInvitation, wire.InvitationRenewal{}), 404)
	status(t, n.Call("ann", "POST", path, wire.InvitationRenewal{}), 409)
}

func TestInvitationDefaultsAndAddress(t *testing.T) {
	n := coordinatortest.New(t)
	request := wire.InvitationRequest{Name: "fay", Address: netip.MustParseAddr("10.42.2.77")}
	issued := answer[wire.InvitationIssued](t, n.Call("ann", "POST", wire.PathInvitations, request), 201)
	if left := time.Until(issued.Peer.Expires); left < 14*24*time.Hour-time.Minute || left > 14*24*time.Hour {
		t.Errorf("it ends in %s, want 14 days", left)
	}
	if issued.Peer.Address != request.Address || issued.Peer.CIDR != "phones" {
		t.Errorf("the peer is %+v", issued.Peer)
	}
	status(t, n.Call("ann", "DELETE", wire.PathPeers+"/fay", nil), 204) // revoked
	status(t, n.Call("ann", "POST", wire.PathInvitations, request), 201)
}

func TestInvitationsNeedAnEndpoint(t *testing.T) {
	n := coordinatortest.New(t)
	s := n.Book().Snapshot()
	s.Endpoints = nil
	before, err := network.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	n.Start(before, nil)
	status(t, n.Call("ann", "POST", wire.PathInvitations, wire.InvitationRequest{Name: "fay", CIDR: "phones"}), 409)
	if n.Book() != before {
		t.Error("a refused invitation changed the book")
	}
	n.Configure = func(c *coordinator.Config) { c.Endpoints = []string{"old.example:51820"} }
	n.Start(before, nil)
	status(t, n.Call("ann", "POST", wire.PathInvitations, wire.InvitationRequest{Name: "fay", CIDR: "phones"}), 201)
	if e := n.Book().Endpoints(); len(e) != 1 || e[0] != "old.example:51820" {
		t.Errorf("a book of before has the endpoints %v, want the configuration's", e)
	}
}

// TestBehaviour71EndpointsOfTheCoordinator: an admin sets them, everybody sees
// them, and invitations carry them.
func TestBehaviour71EndpointsOfTheCoordinator(t *testing.T) {
	n := coordinatortest.New(t)
	moved := []string{"new.example:51820", "[2001:db8::1]:51820"}
	revision := n.Book().Revision()
	got := answer[wire.NetworkInfo](t, n.Call("ann", "PATCH", wire.PathNetwork, wire.NetworkPatch{Endpoints: moved}), 200)
	if !slices.Equal(got.Endpoints, moved) || got.Revision != revision+1 || !slices.Equal(got.Coordinator.Endpoints.Announced, moved) {
		t.Errorf("the answer is %+v", got)
	}
	seen := answer[wire.NetworkInfo](t, n.Call("carl", "GET", wire.PathNetwork, nil), 200)
	if !slices.Equal(seen.Endpoints, moved) {
		t.Errorf("carl sees %v", seen.Endpoints)
	}
	issued := answer[wire.InvitationIssued](t, n.Call("ann", "POST", wire.PathInvitations, wire.InvitationRequest{Name: "fay", CIDR: "phones"}), 201)
	if inv, err := wire.ParseInvitation(issued.Token); err != nil || !slices.Equal(inv.Coordinator.Endpoints, moved) {
		t.Errorf("the invitation has %+v, %v", inv.Coordinator, err)
	}
	before := n.Book()
	for body, want := range map[string]int{
		`{"endpoints":[]}`: 422, `{"endpoints":["x"]}`: 422, `{"endpoints":["x:1","x:1"]}`: 422, `{"endpoints":[":1"]}`: 422, `{"endpoints":["127.0.0.1:1"]}`: 422, `{"endpoints":["x:1","10.42.0.1:1"]}`: 422,
		`{"endpoints":["a:1","a:2","a:3","a:4","a:5","a:6","a:7","a:8","a:9"]}`: 422, `{"endpoint":["x:1"]}`: 400, `{}`: 200,
	} {
		status(t, n.Call("ann", "PATCH", wire.PathNetwork, body), want)
	}
	status(t, n.Call("carl", "PATCH", wire.PathNetwork, wire.NetworkPatch{Endpoints: []string{"x:1"}}), 403)
	if n.Book() != before {
		t.Errorf("refused patches changed the book to %v", n.Book().Endpoints())
	}
}

// TestUselessInvitationsAreNotMade: what nobody could redeem does not take a
// name and an address.
func TestUselessInvitationsAreNotMade(t *testing.T) {
	n := coordinatortest.New(t)
	n.Configure = func(c *coordinator.Config) { c.APIPort = 0 }
	n.Start(n.Book(), nil)
	before := n.Book()
	status(t, n.Call("ann", "POST", wire.PathInvitations, wire.InvitationRequest{Name: "fay", CIDR: "phones"}), 500)
	if n.Book() != before {
		t.Error("an invitation that nobody can use is in the book")
	}
}

// TestBehaviour44RetiredAddresses: admins see the addresses that are not given
// out, and free them.
func TestBehaviour44RetiredAddresses(t *testing.T) {
	n := coordinatortest.New(t)
	retired := func(want ...netip.Addr) {
		t.Helper()
		if got := answer[[]netip.Addr](t, n.Call("ann", "GET", wire.PathRetired, nil), 200); got == nil || !slices.Equal(got, want) {
			t.Errorf("retired are %v, want %v", got, want)
		}
	}
	carl := n.Address("carl")
	path := wire.PathRetired + "/" + carl.String()
	retired()
	status(t, n.Call("ann", "DELETE", path, nil), 404)
	status(t, n.Call("ann", "DELETE", wire.PathPeers+"/carl", nil), 204)
	retired(carl)
	again := wire.InvitationRequest{Name: "fay", Address: carl}
	status(t, n.Call("ann", "POST", wire.PathInvitations, again), 409)
	status(t, n.Call("bob", "DELETE", path, nil), 403)
	status(t, n.Call("ann", "DELETE", wire.PathRetired+"/carl", nil), 400)
	status(t, n.Call("ann", "DELETE", path, nil), 204)
	retired()
	status(t, n.Call("ann", "POST", wire.PathInvitations, again), 201)
}

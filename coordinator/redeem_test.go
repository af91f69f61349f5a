package coordinator_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/coordinator/coordinatortest"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// wantEve checks how the coordinator's own map, followed from pos, has eve.
func wantEve(t *testing.T, n *coordinatortest.Network, pos wire.Position, role wire.Role, k key.PublicKey) *wire.Update {
	t.Helper()
	u := own(t, n, pos)
	if m, ok := memberOf(u, n.Address("eve")); !ok || m.Role != role || m.PublicKey != k {
		t.Errorf("the coordinator's own map has eve as %+v, %v; want role %q and key %s", m, ok, role, k)
	}
	return u
}

// TestBehaviour37TheTemporaryKeyLivesUntilTheAnswerArrived follows the time
// line in the package's documentation.
func TestBehaviour37TheTemporaryKeyLivesUntilTheAnswerArrived(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.Seen(time.Now(), []wire.Sighting{sighting(n, "eve", "192.0.2.9:7")})
		pos := own(t, n, wire.Position{}).Position
		temporary, real := n.Keys["eve"], n.Source.PrivateKey()
		response := redeem(n, "eve", real.Public())
		wantStatus(t, response, wire.StatusOK)
		var redeemed wire.Redeemed
		if err := json.Unmarshal(response.Body, &redeemed); err != nil {
			t.Fatal(err)
		}
		if redeemed.Self.PublicKey != real.Public() || redeemed.Self.Address != n.Address("eve") || redeemed.Root != n.Book().Root() {
			t.Errorf("the answer is %+v", redeemed)
		}
		synctest.Wait()
		if n.Wakes() > 0 || len(n.Nudges("carl"))+len(n.Nudges("eve")) > 0 {
			t.Error("somebody was told before the answer arrived")
		}
		pos = wantEve(t, n, pos, wire.RoleInvitee, temporary.Public()).Position
		pos = wantEve(t, n, pos, wire.RoleInvitee, temporary.Public()).Position

		response.Done()
		synctest.Wait()
		if n.Wakes() != 1 || len(n.Nudges("carl")) != 1 || len(n.Nudges("eve")) != 1 || len(n.Nudges("bob")) > 0 {
			t.Error("not exactly those were told, once, who see eve")
		}
		u := wantEve(t, n, pos, wire.RolePeer, real.Public())
		if m, _ := memberOf(u, n.Address("eve")); m.Endpoints.Seen != addrPort("192.0.2.9:7") {
			t.Errorf("eve's endpoint is %s, want the one the temporary key was seen at", m.Endpoints.Seen)
		}
		if u.Position.Revision != n.Book().Revision() {
			t.Errorf("position is %+v, the book is at %d", u.Position, n.Book().Revision())
		}
		wantStatus(t, redeem(n, "eve", real.Public()), wire.StatusUnauthorized) // with the temporary key's token
		n.Keys["eve"] = real
		wantStatus(t, n.Call("eve", "GET", wire.PathMap, nil), wire.StatusOK)
		for _, c := range n.Store.Changes() {
			for _, p := range c.Put.Peers {
				if p.Key == temporary.Public() {
					t.Error("the temporary key became a peer's key")
				}
			}
		}
	})
}

func TestBehaviour36RedeemWorksOnce(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		for _, call := range [][2]string{{"GET", wire.PathMap}, {"PUT", wire.PathSelf}, {"GET", wire.PathNetwork}, {"GET", wire.PathPeers}, {"GET", "/elsewhere"}} {
			wantStatus(t, n.Call("eve", call[0], call[1], nil), wire.StatusForbidden)
		}
		real := n.Source.PrivateKey()
		first := redeem(n, "eve", real.Public())
		wantStatus(t, first, wire.StatusOK)
		wantStatus(t, redeem(n, "eve", n.Source.Key()), wire.StatusGone) // a thief, or the invitee after losing its key
		first.Done()
		n.Keys["eve"] = real
		wantStatus(t, redeem(n, "eve", n.Source.Key()), wire.StatusGone)
		again := redeem(n, "eve", real.Public())
		wantStatus(t, again, wire.StatusOK)
		if again.Done != nil {
			t.Error("there is nothing to hold any more")
		}
	})
}

func TestRedeemRetriedWhileHeld(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		temporary, real := n.Keys["eve"].Public(), n.Source.Key()
		revision := n.Book().Revision()
		first := redeem(n, "eve", real)
		pass(2 * time.Second)
		second := redeem(n, "eve", real)
		wantStatus(t, second, wire.StatusOK)
		if string(first.Body) != string(second.Body) || n.Book().Revision() != revision+1 {
			t.Error("the second answer is another, or changed the book")
		}
		first.Done() // it was lost, which the server found out late
		pass(2 * time.Second)
		wantEve(t, n, wire.Position{}, wire.RoleInvitee, temporary)
		second.Done()
		wantEve(t, n, wire.Position{}, wire.RolePeer, real)
	})
}

// TestHoldsEndByThemselves: a handshake meanwhile is one of the temporary key,
// for the tunnel has no other, and asking again wins no time.
func TestHoldsEndByThemselves(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		temporary, real := n.Keys["eve"].Public(), n.Source.Key()
		answers := []*http1.Response{redeem(n, "eve", real)}
		pos := own(t, n, wire.Position{}).Position
		for range 4 {
			pass(time.Second)
			n.Seen(time.Now(), []wire.Sighting{sighting(n, "eve", "192.0.2.9:7")})
			answers = append(answers, redeem(n, "eve", real))
			wantStatus(t, answers[len(answers)-1], wire.StatusOK)
			pos = wantEve(t, n, pos, wire.RoleInvitee, temporary).Position
		}
		n.Forget()
		pass(1001 * time.Millisecond)
		wantEve(t, n, pos, wire.RolePeer, real)
		if n.Wakes() == 0 {
			t.Error("the local daemon was not told")
		}
		for _, late := range answers {
			late.Done()
		}
	})
}

// TestHeldKeysAreTaken: until the own tunnel has let go of a temporary key,
// nobody else may come with it: no map can have it twice.
func TestHeldKeysAreTaken(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		n.Invite("fay", "phones")
		temporary := n.Keys["eve"].Public()
		response := redeem(n, "eve", n.Source.Key())
		refused := redeem(n, "fay", temporary)
		wantStatus(t, refused, wire.StatusConflict)
		wantReason(t, refused)
		own(t, n, wire.Position{}) // checks the map
		response.Done()
		wantStatus(t, redeem(n, "fay", temporary), wire.StatusOK) // a key like any other by now
	})
}

// TestRevokedBetweenTokenAndCommand: who proved to hold one invitation does not
// redeem the next one at the same address.
func TestRevokedBetweenTokenAndCommand(t *testing.T) {
	n := coordinatortest.New(t)
	eve := n.Address("eve")
	text := n.Token(n.Keys["eve"])
	token, err := key.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	caller := n.Authenticate(eve, token)
	n.MustDo(network.RemovePeer{Name: "eve"}, network.Invite{
		Name: "boss", Address: eve, Admin: true, Key: n.Source.Key(), Expires: time.Now().Add(time.Hour),
	})
	_, _, err = n.Redeem(caller, n.Source.Key())
	var refusal *network.Refusal
	if !errors.As(err, &refusal) || refusal.Kind != network.Gone {
		t.Errorf("redeeming gave %v, want that the invitation is gone", err)
	}
	if p, _ := n.Book().Peer(eve); !p.IsInvited() {
		t.Error("the other invitation is redeemed")
	}
}

// TestHeldPeersCanBeTakenAway: what an admin does meanwhile counts.
func TestHeldPeersCanBeTakenAway(t *testing.T) {
	bubble(t, func(t *testing.T, n *coordinatortest.Network) {
		eve := n.Address("eve")
		response := redeem(n, "eve", n.Source.Key())
		pos := own(t, n, wire.Position{}).Position
		wantStatus(t, n.Call("ann", "DELETE", wire.PathPeers+"/eve", nil), wire.StatusNoContent)
		u := own(t, n, pos)
		if _, there := memberOf(u, eve); there || u.Position.Revision != n.Book().Revision() {
			t.Errorf("eve is still there: %+v", u)
		}
		response.Done()
		synctest.Wait()
	})
}

func TestBehaviour38TwoInvitationsRedeemedAtOnce(t *testing.T) {
	n := coordinatortest.New(t)
	n.Invite("fay", "phones")
	pos := own(t, n, wire.Position{}).Position
	keys := map[string]key.PublicKey{"eve": n.Source.Key(), "fay": n.Source.Key()}
	var both sync.WaitGroup
	for name, k := range keys {
		both.Go(func() {
			response := redeem(n, name, k)
			if response.Status != wire.StatusOK {
				t.Errorf("%s: %d %s", name, response.Status, response.Body)
				return
			}
			response.Done()
		})
	}
	both.Wait()
	u := own(t, n, pos)
	for name, k := range keys {
		if m, ok := memberOf(u, n.Address(name)); !ok || m.PublicKey != k {
			t.Errorf("%s is %+v in the coordinator's own map", name, m)
		}
	}
	if len(u.Members) != 2 {
		t.Errorf("the delta speaks of %d members: existing tunnels are none of its business", len(u.Members))
	}
}

func TestBehaviour40BadKeysAreRefused(t *testing.T) {
	n := coordinatortest.New(t)
	n.Invite("fay", "phones")
	before := n.Book()
	lowOrder := key.PublicKey{1}
	for _, test := range []struct {
		name, body string
		status     int
	}{
		{"malformed", `{"public_key":"abc"}`, wire.StatusBadRequest},
		{"not base64", `{"public_key":"!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!="}`, wire.StatusBadRequest},
		{"missing", `{}`, wire.StatusBadRequest},
		{"no JSON", `key`, wire.StatusBadRequest},
		{"empty body", ``, wire.StatusBadRequest},
		{"unknown field", `{"public_key":"","admin":true}`, wire.StatusBadRequest},
		{"number", `{"public_key":7}`, wire.StatusBadRequest},
		{"zero", `{"public_key":"` + key.PublicKey{}.String() + `"}`, wire.StatusUnprocessable},
		{"low order", `{"public_key":"` + lowOrder.String() + `"}`, wire.StatusUnprocessable},
		{"the coordinator's", `{"public_key":"` + n.Keys["hub"].Public().String() + `"}`, wire.StatusConflict},
		{"another peer's", `{"public_key":"` + n.Keys["bob"].Public().String() + `"}`, wire.StatusConflict},
		{"its own temporary one", `{"public_key":"` + n.Keys["eve"].Public().String() + `"}`, wire.StatusConflict},
		{"another temporary one", `{"public_key":"` + n.Keys["fay"].Public().String() + `"}`, wire.StatusConflict},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := n.Call("eve", "POST", wire.PathRedeem, test.body)
			wantStatus(t, response, test.status)
			wantReason(t, response)
		})
	}
	if n.Book() != before {
		t.Error("a refusal changed the book")
	}
	wantStatus(t, redeem(n, "eve", n.Source.Key()), wire.StatusOK)
}

// wantReason checks that an answer is a problem with a reason.
func wantReason(t testing.TB, r *http1.Response) {
	t.Helper()
	var p wire.Problem
	if err := json.Unmarshal(r.Body, &p); err != nil {
		t.Fatal(err)
	}
	if r.Header.Get("Content-Type") != wire.ProblemType || p.Status != r.Status || p.Detail == "" || p.Title != wire.StatusText(r.Status) {
		t.Errorf("%s is no problem with a reason (%s)", r.Body, r.Header.Get("Content-Type"))
	}
}

// overlayListener has its connections come from one overlay address.
type overlayListener struct {
	net.Listener
	from netip.AddrPort
}

type overlayConn struct {
	net.Conn
	from netip.AddrPort
}

func (l overlayListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return overlayConn{c, l.from}, nil
}

func (c overlayConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.from) }

// TestRedeemOverTheWire: the hold ends when the client of a real server has
// closed its side.
func TestRedeemOverTheWire(t *testing.T) {
	n := coordinatortest.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	server := http1.Server{Handler: n.Handler()}
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel()
	serving.Go(func() {
		server.Serve(ctx, overlayListener{l, netip.AddrPortFrom(n.Address("eve"), 40000)})
	})
	client := http1.Client{Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}}
	real := n.Source.Key()
	var redeemed wire.Redeemed
	err = client.JSON(ctx, "POST", wire.PathRedeem, wire.RedeemRequest{PublicKey: real}, &redeemed,
		"Authorization", "Bearer "+n.Token(n.Keys["eve"]))
	if err != nil {
		t.Fatal(err)
	}
	for {
		m, _ := memberOf(own(t, n, wire.Position{}), n.Address("eve"))
		if m.Role == wire.RolePeer && m.PublicKey == real {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("the hold does not end")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

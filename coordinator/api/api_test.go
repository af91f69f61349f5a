package api_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ginnel/coordinator/coordinatortest"
	"ginnel/key"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// status checks an answer's status, and that a refusal has a reason.
func status(t testing.TB, r *http1.Response, want int) {
	t.Helper()
	if r.Status != want {
		t.Fatalf("status is %d %s, want %d", r.Status, r.Body, want)
	}
	if want < 400 {
		return
	}
	var p wire.Problem
	if err := json.Unmarshal(r.Body, &p); err != nil {
		t.Fatal(err)
	}
	if r.Header.Get("Content-Type") != wire.ProblemType || p.Status != want || p.Title != wire.StatusText(want) || p.Detail == "" {
		t.Errorf("%s is no problem with a reason (%s)", r.Body, r.Header.Get("Content-Type"))
	}
}

// answer checks an answer's status and reads its body.
func answer[T any](t testing.TB, r *http1.Response, want int) T {
	t.Helper()
	status(t, r, want)
	var v T
	if err := json.Unmarshal(r.Body, &v); err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
	return v
}

// adminRoutes are the calls of admins, with bodies that would be accepted.
var adminRoutes = []struct{ method, target, body string }{
	{"GET", "/v1/cidrs", ""},
	{"POST", "/v1/cidrs?preview=1", `{"name":"lab","prefix":"10.42.8.0/24"}`},
	{"POST", "/v1/cidrs", `{"name":"lab","prefix":"10.42.8.0/24"}`},
	{"PATCH", "/v1/cidrs/phones", `{"name":"mobiles"}`},
	{"DELETE", "/v1/cidrs/phones", ""},
	{"GET", "/v1/associations", ""},
	{"POST", "/v1/associations", `["phones","servers"]`},
	{"DELETE", "/v1/associations/phones/servers", ""},
	{"GET", "/v1/peers", ""},
	{"PATCH", "/v1/peers/bob", `{"admin":true}`},
	{"DELETE", "/v1/peers/carl?free_address=1", ""},
	{"POST", "/v1/peers/eve/invitation", `{}`},
	{"GET", "/v1/retired", ""},
	{"DELETE", "/v1/peers/bob", ""},
	{"DELETE", "/v1/retired/10.42.1.2", ""},
	{"POST", "/v1/invitations", `{"name":"fay","cidr":"phones"}`},
}

func TestBehaviour9OnlyPeersWithTheirTokensAreHeard(t *testing.T) {
	n := coordinatortest.New(t)
	good := "Bearer " + n.Token(n.Keys["bob"])
	bob := netip.AddrPortFrom(n.Address("bob"), 40000)
	for _, test := range []struct {
		name   string
		remote netip.AddrPort
		header map[string][]string
		want   int
	}{
		{"right", bob, map[string][]string{"Authorization": {good}}, 200},
		{"IPv4 mapped", netip.AddrPortFrom(netip.AddrFrom16(bob.Addr().As16()), 1), map[string][]string{"Authorization": {good}}, 200},
		{"no token", bob, nil, 401},
		{"empty token", bob, map[string][]string{"Authorization": {"Bearer "}}, 401},
		{"not base64", bob, map[string][]string{"Authorization": {"Bearer !"}}, 401},
		{"another scheme", bob, map[string][]string{"Authorization": {strings.Replace(good, "Bearer", "Basic", 1)}}, 401},
		{"two tokens", bob, map[string][]string{"Authorization": {good, good}}, 401},
		{"another peer's token", bob, map[string][]string{"Authorization": {"Bearer " + n.Token(n.Keys["ann"])}}, 401},
		{"a stranger's token", bob, map[string][]string{"Authorization": {"Bearer " + n.Token(n.Source.PrivateKey())}}, 401},
		{"another peer's address", netip.AddrPortFrom(n.Address("ann"), 1), map[string][]string{"Authorization": {good}}, 401},
		{"an unknown address", netip.MustParseAddrPort("10.42.99.1:1"), map[string][]string{"Authorization": {good}}, 401},
		{"an underlay address", netip.MustParseAddrPort("192.0.2.1:1"), map[string][]string{"Authorization": {good}}, 401},
		{"no address", netip.AddrPort{}, map[string][]string{"Authorization": {good}}, 401},
		{"forged X-Forwarded-For", netip.MustParseAddrPort("192.0.2.1:1"), map[string][]string{"Authorization": {good}, "X-Forwarded-For": {bob.Addr().String()}}, 401},
		{"X-Forwarded-For from a peer", bob, map[string][]string{"Authorization": {good}, "X-Forwarded-For": {n.Address("ann").String()}}, 401},
		{"Forwarded from a peer", bob, map[string][]string{"Authorization": {good}, "Forwarded": {"for=10.42.1.1"}}, 401},
		{"an invitee's address with its future key", netip.AddrPortFrom(n.Address("eve"), 1), map[string][]string{"Authorization": {"Bearer " + n.Token(n.Source.PrivateKey())}}, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := coordinatortest.Request("GET", wire.PathNetwork, nil)
			r.Remote = test.remote
			for name, values := range test.header {
				r.Header[name] = values
			}
			response := n.Handle(r)
			status(t, response, test.want)
			if test.want == 401 && response.Header.Get("WWW-Authenticate") == "" {
				t.Error("a 401 has no WWW-Authenticate")
			}
		})
	}
}

func TestBehaviour29AdminCallsAreForAdmins(t *testing.T) {
	for _, route := range adminRoutes {
		n := coordinatortest.New(t)
		before := n.Book()
		r := n.Call("bob", route.method, route.target, route.body)
		status(t, r, 403)
		r = n.Call("bob", route.method, route.target, "not even JSON")
		status(t, r, 403)
		r = n.Call("eve", route.method, route.target, route.body)
		status(t, r, 403)
		r = n.Call("dan", route.method, route.target, route.body)
		status(t, r, 403)
		if n.Book() != before {
			t.Errorf("%s %s changed the book", route.method, route.target)
		}
	}
}

// TestBehaviour46AdminsDoEverythingFromAnywhere: the same calls, answered the
// same, over the overlay and on the coordinator's machine.
func TestBehaviour46AdminsDoEverythingFromAnywhere(t *testing.T) {
	remote, local := coordinatortest.New(t), coordinatortest.New(t)
	for _, route := range adminRoutes {
		if route.method == "DELETE" && strings.HasPrefix(route.target, "/v1/cidrs") {
			continue // phones is in use
		}
		target := strings.Replace(route.target, "phones/servers", "mobiles/servers", 1)
		body := strings.Replace(route.body, `"phones"`, `"mobiles"`, 1)
		a, b := remote.Call("ann", route.method, target, body), local.CallLocally(route.method, target, body)
		if a.Status != b.Status || a.Status >= 400 {
			t.Errorf("%s %s: %d %s over the overlay, %d %s locally", route.method, target, a.Status, a.Body, b.Status, b.Body)
		}
	}
	for _, target := range []string{wire.PathMap, wire.PathNetwork} {
		status(t, local.CallLocally("GET", target, nil), 200)
	}
	if r := answer[wire.Update](t, local.CallLocally("GET", wire.PathMap, nil), 200); r.Self.Role != wire.RoleCoordinator {
		t.Errorf("locally one is %+v, want the coordinator", r.Self)
	}
}

func TestBehaviour47TheCoordinatorIsAMember(t *testing.T) {
	n := coordinatortest.New(t)
	status(t, n.Call("hub", "GET", wire.PathMap, nil), 200)
	status(t, n.Call("hub", "GET", wire.PathPeers, nil), 200)
	info := answer[wire.NetworkInfo](t, n.Call("carl", "GET", wire.PathNetwork, nil), 200)
	if info.Name != "home" || info.Root != n.Book().Root() || info.Revision != n.Book().Revision() ||
		info.Coordinator.Name != "hub" || info.Coordinator.PublicKey != n.Keys["hub"].Public() || info.Coordinator.Role != wire.RoleCoordinator {
		t.Errorf("the network is %+v", info)
	}
	if d := time.Since(info.Time); d.Abs() > time.Minute {
		t.Errorf("the coordinator's clock is %v away from its own", d)
	}
}

func TestPathsAndMethods(t *testing.T) {
	n := coordinatortest.New(t)
	for _, test := range []struct {
		method, target string
		want           int
		allow          string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/v1", 404, ""},
		{"GET", "/v1/map/", 404, ""},
		{"GET", "/v2/map", 404, ""},
		{"GET", "/v1/peers/bob", 405, "PATCH, DELETE"},
		{"GET", "/v1/peers/bob/keys", 404, ""},
		{"DELETE", "/v1/peers/", 404, ""},
		{"DELETE", "/v1/peers/%zz", 404, ""},
		{"DELETE", "/v1/peers/nobody", 404, ""},
		{"DELETE", "/v1/associations/phones", 404, ""},
		{"POST", "/v1/map", 405, "GET"},
		{"PUT", "/v1/cidrs", 405, "GET, POST"},
		{"get", "/v1/cidrs", 405, "GET, POST"},
		{"GET", "/v1/redeem", 405, "POST"},
		{"GET", "/v1/self", 405, "PUT"},
		{"GET", "/v1/map?since=3", 400, ""},
		{"GET", "/v1/map?revision=-1", 400, ""},
		{"GET", "/v1/map?revision=99999999999999999999", 400, ""},
		{"GET", "/v1/map?epoch=x", 400, ""},
		{"GET", "/v1/map?seq=1&seq=2", 400, ""},
		{"GET", "/v1/map?revision=18446744073709551615&epoch=18446744073709551615&seq=18446744073709551615", 200, ""},
		{"GET", "/v1/peers?all=1", 400, ""},
		{"POST", "/v1/cidrs?preview=yes", 400, ""},
		{"DELETE", "/v1/peers/bob?free_address=2", 400, ""},
		{"DELETE", "/v1/peers/%62ob?free_address=0", 204, ""}, // it is bob, escaped
	} {
		response := n.Call("ann", test.method, test.target, nil)
		if response.Status != test.want || response.Header.Get("Allow") != test.allow {
			t.Errorf("%s %s: %d %s, Allow %q; want %d, Allow %q", test.method, test.target,
				response.Status, response.Body, response.Header.Get("Allow"), test.want, test.allow)
		}
	}
}

func TestBehaviour73Reports(t *testing.T) {
	n := coordinatortest.New(t)
	eleven := wire.Report{Candidates: make([]netip.AddrPort, wire.MaxCandidates+1)}
	for i := range eleven.Candidates {
		eleven.Candidates[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 51820)
	}
	status(t, n.Call("bob", "PUT", wire.PathSelf, eleven), 413)
	eleven.Candidates = eleven.Candidates[1:]
	status(t, n.Call("bob", "PUT", wire.PathSelf, eleven), 204)
	for _, candidate := range []string{"127.0.0.1:1", "[::1]:1", "[fe80::1]:1", "169.254.1.1:1", "224.0.0.1:1", "0.0.0.0:1", "192.0.2.1:0", "10.42.1.2:51820"} {
		status(t, n.Call("bob", "PUT", wire.PathSelf, `{"candidates":["`+candidate+`"]}`), 422)
	}
	for _, body := range []string{"", "[]", `{"candidates":["x"]}`, `{"candidates":[],"key":""}`, `{"candidates":[]}{}`} {
		status(t, n.Call("bob", "PUT", wire.PathSelf, body), 400)
	}
	list := answer[[]wire.Peer](t, n.Call("ann", "GET", wire.PathPeers, nil), 200)
	for _, p := range list {
		if p.Name == "bob" && len(p.Endpoints.Candidates) != wire.MaxCandidates {
			t.Errorf("after refused reports bob's candidates are %v", p.Endpoints.Candidates)
		}
	}
	status(t, n.Call("bob", "PUT", wire.PathSelf, `{"candidates":[]}`), 204)
}

// TestBehaviour21And22And122Refusals: what is malformed is 400, unknown 404, in
// the way of something that is there 409, and against the rules for names and
// ranges 422; each says why and changes nothing.
func TestBehaviour21And22And122Refusals(t *testing.T) {
	n := coordinatortest.New(t)
	for _, test := range []struct {
		method, target, body string
		want                 int
	}{
		{"POST", "/v1/cidrs", `{"name":"Lab","prefix":"10.42.8.0/24"}`, 422},
		{"POST", "/v1/cidrs", `{"name":"lab","prefix":"10.42.8.1/24"}`, 422},
		{"POST", "/v1/cidrs", `{"name":"lab","prefix":"10.43.0.0/24"}`, 422},
		{"POST", "/v1/cidrs", `{"name":"lab"}`, 422},
		{"POST", "/v1/cidrs", `{"name":"l.ab","prefix":"10.42.8.0/24"}`, 422},
		{"POST", "/v1/cidrs", `{"name":"` + strings.Repeat("l", 64) + `","prefix":"10.42.8.0/24"}`, 422},
		{"POST", "/v1/cidrs", `{"name":"root","prefix":"10.42.0.0/16"}`, 409},
		{"POST", "/v1/cidrs", `{"name":"root","prefix":"10.0.0.0/8"}`, 422},
		{"POST", "/v1/cidrs", `{"name":"root","prefix":"fd00::/8"}`, 422},
		{"POST", "/v1/cidrs", `{"name":"lab","prefix":"10.42.0.0/20"}`, 409},
		{"POST", "/v1/cidrs", `{"name":"phones","prefix":"10.42.8.0/24"}`, 409},
		{"POST", "/v1/cidrs?preview=1", `{"name":"phones","prefix":"10.42.8.0/24"}`, 409},
		{"POST", "/v1/cidrs", `{"name":"lab","prefix":"x"}`, 400},
		{"POST", "/v1/cidrs", `{"name":"lab","range":"10.42.8.0/24"}`, 400},
		{"PATCH", "/v1/cidrs/nothing", `{"name":"lab"}`, 404},
		{"PATCH", "/v1/cidrs/phones", `{"name":"-lab"}`, 422},
		{"PATCH", "/v1/cidrs/phones", `{"prefix":"10.42.8.0/24"}`, 400},
		{"PATCH", "/v1/cidrs/infra", `{"name":"lab"}`, 409},
		{"DELETE", "/v1/cidrs/phones", ``, 409},
		{"DELETE", "/v1/cidrs/infra", ``, 409},
		{"POST", "/v1/associations", `["phones","nothing"]`, 404},
		{"POST", "/v1/associations", `["phones"]`, 400},
		{"POST", "/v1/associations", `["phones","servers","home"]`, 400},
		{"POST", "/v1/associations", `["phones","infra"]`, 409},
		{"DELETE", "/v1/associations/phones/servers", ``, 404},
		{"PATCH", "/v1/peers/nobody", `{"admin":true}`, 404},
		{"PATCH", "/v1/peers/nobody", `{}`, 404},
		{"PATCH", "/v1/peers/bob", `{"name":"ann"}`, 409},
		{"PATCH", "/v1/peers/bob", `{"name":"B"}`, 422},
		{"PATCH", "/v1/peers/bob", `{"owner":"ann"}`, 400},
		{"PATCH", "/v1/peers/bob", `{"disabled":"yes"}`, 400},
		{"PATCH", "/v1/peers/bob", ``, 400},
		{"PATCH", "/v1/peers/hub", `{"disabled":true}`, 409},
		{"PATCH", "/v1/peers/hub", `{"name":"bub"}`, 409},
		{"DELETE", "/v1/peers/hub", ``, 409},
		{"POST", "/v1/invitations", `{"name":"bob","cidr":"phones"}`, 409},
		{"POST", "/v1/invitations", `{"name":"fay"}`, 422},
		{"POST", "/v1/invitations", `{"name":"Fay","cidr":"phones"}`, 422},
		{"POST", "/v1/invitations", `{"name":"fay","cidr":"nothing"}`, 404},
		{"POST", "/v1/invitations", `{"name":"fay","address":"10.42.1.1"}`, 409},
		{"POST", "/v1/invitations", `{"name":"fay","address":"192.0.2.1"}`, 422},
		{"POST", "/v1/invitations", `{"name":"fay","cidr":"phones","address":"10.42.1.9"}`, 422},
		{"POST", "/v1/invitations", `{"name":"fay","cidr":"phones","expires_in":-1}`, 422},
		{"POST", "/v1/invitations", `{"name":"fay","cidr":"phones","expires_in":31536001}`, 422},
		{"POST", "/v1/invitations", `{"name":"fay","cidr":"phones","public_key":"` + (key.PublicKey{}).String() + `"}`, 400},
	} {
		before := n.Book()
		r := n.Call("ann", test.method, test.target, test.body)
		if r.Status != test.want {
			t.Errorf("%s %s %s: %d %s, want %d", test.method, test.target, test.body, r.Status, r.Body, test.want)
			continue
		}
		status(t, r, test.want)
		if n.Book() != before {
			t.Errorf("%s %s %s: refused, and the book changed", test.method, test.target, test.body)
		}
	}
}

func TestBehaviour43AddressKeyAndCIDRNeverChange(t *testing.T) {
	n := coordinatortest.New(t)
	before := n.Book()
	for _, body := range []string{`{"address":"10.42.1.9"}`, `{"public_key":"x"}`, `{"cidr":"phones"}`, `{"name":"rob","address":"10.42.1.9"}`, `{"cidr":null}`} {
		r := n.Call("ann", "PATCH", "/v1/peers/bob", body)
		status(t, r, 422)
		if !strings.Contains(string(r.Body), "never change") {
			t.Errorf("the reason for %s is %s", body, r.Body)
		}
	}
	if n.Book() != before {
		t.Error("the book changed")
	}
}

// TestPatchIsAllOrNothing: of several changes in one request none counts when
// one is refused.
func TestPatchIsAllOrNothing(t *testing.T) {
	n := coordinatortest.New(t)
	before := n.Book()
	status(t, n.Call("ann", "PATCH", "/v1/peers/bob", `{"admin":true,"disabled":true,"name":"ann"}`), 409)
	if n.Book() != before || len(n.Store.Changes()) != int(before.Revision())-1 {
		t.Error("some of it counts")
	}
	p := answer[wire.Peer](t, n.Call("ann", "PATCH", "/v1/peers/bob", `{"admin":true,"disabled":true,"name":"rob"}`), 200)
	if p.Name != "rob" || !p.Admin || p.State != wire.PeerDisabled || n.Book().Revision() != before.Revision()+3 {
		t.Errorf("the peer is %+v", p)
	}
	same := answer[wire.Peer](t, n.Call("ann", "PATCH", "/v1/peers/rob", `{"admin":true,"disabled":true,"name":"rob"}`), 200)
	if same.Name != "rob" || n.Book().Revision() != before.Revision()+3 {
		t.Error("asking for what is there changes something")
	}
}

package api_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"ginnel/coordinator/coordinatortest"
	"ginnel/wire/http1"
)

// FuzzRequests: whatever anybody sends is carried out, or refused with a reason
// and without a trace in the book. Nothing is answered with a 5xx, or ends the
// program. Its first requests are those of testdata, one for every route.
func FuzzRequests(f *testing.F) {
	for _, route := range adminRoutes {
		f.Add("hub", route.method, route.target, route.body)
		f.Add("bob", route.method, route.target, route.body)
	}
	n := coordinatortest.New(f)
	callers := map[string]func(*http1.Request) *http1.Request{} // as they are at the start: requests may remove them
	for name := range n.Keys {
		remote, bearer := netip.AddrPortFrom(n.Address(name), 1), "Bearer "+n.Token(n.Keys[name])
		callers[name] = func(r *http1.Request) *http1.Request {
			r.Remote = remote
			r.Header.Set("Authorization", bearer)
			return r
		}
	}
	f.Fuzz(func(t *testing.T, caller, method, target, body string) {
		path, query, _ := strings.Cut(target, "?")
		values, err := url.ParseQuery(query)
		_, unescaped := url.PathUnescape(path)
		if err != nil || unescaped != nil || callers[caller] == nil {
			return // http1 refuses it
		}
		r := coordinatortest.Request(method, path, body)
		r.Query = values
		before := n.Book()
		response := n.Handle(callers[caller](r))
		if response == nil || response.Status < 200 || response.Status > 499 {
			t.Fatalf("%s: %s %s %q: %+v", caller, method, target, body, response)
		}
		status(t, response, response.Status)
		if (response.Status >= 400 || method == "GET") && n.Book() != before {
			t.Errorf("%s: %s %s %q: %d, and the book changed", caller, method, target, body, response.Status)
		}
	})
}

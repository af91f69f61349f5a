package local_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// FuzzRequests: whatever is asked is answered or refused with a reason, and ends
// nothing.
func FuzzRequests(f *testing.F) {
	for _, r := range local.Routes() {
		f.Add(r.Method, r.Path, "{}")
	}
	f.Add("DELETE", "/v1/networks/home/pins/10.42.1.2", "")
	f.Add("PATCH", "/v1/networks/home/coordinator/v1/peers/x%2F?a=b", `{"name":"y"}`)
	f.Add("GET", "/v1/networks/%zz/coordinator//", "")
	d := &stub{status: local.Status{Networks: []local.Network{{Name: "home"}}}, answer: http1.JSON(wire.StatusOK, nil)}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		path, query, _ := strings.Cut(target, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			return // http1 refuses it
		}
		r := local.Handler(d)(t.Context(), &http1.Request{Method: method, Path: path, Query: values, Body: []byte(body)})
		if r.Status < 200 || r.Status > 499 {
			t.Errorf("%s %s: %d %s", method, target, r.Status, r.Body)
		}
		var p wire.Problem
		if r.Status >= 400 && (json.Unmarshal(r.Body, &p) != nil || p.Status != r.Status || p.Detail == "") {
			t.Errorf("%s %s: %d %s", method, target, r.Status, r.Body)
		}
	})
}

package http1_test

import (
	"slices"
	"testing"

	"ginnel/wire/http1"
)

func TestMatchPath(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          []string
		ok            bool
	}{
		{"/v1/map", "/v1/map", nil, true},
		{"/v1/map", "/v1/map/", nil, false},
		{"/v1/map", "/v1", nil, false},
		{"/v1/map", "/v1/maps", nil, false},
		{"/v1/map", "/v1/%6dap", nil, false},
		{"/p/{name}", "/p/a", []string{"a"}, true},
		{"/p/{name}", "/p/a%20b", []string{"a b"}, true},
		{"/p/{name}", "/p/", nil, false},
		{"/p/{name}", "/p/a/b", nil, false},
		{"/p/{name}", "/p/a%2Fb", nil, false},
		{"/p/{name}", "/p/%zz", nil, false},
		{"/p/{name}/x", "/p/a/x", []string{"a"}, true},
		{"/p/{name}/x", "/p/a/y", nil, false},
		{"/p/{a}/{b}", "/p/1/2", []string{"1", "2"}, true},
		{"/p/{name}/x/{path...}", "/p/a/x/y/%2F", []string{"a", "y/%2F"}, true},
		{"/p/{name}/x/{path...}", "/p/a/x/", []string{"a", ""}, true},
		{"/p/{name}/x/{path...}", "/p/a/x", nil, false},
		{"/p/{name}/x/{path...}", "/p/a/xx/y", nil, false},
	} {
		got, ok := http1.MatchPath(test.pattern, test.path)
		if ok != test.ok || !slices.Equal(got, test.want) {
			t.Errorf("%s of %s: %q, %v; want %q, %v", test.path, test.pattern, got, ok, test.want, test.ok)
		}
	}
}

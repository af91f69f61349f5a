package apidoc

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"ginnel/coordinator/coordinatortest"
	"ginnel/daemon/local"
	"ginnel/wire/http1"
)

var update = flag.Bool("update", false, "write the description")

// file is the description.
const file = "../../docs/openapi.json"

func typeFor[T any]() reflect.Type   { return reflect.TypeFor[T]() }
func typeOfValue(v any) reflect.Type { return reflect.TypeOf(v) }
func newDecoder(b []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d
}
func request(s show, method string) string {
	return fmt.Sprintf("%s: %s %s %s", s.as, method, s.target, s.body)
}

// decoded reads JSON with its numbers as they are; nil of nothing.
func decoded(b []byte) any {
	var v any
	if len(b) == 0 || newDecoder(b).Decode(&v) != nil {
		return nil
	}
	return v
}

// TestBehaviour121DescriptionIsUpToDate: the description is what the routes, the
// types and the table of operations make of it.
func TestBehaviour121DescriptionIsUpToDate(t *testing.T) {
	c, err := readComments()
	if err != nil {
		t.Fatal(err)
	}
	d, errs := document(c, record(t, nil))
	for _, err := range errs {
		t.Error(err)
	}
	if t.Failed() {
		return
	}
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(d); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if number, text := difference(have, want.Bytes()); number > 0 {
		t.Errorf("docs/openapi.json is not what the code says, first in line %d:\n%s\nRun go test ./internal/apidoc -update", number, text)
	}
}

// difference returns the first line in which two texts differ; 0: none does.
func difference(have, want []byte) (number int, text string) {
	a, b := strings.Split(string(have), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return i + 1, "it lacks " + b[i]
		case i >= len(b):
			return i + 1, "it has " + a[i]
		case a[i] != b[i]:
			return i + 1, "it has   " + a[i] + "\nit wants " + b[i]
		}
	}
	return 0, ""
}

// described is the description as others read it.
func described(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := decoded(text).(map[string]any)
	if !ok {
		t.Fatal("docs/openapi.json is no JSON object")
	}
	return d
}

// TestBehaviour118And121AnswersAreAsDescribed makes the requests that show the
// operations, and holds what the handlers answer against the description.
func TestBehaviour118And121AnswersAreAsDescribed(t *testing.T) {
	c := &checker{root: described(t), strict: true}
	record(t, func(o *operation, s show, r *http1.Response) {
		method, path, _ := strings.Cut(o.route, " ")
		answer := c.dig("paths", path, strings.ToLower(method), "responses", strconv.Itoa(r.Status))
		if answer == nil {
			t.Errorf("%s: an answer %d is not described", request(s, method), r.Status)
			return
		}
		bodies, _ := answer["content"].(map[string]any)
		media := r.Header.Get("Content-Type")
		if bodies == nil && media == "" && len(r.Body) == 0 {
			return
		}
		body, ok := bodies[media].(map[string]any)
		if !ok {
			t.Errorf("%s: %d with %d bytes of type %q, described as %v", request(s, method), r.Status, len(r.Body), media, answer)
			return
		}
		for _, wrong := range c.check("it", body["schema"].(map[string]any), decoded(r.Body)) {
			t.Errorf("%s: %d %s: %s", request(s, method), r.Status, r.Body, wrong)
		}
	})
}

// dig walks down from the root, following references; nil: there is no such
// thing.
func (c *checker) dig(path ...string) map[string]any {
	at := c.root
	for _, name := range path {
		next, ok := at[name].(map[string]any)
		if ref, isRef := next["$ref"].(string); isRef {
			next, ok = c.find(ref)
		}
		if !ok {
			return nil
		}
		at = next
	}
	return at
}

// TestBehaviour121RequestsAreAsDescribed: the example of every body is as its
// schema wants it and is accepted; a body without a required field is refused,
// one without any other accepted, and one with a field more refused.
func TestBehaviour121RequestsAreAsDescribed(t *testing.T) {
	c := &checker{root: described(t)}
	for i := range operations {
		o := &operations[i]
		example, isObject := o.example().(map[string]any)
		if o.in == nil {
			continue
		}
		method, path, _ := strings.Cut(o.route, " ")
		body := c.dig("paths", path, strings.ToLower(method), "requestBody", "content", "application/json")
		if body == nil {
			t.Errorf("%s: its body is not described", o.route)
			continue
		}
		for _, wrong := range c.check("the example", body["schema"].(map[string]any), o.example()) {
			t.Errorf("%s: %s", o.route, wrong)
		}
		if !isObject {
			continue
		}
		for name := range body["schema"].(map[string]any)["properties"].(map[string]any) {
			needed := false
			for _, n := range o.needs {
				needed = needed || n == name
			}
			if _, there := example[name]; there {
				o.try(t, without(example, name), needed, "without "+name)
			}
		}
		o.try(t, with(example, "unknown"), true, "with an unknown field")
	}
}

func without(o map[string]any, name string) map[string]any {
	c := with(o, name)
	delete(c, name)
	return c
}

func with(o map[string]any, name string) map[string]any {
	c := map[string]any{name: true}
	for n, v := range o {
		if n != name {
			c[n] = v
		}
	}
	return c
}

// try makes o's first request that is no refusal with another body.
func (o *operation) try(t *testing.T, body any, refused bool, what string) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range o.shows {
		if s.want >= 400 {
			continue
		}
		s.body = string(text)
		synctest.Test(t, func(t *testing.T) {
			if r := newWorld(t).ask(o, s); refused != (r.Status >= 400) {
				t.Errorf("%s %s: the answer is %d %s", o.route, what, r.Status, r.Body)
			}
		})
		return
	}
}

// TestBehaviour121ThroughTheSocket: what the description has for the coordinator
// is found below the daemon's path for it.
func TestBehaviour121ThroughTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range operations {
			o := &operations[i]
			for _, s := range o.shows {
				if s.as != "ann" || s.want >= 400 {
					continue
				}
				method, _, _ := strings.Cut(o.route, " ")
				r := w.daemon(context.Background(), coordinatortest.Request(method, local.PathNetworks+"home"+local.CoordinatorPart+s.target, s.body))
				if r.Status == 404 && strings.Contains(string(r.Body), "there is nothing at") {
					t.Errorf("%s: %d %s", request(s, method), r.Status, r.Body)
				}
			}
		}
	})
}

// TestBehaviour118And121DocumentNamesEveryRoute: docs/api.md tells people of each.
func TestBehaviour118And121DocumentNamesEveryRoute(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines() {
		if !bytes.Contains(text, []byte("`"+l.String()+"`")) {
			t.Errorf("docs/api.md does not name `%s`: add a line to its table", &l)
		}
		for _, q := range l.query {
			if !bytes.Contains(text, []byte("`"+q+"`")) {
				t.Errorf("docs/api.md does not name the parameter `%s` of %s", q, &l)
			}
		}
	}
}

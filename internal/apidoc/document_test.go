package apidoc

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ginnel/coordinator/api"
	"ginnel/daemon/local"
	"ginnel/wire"
)

// line is a route of either API.
type line struct {
	method, path string
	query        []string
	min          api.Standing // for calls to the coordinator
	coordinator  bool
}

func (l *line) String() string { return l.method + " " + l.path }

// lines are all routes but the one by which the daemon passes on what it is
// asked for the coordinator: that is where the coordinator's API is found.
func lines() []line {
	var all []line
	for _, r := range api.Routes() {
		all = append(all, line{r.Method, r.Path, r.Query, r.Min, true})
	}
	for _, r := range local.Routes() {
		if r.Method != "*" {
			all = append(all, line{r.Method, r.Path, r.Query, 0, false})
		}
	}
	return all
}

func find(route string) *operation {
	i := slices.IndexFunc(operations, func(o operation) bool { return o.route == route })
	if i < 0 {
		return nil
	}
	return &operations[i]
}

// about is the description's own description.
const about = "The two interfaces of Ginnel for programs: the coordinator's, which every peer speaks to through the tunnel, and the daemon's on this machine, over its unix socket. " +
	"Through the socket the coordinator's is reached as well. Version 1 stays: fields and calls may be added to it, none is removed or changes its meaning. " +
	"Ignore fields of answers that you do not know; unknown fields of requests are refused. docs/api.md tells how to use it."

var (
	onSocket  = map[string]any{"url": "http://ginnel", "description": "the daemon's unix socket, /var/run/ginnel/ginnel.sock, for root and the group ginnel"}
	forwarded = map[string]any{
		"url": "http://ginnel" + local.PathNetworks + "{network}" + local.CoordinatorPart, "description": "through the daemon's unix socket, which adds the token",
		"variables": map[string]any{"network": map[string]any{"default": "home", "description": "the name of a network on this machine"}},
	}
	inTunnel = map[string]any{
		"url": "http://{coordinator}:{port}", "description": "inside the tunnel, from a peer's own address",
		"variables": map[string]any{
			"coordinator": map[string]any{"default": "10.42.0.1", "description": "the coordinator's overlay address"},
			"port":        map[string]any{"default": "51820", "description": "of its WireGuard, but TCP"},
		},
	}
)

// document returns the description. An error says what is missing in this
// package for a route.
func document(c *comments, examples map[string]map[int][]byte) (map[string]any, []error) {
	s := &schemas{comments: c, components: map[string]any{}}
	s.of(typeFor[wire.Problem](), false)
	paths, errs := map[string]any{}, []error{}
	known := map[string]bool{}
	for _, l := range lines() {
		known[l.String()] = true
		o := find(l.String())
		if o == nil {
			errs = append(errs, fmt.Errorf("route %s is described nowhere: add it to operations in operations_test.go", &l))
			continue
		}
		d, err := s.operation(&l, o, examples[o.route])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p, ok := paths[l.path].(map[string]any)
		if !ok {
			p = map[string]any{"servers": []any{onSocket}}
			if l.coordinator {
				p["servers"] = []any{forwarded, inTunnel}
			}
			paths[l.path] = p
		}
		p[strings.ToLower(l.method)] = d
	}
	for _, o := range operations {
		if !known[o.route] {
			errs = append(errs, fmt.Errorf("operation %s is no route any more: remove it from operations in operations_test.go", o.route))
		}
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "Ginnel", "version": "1", "description": about},
		"servers": []any{onSocket},
		"paths":   paths,
		"components": map[string]any{
			"schemas": s.components, "responses": responses(),
			"securitySchemes": map[string]any{"token": map[string]any{
				"type": "http", "scheme": "bearer",
				"description": "base64url, without padding, of what only the holder of the peer's private key and the coordinator can make: HKDF of the X25519 of the one's private and the other's public key. The daemon adds it to what it passes on.",
			}},
		},
	}, errs
}

// refusals are what the statuses of a Problem mean.
var refusals = map[int]string{
	400: "what was sent is malformed, or has something unknown in it",
	401: "it does not come from a peer's address with that peer's token",
	403: "the peer may not do this: it is no admin, disabled, or only invited",
	404: "something that is named does not exist",
	409: "it is in the way of something that exists, or against a rule",
	410: "the invitation is expired, revoked or used",
	413: "it is too large",
	422: "it breaks a rule for names, ranges or values",
	429: "too many requests: Retry-After has the seconds to wait",
	502: "the coordinator cannot be reached",
	503: "the network does not run",
}

func responses() map[string]any {
	all := map[string]any{}
	for status, meaning := range refusals {
		r := map[string]any{"description": meaning, "content": content(schema{"$ref": "#/components/schemas/Problem"}, wire.ProblemType, nil)}
		if status == 429 {
			r["headers"] = map[string]any{"Retry-After": map[string]any{"schema": map[string]any{"type": "integer"}, "description": "in seconds"}}
		}
		all[strconv.Itoa(status)] = r
	}
	return all
}

func content(s schema, media string, example any) map[string]any {
	c := map[string]any{"schema": s}
	if example != nil {
		c["example"] = example
	}
	return map[string]any{media: c}
}

var inBraces = regexp.MustCompile(`\{([a-z_]+)\}`)

func (s *schemas) operation(l *line, o *operation, examples map[int][]byte) (map[string]any, error) {
	d := map[string]any{"operationId": o.id, "summary": o.summary, "tags": []string{"daemon"}}
	if o.about != "" {
		d["description"] = o.about
	}
	if l.coordinator {
		d["tags"] = []string{"coordinator"}
		d["security"] = []any{map[string]any{"token": []any{}}}
		d["x-caller"] = map[api.Standing]string{api.Invitee: "invitee or peer", api.Peer: "peer", api.Admin: "admin"}[l.min]
	}
	list, err := parametersOf(l)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 {
		d["parameters"] = list
	}
	if o.in != nil {
		body := s.of(typeOfValue(o.in), true)
		if len(o.needs) > 0 {
			body["required"] = o.needs
		}
		d["requestBody"] = map[string]any{"required": true, "content": content(body, "application/json", o.example())}
	}
	d["responses"] = s.answers(l, o, examples)
	return d, nil
}

func parametersOf(l *line) ([]any, error) {
	var list []any
	add := func(name, in string) error {
		p, ok := parameters[name]
		if !ok {
			return fmt.Errorf("parameter %s of %s is described nowhere: add it to parameters in operations_test.go", name, l)
		}
		list = append(list, map[string]any{"name": name, "in": in, "required": in == "path", "description": p.about, "schema": p.schema})
		return nil
	}
	for _, m := range inBraces.FindAllStringSubmatch(l.path, -1) {
		if err := add(m[1], "path"); err != nil {
			return nil, err
		}
	}
	for _, name := range l.query {
		if err := add(name, "query"); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// answers are those that o lists, the refusals it shows, and those that any
// call of its kind may get.
func (s *schemas) answers(l *line, o *operation, examples map[int][]byte) map[string]any {
	all := map[string]any{}
	for status, out := range o.out {
		r := map[string]any{"description": wire.StatusText(status)}
		if out != nil {
			r["content"] = content(s.of(typeOfValue(out), false), "application/json", decoded(examples[status]))
		}
		all[strconv.Itoa(status)] = r
	}
	for _, status := range o.refusals(l) {
		all[strconv.Itoa(status)] = map[string]any{"$ref": "#/components/responses/" + strconv.Itoa(status)}
	}
	return all
}

// refusals are the statuses of those that a call may get.
func (o *operation) refusals(l *line) []int {
	all := map[int]bool{}
	for _, s := range o.shows {
		if s.want >= 400 {
			all[s.want] = true
		}
	}
	if l.coordinator {
		all[401], all[429] = true, true
		all[403] = all[403] || l.min > api.Invitee
	}
	if strings.Contains(l.path, "{network}") {
		all[502], all[503] = true, true
	}
	if o.in != nil || len(l.query) > 0 {
		all[400] = true
	}
	if o.in != nil {
		all[413] = true
	}
	var list []int
	for status := range all {
		list = append(list, status)
	}
	slices.Sort(list)
	return list
}

// example is the body of the first request that is no refusal.
func (o *operation) example() any {
	for _, s := range o.shows {
		if s.want < 400 {
			return decoded([]byte(s.body))
		}
	}
	return nil
}

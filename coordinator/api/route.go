package api

import (
	"strconv"
	"strings"

	"ginnel/wire"
	"ginnel/wire/http1"
)

// route is one line of the API.
type route struct {
	method string
	path   string   // a pattern of http1.MatchPath
	query  []string // the parameters it knows
	min    Standing // who may call it, and everybody above
	serve  func(*server, *call) (*http1.Response, error)
}

var routes = []route{
	{"GET", wire.PathMap, []string{"revision", "epoch", "seq"}, Peer, (*server).getMap},
	{"PUT", wire.PathSelf, nil, Peer, (*server).putSelf},
	{"POST", wire.PathRedeem, nil, Invitee, (*server).redeem},
	{"GET", wire.PathNetwork, nil, Peer, (*server).getNetwork},
	{"PATCH", wire.PathNetwork, nil, Admin, (*server).patchNetwork},

	{"GET", wire.PathCIDRs, nil, Admin, (*server).listCIDRs},
	{"POST", wire.PathCIDRs, []string{"preview"}, Admin, (*server).addCIDR},
	{"PATCH", wire.PathCIDRs + "/{name}", nil, Admin, (*server).renameCIDR},
	{"DELETE", wire.PathCIDRs + "/{name}", nil, Admin, (*server).removeCIDR},

	{"GET", wire.PathAssociations, nil, Admin, (*server).listAssociations},
	{"POST", wire.PathAssociations, nil, Admin, (*server).associate},
	{"DELETE", wire.PathAssociations + "/{name}/{other}", []string{"preview"}, Admin, (*server).dissociate},

	{"GET", wire.PathPeers, nil, Admin, (*server).listPeers},
	{"PATCH", wire.PathPeers + "/{name}", nil, Admin, (*server).patchPeer},
	{"DELETE", wire.PathPeers + "/{name}", []string{"free_address"}, Admin, (*server).removePeer},
	{"POST", wire.PathPeers + "/{name}/" + wire.PeerInvitation, nil, Admin, (*server).reinvite},
	{"GET", wire.PathRetired, nil, Admin, (*server).listRetired},
	{"DELETE", wire.PathRetired + "/{address}", nil, Admin, (*server).freeAddress},
	{"POST", wire.PathInvitations, nil, Admin, (*server).invite},
}

// Route is a line of the API for those who describe it.
type Route struct {
	Method string
	Path   string   // a pattern of http1.MatchPath
	Query  []string // the parameters it knows
	Min    Standing // who may call it, and everybody above
}

// Routes returns the whole API.
func Routes() []Route {
	all := make([]Route, len(routes))
	for i, r := range routes {
		all[i] = Route{r.method, r.path, r.query, r.min}
	}
	return all
}

// call is one request on its way through a route.
type call struct {
	*http1.Request
	caller Caller
	names  []string // what the path has for each {name}
}

// find returns the request's route, and the names in its path.
func find(r *http1.Request) (*route, []string, error) {
	var allow []string
	for i := range routes {
		names, ok := http1.MatchPath(routes[i].path, r.Path)
		if !ok {
			continue
		}
		if routes[i].method == r.Method {
			return &routes[i], names, nil
		}
		allow = append(allow, routes[i].method)
	}
	if allow == nil {
		return nil, nil, wire.Errorf(wire.StatusNotFound, "there is nothing at %q", r.Path)
	}
	return nil, nil, &wrongMethod{allow}
}

// wrongMethod is the error for a path that exists with other methods.
type wrongMethod struct{ allow []string }

func (w *wrongMethod) Error() string { return "want " + strings.Join(w.allow, ", ") }

// number reads a parameter; without it, 0.
func (c *call) number(name string) (uint64, error) {
	text := c.Query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, wire.Errorf(wire.StatusBadRequest, "parameter %s must be a whole number below 2^64", name)
	}
	return n, nil
}

// flag reads a parameter that is 1 or 0; without it, false.
func (c *call) flag(name string) (bool, error) {
	switch c.Query.Get(name) {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	}
	return false, wire.Errorf(wire.StatusBadRequest, "parameter %s must be 1 or 0", name)
}

func noContent() *http1.Response { return http1.JSON(wire.StatusNoContent, nil) }

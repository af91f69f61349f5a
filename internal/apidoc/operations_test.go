package apidoc

import (
	"net/netip"
	"strings"

	"ginnel/daemon/local"
	"ginnel/wire"
)

// operation is what is told of a route.
type operation struct {
	route   string // its method and path, as the table of routes has them
	id      string
	summary string
	about   string      // more; may be empty
	in      any         // of the type of the request's body; nil: it has none
	needs   []string    // the fields of in that must be there
	out     map[int]any // the answers that are no refusals, of the types of their bodies; nil: it has none
	shows   []show      // the first one that is no refusal is the example
}

// show is a request, and what status its answer has. Those of one operation are
// made one after the other of a network of coordinatortest.
type show struct {
	as     string // who asks the coordinator; whoever asks the daemon may do everything
	target string
	body   string
	want   int
}

// parameters are those of paths and queries.
var parameters = map[string]struct {
	about  string
	schema schema
}{
	"name":         {"the name of what the path speaks of, path-escaped", schema{"type": "string", "minLength": 1}},
	"other":        {"the name of the other CIDR", schema{"type": "string", "minLength": 1}},
	"network":      {"the name of a network on this machine", schema{"type": "string", "minLength": 1}},
	"address":      {"an overlay address", schema{"type": "string", "minLength": 2}},
	"revision":     {"position.revision of the map one has; left out: none", schema{"type": "integer", "minimum": 0, "format": "uint64"}},
	"epoch":        {"position.epoch of it", schema{"type": "integer", "minimum": 0, "format": "uint64"}},
	"seq":          {"position.seq of it", schema{"type": "integer", "minimum": 0, "format": "uint64"}},
	"preview":      {"1: only tell what would happen", schema{"type": "string", "enum": []string{"0", "1"}}},
	"key":          {"the public key to accept, as listPins has it in presented; left out: any", schema{"type": "string", "minLength": 1}},
	"free_address": {"1: the address may be given to another peer", schema{"type": "string", "enum": []string{"0", "1"}}},
}

// aKey is some public key.
const aKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

var operations = []operation{
	{
		route: "GET /v1/map", id: "getMap", summary: "The network as the caller may see it, or what changed in it",
		about: "Without parameters the answer is the whole map. With those of an earlier answer's position it is what changed since, if the coordinator still knows that, else the whole map again.",
		out:   map[int]any{200: wire.Update{}},
		shows: []show{
			{"bob", "/v1/map", "", 200},
			{"bob", "/v1/map?revision=3&epoch=4&seq=5", "", 200},
			{"bob", "/v1/map?revision=-1", "", 400},
			{"dan", "/v1/map", "", 403},
		},
	},
	{
		route: "PUT /v1/self", id: "putSelf", summary: "Tell where the caller may be reached",
		in:  wire.Report{},
		out: map[int]any{204: nil},
		shows: []show{
			{"bob", "/v1/self", `{"candidates":["192.0.2.7:51820","[2001:db8::7]:51820"],"announced":["router.example:51820"]}`, 204},
			{"bob", "/v1/self", `{"candidates":["127.0.0.1:51820"]}`, 422},
			{"bob", "/v1/self", `{"candidates":["` + strings.Repeat(`192.0.2.7:51820","`, wire.MaxCandidates) + `192.0.2.7:1"]}`, 413},
			{"bob", "/v1/self", `{"candidates":[}`, 400},
		},
	},
	{
		route: "POST /v1/redeem", id: "redeem", summary: "Redeem an invitation",
		about: "Called through a tunnel with the invitation's temporary key, from its address. Asking again with the same key is answered the same.",
		in:    wire.RedeemRequest{}, needs: []string{"public_key"},
		out: map[int]any{200: wire.Redeemed{}},
		shows: []show{
			{"eve", "/v1/redeem", `{"public_key":"` + aKey + `"}`, 200},
			{"eve", "/v1/redeem", `{"public_key":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}`, 410},
			{"eve", "/v1/redeem", `{"public_key":"` + strings.Repeat("A", 43) + `="}`, 422},
			{"eve", "/v1/redeem", `{"public_key":"short"}`, 400},
		},
	},
	{
		route: "GET /v1/network", id: "getNetwork", summary: "The network at a glance",
		out: map[int]any{200: wire.NetworkInfo{}},
		shows: []show{
			{"bob", "/v1/network", "", 200},
			{"eve", "/v1/network", "", 403},
		},
	},
	{
		route: "PATCH /v1/network", id: "patchNetwork", summary: "Change the network",
		in:  wire.NetworkPatch{},
		out: map[int]any{200: wire.NetworkInfo{}},
		shows: []show{
			{"ann", "/v1/network", `{"endpoints":["hub.example:51820","192.0.2.1:51820"]}`, 200},
			{"ann", "/v1/network", `{"endpoints":["hub.example"]}`, 422},
		},
	},
	{
		route: "GET /v1/cidrs", id: "listCIDRs", summary: "All CIDRs",
		out:   map[int]any{200: []wire.CIDR{}},
		shows: []show{{"ann", "/v1/cidrs", "", 200}},
	},
	{
		route: "POST /v1/cidrs", id: "addCIDR", summary: "Add a CIDR, or tell what that would change",
		about: "Peers whose addresses lie in it then belong to it: a preview tells who would gain or lose sight of whom.",
		in:    wire.CIDR{}, needs: []string{"name", "prefix"},
		out: map[int]any{200: wire.CIDRChange{}, 201: wire.CIDRChange{}},
		shows: []show{
			{"ann", "/v1/cidrs?preview=1", `{"name":"lab","prefix":"10.42.1.0/26"}`, 200},
			{"ann", "/v1/cidrs", `{"name":"lab","prefix":"10.42.1.0/26","isolated":true}`, 201},
			{"ann", "/v1/cidrs", `{"name":"lab","prefix":"10.42.9.0/24"}`, 409},
			{"ann", "/v1/cidrs", `{"name":"Lab","prefix":"10.42.9.0/24"}`, 422},
		},
	},
	{
		route: "PATCH /v1/cidrs/{name}", id: "renameCIDR", summary: "Rename a CIDR",
		in: wire.Rename{}, needs: []string{"name"},
		out: map[int]any{200: wire.CIDR{}},
		shows: []show{
			{"ann", "/v1/cidrs/phones", `{"name":"mobiles"}`, 200},
			{"ann", "/v1/cidrs/phones", `{"name":"mobiles"}`, 404},
			{"ann", "/v1/cidrs/mobiles", `{"name":"servers"}`, 409},
			{"ann", "/v1/cidrs/mobiles", `{"name":"-"}`, 422},
		},
	},
	{
		route: "DELETE /v1/cidrs/{name}", id: "removeCIDR", summary: "Remove a CIDR that has no peers",
		out: map[int]any{204: nil},
		shows: []show{
			{"ann", "/v1/cidrs/phones", "", 409},
			{"ann", "/v1/cidrs/nothing", "", 404},
			{"ann", "/v1/cidrs/spare", "", 204},
		},
	},
	{
		route: "GET /v1/associations", id: "listAssociations", summary: "All associations",
		out:   map[int]any{200: []wire.Association{}},
		shows: []show{{"ann", "/v1/associations", "", 200}},
	},
	{
		route: "POST /v1/associations", id: "associate", summary: "Let the peers of two CIDRs see each other",
		in:  wire.Association{},
		out: map[int]any{201: wire.Association{}},
		shows: []show{
			{"ann", "/v1/associations", `["phones","servers"]`, 201},
			{"ann", "/v1/associations", `["phones","infra"]`, 409},
			{"ann", "/v1/associations", `["phones","nothing"]`, 404},
			{"ann", "/v1/associations", `["phones"]`, 400},
		},
	},
	{
		route: "DELETE /v1/associations/{name}/{other}", id: "dissociate", summary: "End an association, or tell what that would change",
		about: "The names may be in either order.",
		out:   map[int]any{200: wire.SightChange{}, 204: nil},
		shows: []show{
			{"ann", "/v1/associations/empty/servers?preview=1", "", 200},
			{"ann", "/v1/associations/servers/empty", "", 204},
			{"ann", "/v1/associations/servers/phones", "", 404},
		},
	},
	{
		route: "GET /v1/peers", id: "listPeers", summary: "All peers, those who are invited included",
		out:   map[int]any{200: []wire.Peer{}},
		shows: []show{{"ann", "/v1/peers", "", 200}, {"bob", "/v1/peers", "", 403}},
	},
	{
		route: "PATCH /v1/peers/{name}", id: "patchPeer", summary: "Rename, disable or enable a peer, or make it an admin or not",
		about: "All that is in one request is done, or none of it. A peer's address, public key and CIDR never change: naming them is refused.",
		in:    wire.PeerPatch{},
		out:   map[int]any{200: wire.Peer{}},
		shows: []show{
			{"ann", "/v1/peers/bob", `{"name":"rob","admin":true,"disabled":false}`, 200},
			{"ann", "/v1/peers/bob", `{"admin":false}`, 404},
			{"ann", "/v1/peers/rob", `{"name":"carl"}`, 409},
			{"ann", "/v1/peers/rob", `{"address":"10.42.1.9"}`, 422},
		},
	},
	{
		route: "DELETE /v1/peers/{name}", id: "removePeer", summary: "Remove a peer, or revoke an invitation that is not redeemed",
		about: "The name is free then; the address is not, unless that is asked for.",
		out:   map[int]any{204: nil},
		shows: []show{
			{"ann", "/v1/peers/carl?free_address=1", "", 204},
			{"ann", "/v1/peers/carl", "", 404},
			{"ann", "/v1/peers/hub", "", 409},
		},
	},
	{
		route: "POST /v1/peers/{name}/invitation", id: "reinvite", summary: "Make another invitation of a peer that has not joined",
		about: "The one before is no longer good.",
		in:    wire.InvitationRenewal{},
		out:   map[int]any{201: wire.InvitationIssued{}},
		shows: []show{
			{"ann", "/v1/peers/eve/invitation", `{"expires_in":3600}`, 201},
			{"ann", "/v1/peers/bob/invitation", `{}`, 409},
			{"ann", "/v1/peers/nobody/invitation", `{}`, 404},
			{"ann", "/v1/peers/eve/invitation", `{"expires_in":-1}`, 422},
		},
	},
	{
		route: "GET /v1/retired", id: "listRetired", summary: "The addresses of removed peers, which nobody is given",
		out:   map[int]any{200: []netip.Addr{}},
		shows: []show{{"ann", "/v1/retired", "", 200}, {"bob", "/v1/retired", "", 403}},
	},
	{
		route: "DELETE /v1/retired/{address}", id: "freeAddress", summary: "Let a removed peer's address be given to another peer",
		about: "Peers that have seen the removed peer have its key pinned for the address: they do not take another one before they forget that pin.",
		out:   map[int]any{204: nil},
		shows: []show{
			{"ann", "/v1/peers/carl", "", 204},
			{"ann", "/v1/retired/10.42.2.1", "", 204},
			{"ann", "/v1/retired/10.42.2.1", "", 404},
			{"ann", "/v1/retired/carl", "", 400},
		},
	},
	{
		route: "POST /v1/invitations", id: "invite", summary: "Invite a peer",
		about: "The answer has the invitation, which is told this once. One of cidr and address must be given.",
		in:    wire.InvitationRequest{}, needs: []string{"name"},
		out: map[int]any{201: wire.InvitationIssued{}},
		shows: []show{
			{"ann", "/v1/invitations", `{"name":"fay","cidr":"phones","address":"10.42.2.9","admin":false,"expires_in":86400}`, 201},
			{"ann", "/v1/invitations", `{"name":"fay","cidr":"phones"}`, 409},
			{"ann", "/v1/invitations", `{"name":"gil","cidr":"nothing"}`, 404},
			{"ann", "/v1/invitations", `{"name":"gil"}`, 422},
		},
	},

	{
		route: "GET /v1/status", id: "getStatus", summary: "How the networks on this machine are",
		out:   map[int]any{200: local.Status{}},
		shows: []show{{"", "/v1/status", "", 200}, {"", "/v1/status?verbose=1", "", 400}},
	},
	{
		route: "POST /v1/reload", id: "reload", summary: "Read the configuration again",
		about: "A configuration with a mistake changes nothing.",
		out:   map[int]any{204: nil},
		shows: []show{{"", "/v1/reload", "", 204}},
	},
	{
		route: "POST /v1/networks/{network}/fetch", id: "fetch", summary: "Ask the coordinator for the map now, and wait until it is applied",
		out:   map[int]any{200: local.Network{}},
		shows: []show{{"", "/v1/networks/home/fetch", "", 200}, {"", "/v1/networks/nothing/fetch", "", 404}},
	},
	{
		route: "GET /v1/networks/{network}/pins", id: "listPins", summary: "The public keys that this machine has accepted",
		out:   map[int]any{200: []local.Pin{}},
		shows: []show{{"", "/v1/networks/home/pins", "", 200}, {"", "/v1/networks/nothing/pins", "", 404}},
	},
	{
		route: "DELETE /v1/networks/{network}/pins/{address}", id: "forgetPin", summary: "Forget a pin: what the coordinator presents next for the address is accepted",
		about: "With key, which must be what the coordinator presents now, that one is pinned instead, and no other is accepted.",
		out:   map[int]any{204: nil},
		shows: []show{
			{"", "/v1/networks/home/pins/10.42.1.2", "", 204},
			{"", "/v1/networks/home/pins/10.42.1.2?key=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8%3D", "", 409},
			{"", "/v1/networks/home/pins/bob", "", 400},
			{"", "/v1/networks/home/pins/10.42.1.200", "", 404},
			{"", "/v1/networks/nothing/pins/10.42.1.2", "", 404},
		},
	},
}

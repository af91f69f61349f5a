package api

import (
	"net/netip"
	"slices"

	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
	"ginnel/wire/json"
)

func (s *server) patchNetwork(c *call) (*http1.Response, error) {
	var patch wire.NetworkPatch
	if err := wire.Decode(c.Body, &patch); err != nil {
		return nil, err
	}
	var cmds []network.Command
	if patch.Endpoints != nil {
		if err := wire.CheckEndpoints(patch.Endpoints); err != nil {
			return nil, wire.Errorf(wire.StatusUnprocessable, "%v", err)
		}
		cmds = append(cmds, network.SetEndpoints{Endpoints: patch.Endpoints})
	}
	book, err := s.admins.Do(cmds...)
	if err != nil {
		return nil, err
	}
	return s.networkInfo(book), nil
}

func (s *server) listPeers(*call) (*http1.Response, error) {
	book := s.admins.Book()
	peers := book.Peers()
	list := make([]wire.Peer, len(peers))
	for i := range peers {
		list[i] = s.admins.Describe(book, &peers[i])
	}
	return http1.JSON(wire.StatusOK, list), nil
}

func (s *server) patchPeer(c *call) (*http1.Response, error) {
	if err := checkFixed(c.Body); err != nil {
		return nil, err
	}
	var patch wire.PeerPatch
	if err := wire.Decode(c.Body, &patch); err != nil {
		return nil, err
	}
	if _, ok := s.admins.Book().PeerNamed(c.names[0]); !ok {
		return nil, wire.Errorf(wire.StatusNotFound, "no peer is called %q", c.names[0])
	}
	name := c.names[0]
	var cmds []network.Command
	if patch.Admin != nil {
		cmds = append(cmds, network.SetAdmin{Name: name, Admin: *patch.Admin})
	}
	if patch.Disabled != nil {
		cmds = append(cmds, network.SetDisabled{Name: name, Disabled: *patch.Disabled})
	}
	if patch.Name != nil {
		cmds = append(cmds, network.RenamePeer{Name: name, NewName: *patch.Name})
		name = *patch.Name
	}
	book, err := s.admins.Do(cmds...)
	if err != nil {
		return nil, err
	}
	p, ok := book.PeerNamed(name)
	if !ok {
		return nil, wire.Errorf(wire.StatusNotFound, "no peer is called %q", name)
	}
	return http1.JSON(wire.StatusOK, s.admins.Describe(book, p)), nil
}

// checkFixed refuses a patch that names what never changes, with a better
// reason than an unknown field has.
func checkFixed(body []byte) error {
	names, err := json.Names(body)
	if err != nil {
		return nil // wire.Decode will say what is wrong
	}
	for _, name := range []string{"address", "public_key", "cidr"} {
		if slices.Contains(names, name) {
			return wire.Errorf(wire.StatusUnprocessable, "a peer's address, public key and CIDR never change, and the request has %q: invite a new peer instead", name)
		}
	}
	return nil
}

func (s *server) removePeer(c *call) (*http1.Response, error) {
	free, err := c.flag("free_address")
	if err != nil {
		return nil, err
	}
	return s.remove(network.RemovePeer{Name: c.names[0], FreeAddress: free})
}

func (s *server) remove(cmd network.Command) (*http1.Response, error) {
	if _, err := s.admins.Do(cmd); err != nil {
		return nil, err
	}
	return noContent(), nil
}

func (s *server) listRetired(*call) (*http1.Response, error) {
	return http1.JSON(wire.StatusOK, append([]netip.Addr{}, s.admins.Book().Retired()...)), nil
}

func (s *server) freeAddress(c *call) (*http1.Response, error) {
	a, err := netip.ParseAddr(c.names[0])
	if err != nil {
		return nil, wire.Errorf(wire.StatusBadRequest, "%.80q is no address", c.names[0])
	}
	return s.remove(network.FreeAddress{Address: a})
}

func (s *server) invite(c *call) (*http1.Response, error) {
	var request wire.InvitationRequest
	if err := wire.Decode(c.Body, &request); err != nil {
		return nil, err
	}
	issued, err := s.admins.Invite(request)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusCreated, issued), nil
}

func (s *server) reinvite(c *call) (*http1.Response, error) {
	var request wire.InvitationRenewal
	if err := wire.Decode(c.Body, &request); err != nil {
		return nil, err
	}
	issued, err := s.admins.Reinvite(c.names[0], request)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusCreated, issued), nil
}

func (s *server) listAssociations(*call) (*http1.Response, error) {
	book := s.admins.Book()
	names := map[string]string{}
	for _, c := range book.CIDRs() {
		names[c.Prefix.String()] = c.Name
	}
	list := []wire.Association{}
	for _, a := range book.Associations() {
		list = append(list, wire.Association{names[a.A.String()], names[a.B.String()]})
	}
	return http1.JSON(wire.StatusOK, list), nil
}

func (s *server) associate(c *call) (*http1.Response, error) {
	var pair []string
	if err := wire.Decode(c.Body, &pair); err != nil {
		return nil, err
	}
	if len(pair) != 2 {
		return nil, wire.Errorf(wire.StatusBadRequest, "an association has 2 names of CIDRs, this has %d", len(pair))
	}
	if _, err := s.admins.Do(network.Associate{A: pair[0], B: pair[1]}); err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusCreated, wire.Association(pair)), nil
}

func (s *server) dissociate(c *call) (*http1.Response, error) {
	preview, err := c.flag("preview")
	if err != nil {
		return nil, err
	}
	cmd := network.Dissociate{A: c.names[0], B: c.names[1]}
	if !preview {
		return s.remove(cmd)
	}
	change, err := s.preview(cmd)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusOK, change), nil
}

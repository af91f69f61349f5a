package config

import (
	"errors"

	"ginnel/wire"
)

// readInvitation reads a token, and takes from it what the section may leave
// out. No error tells what is secret in it.
func readInvitation(n *Network, s string) error {
	if n.Role == Coordinator {
		return errors.New("is for peers: a coordinator has made its network and joins none")
	}
	inv, err := wire.ParseInvitation(s)
	if err != nil {
		return err
	}
	if inv.Network != n.Name {
		return errors.New("is an invitation into another network, whose section is to be " + sectionName(inv.Network))
	}
	n.Role, n.Invitation = Peer, inv
	if len(n.Endpoints) == 0 { // a list of them may come yet
		n.Endpoints = inv.Coordinator.Endpoints
	}
	return nil
}

func writeInvitation(n *Network) []string {
	token := ""
	if n.Invitation != nil {
		token = n.Invitation.Token()
	}
	return unlessEmpty(token)
}

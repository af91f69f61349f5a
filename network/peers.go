package network

import "time"

// findPeer returns a copy of the peer with a name.
func (b *Book) findPeer(name string) (Peer, error) {
	p, ok := b.PeerNamed(name)
	if !ok {
		return Peer{}, refuse(NotFound, "no peer is called %q", name)
	}
	return *p, nil
}

// notCoordinator refuses what cannot be done to the coordinator's own peer.
func (b *Book) notCoordinator(p Peer, verb string) error {
	if p.Address == b.s.Coordinator {
		return refuse(Conflict, "%s is the coordinator's own peer: it cannot be %s", p.Name, verb)
	}
	return nil
}

func (b *Book) checkPeerName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if p, taken := b.PeerNamed(name); taken {
		return refuse(Conflict, "there is a peer %s at %v already: choose another name", name, p.Address)
	}
	return nil
}

func (c RenamePeer) apply(e *edit, _ time.Time) error {
	p, err := e.findPeer(c.Name)
	if err != nil || c.NewName == c.Name {
		return err
	}
	if err := e.notCoordinator(p, "renamed"); err != nil {
		return err
	}
	if err := e.checkPeerName(c.NewName); err != nil {
		return err
	}
	p.Name = c.NewName
	e.putPeer(p)
	e.tellOf(p)
	return nil
}

func (c SetDisabled) apply(e *edit, _ time.Time) error {
	p, err := e.findPeer(c.Name)
	if err != nil || c.Disabled == p.Disabled {
		return err
	}
	if err := e.notCoordinator(p, "disabled"); err != nil {
		return err
	}
	if p.IsInvited() {
		return refuse(Conflict, "%s has not redeemed its invitation yet: remove the peer to revoke it", p.Name)
	}
	p.Disabled = c.Disabled
	e.putPeer(p)
	p.Disabled = false // those who see it when it is enabled must hear in both cases
	e.tellOf(p)
	e.tellAll(p)
	return nil
}

func (c SetAdmin) apply(e *edit, _ time.Time) error {
	p, err := e.findPeer(c.Name)
	if err != nil || c.Admin == p.Admin {
		return err
	}
	if err := e.notCoordinator(p, "anything but an admin"); err != nil {
		return err
	}
	p.Admin = c.Admin
	e.putPeer(p)
	e.tellOf(p)
	return nil
}

func (c RemovePeer) apply(e *edit, _ time.Time) error {
	p, err := e.findPeer(c.Name)
	if err != nil {
		return err
	}
	if err := e.notCoordinator(p, "removed"); err != nil {
		return err
	}
	e.tellOf(p)
	if !p.IsInvited() {
		e.tellAll(p) // should its address come to another peer, that one starts from nothing
		if !c.FreeAddress {
			e.retire(p.Address)
		}
	}
	e.deletePeers(func(q *Peer) bool { return q.Address == p.Address })
	return nil
}

// Nobody need look again: that the address has nobody was told when its peer
// was removed.
func (c FreeAddress) apply(e *edit, _ time.Time) error {
	if !e.isRetired(c.Address) {
		return refuse(NotFound, "%v is not retired: no removed peer's address waits to be freed there", c.Address)
	}
	e.free(c.Address)
	return nil
}

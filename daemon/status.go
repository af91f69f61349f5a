package daemon

import (
	"ginnel/daemon/core"
	"ginnel/daemon/local"
)

// describe tells how the network is. Only the loop calls it.
func (p *peer) describe() local.Network {
	m := p.core.Map()
	n := local.Network{
		Name: p.cfg.Name, State: local.Up, Role: string(p.cfg.Role),
		Root: p.id.Root, PublicKey: p.id.PrivateKey.Public(),
		Backend: string(p.core.Backend()), ListenPort: p.core.ListenPort(),
		Self: m.Self, Revision: m.Position.Revision, LastContact: p.core.LastFetch(),
		Peers: []local.Peer{},
	}
	for _, s := range p.core.Problems() {
		n.Problems = append(n.Problems, s.Text)
	}
	for _, s := range p.core.AppendPeers(nil) {
		n.Peers = append(n.Peers, describePeer(&s))
	}
	return n
}

func describePeer(s *core.PeerStatus) local.Peer {
	return local.Peer{
		Member: s.Member, Endpoint: s.Endpoint, LastHandshake: s.LastHandshake,
		Rx: s.Rx, Tx: s.Tx, Connected: s.Connected,
	}
}

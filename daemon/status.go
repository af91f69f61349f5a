package daemon

import (
	"context"
	"errors"

	"ginnel/daemon/config"
	"ginnel/daemon/core"
	"ginnel/daemon/local"
)

var (
	errStopping = errors.New("is stopping")
	errBusy     = errors.New("the daemon is busy with this network and does not answer in time: try again in a moment")
)

// status asks the loop how the network is.
func (p *peer) status(ctx context.Context) local.Network {
	answer := make(chan local.Network, 1)
	select {
	case p.asks <- func(loop context.Context) { answer <- p.describeNow(loop) }:
		return <-answer
	case <-p.ended:
		return withoutPeer(&p.cfg, local.Failed, p.endErr)
	case <-ctx.Done():
		return withoutPeer(&p.cfg, local.Unknown, errBusy)
	}
}

// withoutPeer describes a network of which nothing is known but that; err is
// why, if there is a reason.
func withoutPeer(cfg *config.Network, s local.State, err error) local.Network {
	n := local.Network{Name: cfg.Name, Role: string(cfg.Role), State: s, Interface: cfg.Interface, Peers: []local.Peer{}}
	if err != nil {
		n.Error = err.Error()
	}
	return n
}

// describeNow has the core look before it tells. Only the loop calls it.
func (p *peer) describeNow(ctx context.Context) local.Network {
	p.step(ctx, core.Asked{})
	return p.describe()
}

// describe tells how the network is. Only the loop calls it.
func (p *peer) describe() local.Network {
	m := p.core.Map()
	n := local.Network{
		Name: p.cfg.Name, State: local.Up, Role: string(p.cfg.Role),
		Root: p.id.Root, PublicKey: p.id.PrivateKey.Public(),
		Interface: p.cfg.Interface, Backend: string(p.core.Backend()), ListenPort: p.core.ListenPort(),
		Self: m.Self, Revision: m.Position.Revision, LastContact: p.core.LastFetch(),
		Problems: p.problems(), Peers: []local.Peer{},
	}
	if p.openErr != nil {
		n.State, n.Error = local.Failed, p.openErr.Error()
	}
	for _, s := range p.core.AppendPeers(nil) {
		n.Peers = append(n.Peers, describePeer(&s))
	}
	return n
}

// problems lists the core's, and what is the shell's own.
func (p *peer) problems() (list []string) {
	for _, s := range p.core.Problems() {
		list = append(list, s.Text)
	}
	if isIgnored(&p.cfg, &p.id) {
		list = append(list, ignored)
	}
	if p.doors.err != nil {
		list = append(list, p.doors.err.Error())
	}
	return list
}

func describePeer(s *core.PeerStatus) local.Peer {
	return local.Peer{
		Member: s.Member, Endpoint: s.Endpoint, LastHandshake: s.LastHandshake,
		Rx: s.Rx, Tx: s.Tx, Overridden: s.Overridden, Connected: s.Connected,
		Reach: local.Reach(s.Reach), Why: s.Why,
	}
}

package daemon

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"

	"ginnel/daemon/core"
	"ginnel/platform"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// doors are the sockets on the interface: the signal socket, and on the
// coordinator the listener of its API. They are opened when the interface has
// its address, and again after it was lost. The zero value is closed.
type doors struct {
	mu     sync.Mutex
	signal platform.UDPConn // nil: closed; guarded by mu, as send is called from anywhere
	api    net.Listener     // nil: closed
}

// open opens what is closed. What does not succeed is tried at the next
// observation of the interface.
func (d *doors) open(ctx context.Context, p *peer) {
	self := netip.PrefixFrom(p.id.Address, p.id.Address.BitLen())
	if !p.net.Up || !slices.Contains(p.net.Addresses, self) {
		return
	}
	if d.signal == nil {
		c, err := p.sys.Sockets.ListenUDP(p.cfg.Name, netip.AddrPortFrom(p.id.Address, wire.SignalPort))
		if err != nil {
			p.log.Warn("no signals: changes arrive late", "err", err)
		} else {
			d.setSignal(c)
			p.tasks.Go(func() { p.readSignals(ctx, c) })
		}
	}
	if p.role != nil && d.api == nil {
		l, err := p.sys.Sockets.ListenTCP(p.cfg.Name, netip.AddrPortFrom(p.id.Address, p.id.Coordinator.APIPort))
		if err != nil {
			p.log.Error("the coordinator's API is not served", "err", err)
			return
		}
		d.api = l
		p.tasks.Go(func() { p.serveAPI(ctx, l) })
	}
}

func (d *doors) setSignal(c platform.UDPConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signal = c
}

// close closes what is open; its goroutines end by that.
func (d *doors) close() {
	if d.signal != nil {
		d.signal.Close()
		d.setSignal(nil)
	}
	if d.api != nil {
		d.api.Close()
		d.api = nil
	}
}

// send sends s as well as it can: signals may be lost, those that matter are
// repeated.
func (d *doors) send(to netip.Addr, s wire.Signal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.signal != nil {
		d.signal.WriteToUDPAddrPort(s.Append(nil), netip.AddrPortFrom(to, wire.SignalPort))
	}
}

// readSignals turns datagrams into events until c is closed, which the end of
// ctx does as well.
func (p *peer) readSignals(ctx context.Context, c platform.UDPConn) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	var b [64]byte
	for {
		n, from, err := c.ReadFromUDPAddrPort(b[:])
		if err != nil {
			return
		}
		s, err := wire.ParseSignal(b[:n])
		if err != nil {
			continue
		}
		select {
		case p.events <- core.Signalled{From: from.Addr().Unmap(), Signal: s}:
		case <-ctx.Done():
			return
		}
	}
}

// serveAPI serves the coordinator's API until l is closed.
func (p *peer) serveAPI(ctx context.Context, l net.Listener) {
	s := http1.Server{Handler: p.role.Overlay, Log: p.log}
	if err := s.Serve(ctx, l); err != nil && ctx.Err() == nil {
		p.log.Debug("the coordinator's API ended", "err", err)
	}
}

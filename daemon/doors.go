package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
	"ginnel/wire"
	"ginnel/wire/http1"
	"ginnel/wire/pace"
)

// doorRetry is how long a socket that could not be opened, or ended by itself,
// waits before the next try.
const doorRetry = 2 * time.Second

// doors are the sockets on the interface: the signal socket, and on the
// coordinator the listener of its API. They are opened when the interface has
// its address, and again after it was lost. The zero value is closed.
type doors struct {
	mu     sync.Mutex
	signal platform.UDPConn // nil: closed; written by the loop with mu held, as send is called from anywhere
	api    net.Listener     // nil: closed
	err    error            // why something is closed that should be open
	due    time.Time        // of the next try; zero: when the interface changes
}

// openDoors opens what is closed, where the interface is ready for it.
func (p *peer) openDoors(ctx context.Context) {
	d := &p.doors
	d.due = time.Time{}
	if d.signal != nil && (p.role == nil || d.api != nil) || !p.isAddressed() {
		return
	}
	err := errors.Join(p.openSignal(ctx), p.openAPI(ctx))
	if err != nil {
		d.due = time.Now().Add(doorRetry)
	}
	switch {
	case err != nil && d.err == nil:
		p.log.Warn("a socket is not open", "err", err)
	case err == nil && d.err != nil:
		p.log.Info("all sockets are open")
	}
	d.err = err
}

// isAddressed tells whether the interface is there, up and has our address. The
// core sees to that, and says what is wrong.
func (p *peer) isAddressed() bool {
	var s platform.NetState
	self := netip.PrefixFrom(p.id.Address, p.id.Address.BitLen())
	return p.tunnel != nil && p.sys.Network.Observe(p.cfg.Link(), &s) == nil && s.Up && slices.Contains(s.Addresses, self)
}

func (p *peer) openSignal(ctx context.Context) error {
	if p.doors.signal != nil {
		return nil
	}
	c, err := p.sys.Sockets.ListenUDP(p.cfg.Link(), netip.AddrPortFrom(p.id.Address, wire.SignalPort))
	if err != nil {
		return fmt.Errorf("no signals, so changes arrive late: %w", err)
	}
	p.doors.setSignal(c)
	p.tasks.Go(func() { p.readSignals(ctx, c) })
	return nil
}

func (p *peer) openAPI(ctx context.Context) error {
	if p.role == nil || p.doors.api != nil {
		return nil
	}
	l, err := p.sys.Sockets.ListenTCP(p.cfg.Link(), netip.AddrPortFrom(p.id.Address, p.id.Coordinator.APIPort))
	if err != nil {
		return fmt.Errorf("the coordinator's API is not served: %w", err)
	}
	p.doors.api = l
	p.tasks.Go(func() { p.serveAPI(ctx, l) })
	return nil
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

// signalEvery and signalBurst are how many signals of one sender are looked at.
// They cost what takes them much more than those who send them: on the
// coordinator a look at the tunnel. An answer is never longer than what it
// answers.
const (
	signalEvery = 50 * time.Millisecond
	signalBurst = 50
)

// readSignals turns datagrams into events until c is closed, which the end of
// ctx does as well. Those of a sender that floods are dropped.
func (p *peer) readSignals(ctx context.Context, c platform.UDPConn) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	pacer := pace.Pacer{Every: signalEvery, Burst: signalBurst}
	var b [64]byte
	for {
		n, from, err := c.ReadFromUDPAddrPort(b[:])
		if err != nil {
			p.call(ctx, func() { p.signalsEnded(c, err) })
			return
		}
		s, err := wire.ParseSignal(b[:n])
		switch {
		case err != nil: // anybody in the network can send anything
		case pacer.Take(from.Addr(), time.Now()) > 0:
		case s.Kind != wire.SignalPoll:
			p.tell(ctx, core.Signalled{From: from.Addr().Unmap(), Signal: s})
		case p.role != nil:
			p.role.Polled(from.Addr().Unmap(), s.Value)
		}
	}
}

// serveAPI serves the coordinator's API until l is closed.
func (p *peer) serveAPI(ctx context.Context, l net.Listener) {
	s := http1.Server{Handler: p.role.Overlay, Log: p.log}
	err := s.Serve(ctx, l)
	p.call(ctx, func() { p.apiEnded(l, err) })
}

// signalsEnded has a signal socket opened again that nobody here closed.
func (p *peer) signalsEnded(c platform.UDPConn, err error) {
	if p.doors.signal == c {
		c.Close()
		p.doors.setSignal(nil)
		p.doorEnded(err)
	}
}

func (p *peer) apiEnded(l net.Listener, err error) {
	if p.doors.api == l {
		p.doors.api = nil // Serve has closed it
		p.doorEnded(err)
	}
}

func (p *peer) doorEnded(err error) {
	p.log.Warn("a socket ended, it will be opened again", "err", err)
	p.doors.due = time.Now().Add(doorRetry)
}

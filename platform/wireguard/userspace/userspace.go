package userspace

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/device"

	"ginnel/journal"
	"ginnel/platform"
)

// Tunnels makes interfaces of the embedded device. It implements
// platform.Tunnels.
type Tunnels struct{ log *journal.Logger }

// New returns the embedded device's tunnels. What it has to say goes to log,
// for debugging.
func New(log *journal.Logger) *Tunnels { return &Tunnels{log} }

// tunnel is an interface of the embedded device.
type tunnel struct {
	link   *tunLink
	dev    *device.Device // nil once closed
	out    []byte         // text of the last "set"; cleared after use, the private key may be in it
	in     bytes.Buffer   // text of the last "get"; as well
	port   uint16         // in use, as far as known; the device forgets it where the kernel lacks IPv6
	closed bool
}

// Open implements platform.Tunnels. The MTU is in bytes. Its errors wrap
// platform.ErrExist, ErrPermission or ErrUnsupported where one of them fits.
func (ts *Tunnels) Open(name string, mtu int) (platform.Tunnel, error) {
	if err := platform.CheckLinkName(name); err != nil {
		return nil, err
	}
	l, err := openTUN(name, mtu)
	if err != nil {
		return nil, err
	}
	t := &tunnel{link: l, dev: device.NewDevice(l, &bind{}, deviceLog(ts.log, name))}
	if err := t.dev.Up(); err != nil {
		t.Close()
		return nil, fmt.Errorf("open its UDP socket: %w", sentinel(err))
	}
	if err := t.learnPort(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// deviceLog hands the device's lines to log for debugging, whatever their
// level: what matters to people shows in the errors and in the tunnel's state.
// The device names peers by a few characters of their public key.
func deviceLog(log *journal.Logger, name string) *device.Logger {
	logf := func(format string, args ...any) {
		if log.Enabled(journal.Debug) {
			log.Debug(fmt.Sprintf(format, args...), "link", name)
		}
	}
	return &device.Logger{Verbosef: logf, Errorf: logf}
}

// Apply implements platform.Tunnel. With a port that is in use the device
// returns to the one it had.
func (t *tunnel) Apply(c *platform.TunnelChange) error {
	if err := t.check(); err != nil {
		return err
	}
	d := *c
	if c.ListenPort != 0 && c.ListenPort == t.port {
		d.Set &^= platform.SetListenPort // the device would open its sockets again
	}
	err := t.set(&d)
	if errors.Is(err, platform.ErrInUse) {
		err = t.goOn(&d, err)
	}
	if err != nil {
		return fmt.Errorf("configure tunnel %s: %w", t.link.name, err)
	}
	return nil
}

func (t *tunnel) set(c *platform.TunnelChange) error {
	t.out = appendChange(t.out[:0], c)
	defer clear(t.out)
	if err := t.dev.IpcSetOperation(bytes.NewReader(t.out)); err != nil {
		return sentinel(err)
	}
	if c.Set&platform.SetListenPort == 0 {
		return nil
	}
	t.port = c.ListenPort
	if t.port == 0 {
		return t.learnPort()
	}
	return nil
}

// goOn returns to the last port, after the device lost its sockets over one
// that is in use, and does what c says after the port.
func (t *tunnel) goOn(c *platform.TunnelChange, inUse error) error {
	old := t.port
	t.port = 0 // until it is certain
	err := t.set(&platform.TunnelChange{Set: platform.SetListenPort, ListenPort: old})
	if err != nil {
		return fmt.Errorf("%w; returning to port %d: %w", inUse, old, err)
	}
	c.Set &^= platform.SetPrivateKey | platform.SetListenPort
	if err := t.set(c); err != nil {
		return fmt.Errorf("%w; and then: %w", inUse, err)
	}
	return inUse
}

// learnPort asks which port the device chose.
func (t *tunnel) learnPort() error {
	var s platform.TunnelState
	err := t.get(&s)
	t.port = s.ListenPort
	return err
}

// Observe implements platform.Tunnel. It is never torn: the device is locked
// while it is read.
func (t *tunnel) Observe(s *platform.TunnelState) error {
	if err := t.check(); err != nil {
		return err
	}
	if err := t.get(s); err != nil {
		return fmt.Errorf("read tunnel %s: %w", t.link.name, err)
	}
	if s.ListenPort == 0 {
		s.ListenPort = t.port
	}
	return nil
}

func (t *tunnel) get(s *platform.TunnelState) error {
	t.in.Reset()
	defer func() { clear(t.in.Bytes()) }()
	if err := t.dev.IpcGetOperation(&t.in); err != nil {
		return sentinel(err)
	}
	return parseState(s, t.in.Bytes())
}

// check finds out whether the interface is there, before the device is asked.
func (t *tunnel) check() error {
	if t.closed {
		return fmt.Errorf("tunnel %s %w: it was closed", t.link.name, platform.ErrNotExist)
	}
	return t.link.sync()
}

// Close implements platform.Tunnel: the interface ends with the device. The
// device's buffers, some 24 MB of which most were never touched, are given back
// at once: in reused memory the next device's would all become resident.
func (t *tunnel) Close() error {
	if t.closed {
		return nil
	}
	t.closed = true
	t.dev.Close()
	t.dev = nil
	debug.FreeOSMemory()
	return nil
}

// Delete implements platform.Tunnel; here it is Close.
func (t *tunnel) Delete() error { return t.Close() }

// sentinel adds to an error of the device what platform calls it.
func sentinel(err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("UDP port %w: %w", platform.ErrInUse, err)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: %w", platform.ErrPermission, err)
	}
	return err
}

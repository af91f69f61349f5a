package userspace

import (
	"bytes"
	"fmt"
	"runtime/debug"

	"golang.zx2c4.com/wireguard/device"

	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/wireguard/uapi"
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
	bind   *bind
	config *uapi.Config
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
	b := &bind{}
	t := &tunnel{link: l, dev: device.NewDevice(l, b, deviceLog(ts.log, name)), bind: b}
	if err := t.dev.Up(); err != nil {
		t.Close()
		return nil, fmt.Errorf("open its UDP socket: %w", err)
	}
	if t.config, err = uapi.Configure(inProcess{t.dev}); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// inProcess is the device as uapi wants to see it.
type inProcess struct{ dev *device.Device }

// Set implements uapi.Device.
func (d inProcess) Set(text []byte) error { return d.dev.IpcSetOperation(bytes.NewReader(text)) }

// Get implements uapi.Device.
func (d inProcess) Get(dst []byte) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	err := d.dev.IpcGetOperation(b)
	return b.Bytes(), err
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
	if err := t.config.Apply(c); err != nil {
		return fmt.Errorf("configure tunnel %s: %w", t.link.name, err)
	}
	return nil
}

// Observe implements platform.Tunnel. It is never torn: the device is locked
// while it is read. What was known of routes is asked for again from here on.
func (t *tunnel) Observe(s *platform.TunnelState) error {
	if err := t.check(); err != nil {
		return err
	}
	t.bind.look()
	if err := t.config.Observe(s); err != nil {
		return fmt.Errorf("read tunnel %s: %w", t.link.name, err)
	}
	return nil
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

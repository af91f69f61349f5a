package uapi

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// Device takes the protocol's operations. Their errors wrap unix.Errno where
// there is one.
type Device interface {
	// Set does what the lines of text say. It keeps nothing of it.
	Set(text []byte) error
	// Get appends lines that tell everything to dst. Memory that it gives up for
	// more is cleared before: the private key is in it.
	Get(dst []byte) ([]byte, error)
}

// Config configures and reads one device. Its methods are not safe for
// concurrent use. They keep no copy of the private key.
type Config struct {
	dev  Device
	out  []byte // text of the last "set"; cleared after use, the private key may be in it
	in   []byte // text of the last "get"; as well
	port uint16 // in use, as far as known; wireguard-go forgets it where the kernel lacks IPv6
}

// Configure returns the configuration of dev.
func Configure(dev Device) (*Config, error) {
	c := &Config{dev: dev}
	return c, c.learnPort()
}

// Apply does change, as platform.Tunnel's. A device whose port is in use loses
// its sockets, and is brought back to the port it had.
func (c *Config) Apply(change *platform.TunnelChange) error {
	d := *change
	if d.ListenPort != 0 && d.ListenPort == c.port {
		d.Set &^= platform.SetListenPort // the device would open its sockets again
	}
	err := c.set(&d)
	if errors.Is(err, platform.ErrInUse) {
		return c.goOn(&d, err)
	}
	return err
}

func (c *Config) set(change *platform.TunnelChange) error {
	c.out = appendChange(c.out[:0], change)
	defer clear(c.out)
	if err := c.dev.Set(c.out); err != nil {
		return sentinel(err)
	}
	if change.Set&platform.SetListenPort == 0 {
		return nil
	}
	c.port = change.ListenPort
	if c.port == 0 {
		return c.learnPort()
	}
	return nil
}

// goOn returns to the last port, after the device lost its sockets over one
// that is in use, and does what change says after the port.
func (c *Config) goOn(change *platform.TunnelChange, inUse error) error {
	old := c.port
	c.port = 0 // until it is certain
	err := c.set(&platform.TunnelChange{Set: platform.SetListenPort, ListenPort: old})
	if err != nil {
		return fmt.Errorf("%w; returning to port %d: %w", inUse, old, err)
	}
	change.Set &^= platform.SetPrivateKey | platform.SetListenPort
	if err := c.set(change); err != nil {
		return fmt.Errorf("%w; and then: %w", inUse, err)
	}
	return inUse
}

// learnPort asks which port the device chose.
func (c *Config) learnPort() error {
	var s platform.TunnelState
	err := c.get(&s)
	c.port = s.ListenPort
	return err
}

// Observe fills s, whose memory it reuses. It is never torn: devices are
// locked while they are read.
func (c *Config) Observe(s *platform.TunnelState) error {
	if err := c.get(s); err != nil {
		return err
	}
	if s.ListenPort == 0 {
		s.ListenPort = c.port
	}
	c.port = s.ListenPort // others may have changed it
	return nil
}

func (c *Config) get(s *platform.TunnelState) error {
	var err error
	c.in, err = c.dev.Get(c.in[:0])
	defer clear(c.in)
	if err != nil {
		return sentinel(err)
	}
	return parseState(s, c.in)
}

// sentinel adds to an error of a device what platform calls it.
func sentinel(err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("UDP port %w: %w", platform.ErrInUse, err)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("UDP port %w: %w", platform.ErrLowPort, err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %w", platform.ErrPermission, err)
	}
	return err
}

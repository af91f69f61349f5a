package uapi

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// directory is where programs have their sockets, NAME.sock for each interface.
const directory = "/var/run/wireguard"

// Tunnels finds the interfaces of other programs. It implements
// platform.Tunnels, for interfaces that are others'.
type Tunnels struct{ dir string }

// New returns the interfaces of this machine's programs.
func New() *Tunnels { return &Tunnels{directory} }

// tunnel is the interface of another program.
type tunnel struct {
	name   string
	index  uint32
	config *Config // nil: closed
}

// Open implements platform.Tunnels. The MTU stays as it is. Its errors wrap
// platform.ErrNotExist where no link has the name or no program answers for it.
func (ts *Tunnels) Open(name string, _ int) (platform.Tunnel, error) {
	if err := platform.CheckLinkName(name); err != nil {
		return nil, err
	}
	index, err := linkIndex(name)
	if err != nil {
		return nil, err
	}
	c, err := Configure(socket{filepath.Join(ts.dir, name+".sock")})
	if err != nil {
		return nil, err
	}
	return &tunnel{name, index, c}, nil
}

// linkIndex returns the index of the link called name.
func linkIndex(name string) (uint32, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	switch err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err {
	case nil:
		return ifr.Uint32(), nil
	case unix.ENODEV:
		return 0, fmt.Errorf("link %s %w", name, platform.ErrNotExist)
	default:
		return 0, fmt.Errorf("find link %s: %w", name, err)
	}
}

// Apply implements platform.Tunnel.
func (t *tunnel) Apply(c *platform.TunnelChange) error {
	err := t.check()
	if err == nil {
		err = t.config.Apply(c)
	}
	if err != nil {
		return fmt.Errorf("configure tunnel %s: %w", t.name, err)
	}
	return nil
}

// Observe implements platform.Tunnel.
func (t *tunnel) Observe(s *platform.TunnelState) error {
	err := t.check()
	if err == nil {
		err = t.config.Observe(s)
	}
	if err != nil {
		return fmt.Errorf("read tunnel %s: %w", t.name, err)
	}
	return nil
}

// check finds out whether the link is the one that was opened.
func (t *tunnel) check() error {
	if t.config == nil {
		return fmt.Errorf("%w: it was closed", platform.ErrNotExist)
	}
	index, err := linkIndex(t.name)
	if err == nil && index != t.index {
		err = fmt.Errorf("%w: somebody deleted it, and made another one of its name", platform.ErrNotExist)
	}
	return err
}

// Close implements platform.Tunnel.
func (t *tunnel) Close() error {
	t.config = nil
	return nil
}

// Delete implements platform.Tunnel: what is configured goes, the interface
// stays.
func (t *tunnel) Delete() error {
	reset := platform.Reset()
	if err := t.Apply(&reset); err != nil {
		return err
	}
	return t.Close()
}

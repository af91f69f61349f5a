package kernel

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/wireguard/kernel/message"
)

// readings is how often an interface is read that changes meanwhile.
const readings = 4

// tunnel is an interface of the kernel.
type tunnel struct {
	name   string // as it was opened
	index  uint32 // what it is known by: the name may be another link's by now
	others bool   // somebody else made it, and deletes it
	family uint16
	socket *socket // nil: closed
	zones  zones
	encode message.Encoder
	decode message.Decoder
	dump   []byte // the request
}

func newTunnel(s *socket, name string, family uint16, index uint32) *tunnel {
	t := &tunnel{name: name, index: index, family: family, socket: s, dump: message.Dump(family, index)}
	t.encode.Scope = t.zones.scopeOf
	t.decode.Zone = t.zones.zoneOf
	return t
}

// Apply implements platform.Tunnel. The kernel refuses a port that is in use
// before it does anything else but the mark; without the port all is done
// again.
func (t *tunnel) Apply(c *platform.TunnelChange) error {
	err := t.ready()
	if err == nil {
		err = t.apply(c)
	}
	if errors.Is(err, platform.ErrInUse) && c.Set&platform.SetListenPort != 0 {
		err = t.applyWithoutPort(c, fmt.Errorf("UDP port %d %w", c.ListenPort, err))
	}
	if err != nil {
		return fmt.Errorf("configure tunnel %s: %w", t.name, err)
	}
	return nil
}

func (t *tunnel) apply(c *platform.TunnelChange) error {
	if err := t.encode.Start(t.family, t.index, c); err != nil {
		return err
	}
	defer t.encode.Clear()
	for m := t.encode.Next(); m != nil; m = t.encode.Next() {
		if _, err := t.socket.exchange(m, nil); err != nil {
			return gone(err)
		}
	}
	return nil
}

// applyWithoutPort does the rest of c, whose port is in use.
func (t *tunnel) applyWithoutPort(c *platform.TunnelChange, inUse error) error {
	d := *c
	d.Set &^= platform.SetListenPort
	if err := t.apply(&d); err != nil {
		return fmt.Errorf("%w; and without it: %w", inUse, err)
	}
	return inUse
}

// Observe implements platform.Tunnel. Other programs' changes tear it often
// when they come in a row: it is read again at once, a few times.
func (t *tunnel) Observe(s *platform.TunnelState) error {
	err := t.ready()
	torn := err == nil
	for try := 0; torn && err == nil && try < readings; try++ {
		torn, err = t.observe(s)
	}
	if err == nil && torn {
		err = platform.ErrTorn
	}
	if err != nil {
		return fmt.Errorf("read tunnel %s: %w", t.name, err)
	}
	return nil
}

func (t *tunnel) observe(s *platform.TunnelState) (torn bool, err error) {
	t.decode.Start(s)
	defer t.decode.Finish()
	torn, err = t.socket.exchange(t.dump, &t.decode)
	return torn, gone(err)
}

// ready checks that the tunnel is open, and connects it again where the last
// answer was not read to its end.
func (t *tunnel) ready() error {
	if t.socket == nil {
		return fmt.Errorf("%w: it was closed", platform.ErrNotExist)
	}
	if t.socket.broken {
		s, err := dial(unix.NETLINK_GENERIC)
		if err != nil {
			return err
		}
		t.socket.close()
		t.socket = s
	}
	t.zones.reset(t.socket)
	return nil
}

// gone adds that the interface does not exist to what says so in other words:
// the family is unknown when the module was removed, with all its links.
func gone(err error) error {
	if errors.Is(err, errUnknownFamily) {
		return fmt.Errorf("%w: the kernel's WireGuard was removed (%w)", platform.ErrNotExist, err)
	}
	return err
}

// Close implements platform.Tunnel: the interface stays.
func (t *tunnel) Close() error {
	if t.socket != nil {
		t.socket.close()
		t.socket = nil
	}
	return nil
}

// Delete implements platform.Tunnel.
func (t *tunnel) Delete() error {
	if t.socket == nil {
		return fmt.Errorf("delete tunnel %s: %w: it was closed", t.name, platform.ErrNotExist)
	}
	if t.others {
		reset := platform.Reset()
		return errors.Join(t.Apply(&reset), t.Close())
	}
	t.Close()
	if err := deleteLink(t.index); err != nil {
		return fmt.Errorf("delete tunnel %s: %w", t.name, err)
	}
	return nil
}

package kernel

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/wireguard/kernel/message"
)

// Tunnels makes and finds the kernel's WireGuard interfaces. It implements
// platform.Tunnels.
type Tunnels struct{ others bool }

// New returns the kernel's tunnels, in the network namespace of whoever calls
// Open.
func New() *Tunnels { return &Tunnels{} }

// Others returns the kernel's tunnels that others make, likewise.
func Others() *Tunnels { return &Tunnels{others: true} }

// Open implements platform.Tunnels. The MTU is in bytes; an interface that is
// adopted gets it, and one of others does not. Its errors wrap
// platform.ErrUnsupported where the kernel has no WireGuard, ErrExist where the
// name belongs to another kind of link, ErrNotExist and ErrPermission.
func (ts *Tunnels) Open(name string, mtu int) (platform.Tunnel, error) {
	if err := platform.CheckLinkName(name); err != nil {
		return nil, err
	}
	s, err := dial(unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	family, err := findFamily(s, message.Kind)
	var index uint32
	if err == nil {
		index, err = ts.openLink(name, mtu)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	t := newTunnel(s, name, family, index)
	t.others = ts.others
	return t, nil
}

// findFamily asks for a family's number in generic netlink, for which the
// kernel loads the module where it can.
func findFamily(s *socket, name string) (uint16, error) {
	var f message.Family
	_, err := s.exchange(message.FindFamily(name), &f)
	switch {
	case errors.Is(err, errUnknownFamily):
		return 0, fmt.Errorf("the kernel's WireGuard: %w; install or load the module wireguard (OpenWrt: kmod-wireguard)", platform.ErrUnsupported)
	case err != nil:
		return 0, fmt.Errorf("look for the kernel's WireGuard: %w", err)
	case f.ID == 0:
		return 0, errors.New("look for the kernel's WireGuard: the answer is without its number")
	}
	return f.ID, nil
}

// openLink makes the link called name, or adopts it, and returns its index. A
// link of others is only found.
func (ts *Tunnels) openLink(name string, mtu int) (uint32, error) {
	s, err := dial(unix.NETLINK_ROUTE)
	if err != nil {
		return 0, err
	}
	defer s.close()
	if !ts.others {
		_, err := s.exchange(message.MakeLink(name, mtu), nil)
		if err != nil && !errors.Is(err, platform.ErrExist) {
			return 0, fmt.Errorf("make the link: %w", err)
		}
	}
	var l message.Link
	if _, err := s.exchange(message.FindLink(name), &l); err != nil {
		return 0, fmt.Errorf("find the link: %w", err)
	}
	if l.Kind != message.Kind {
		return 0, fmt.Errorf("a link of that name %w, and is none of WireGuard: delete it, or choose another name", platform.ErrExist)
	}
	if l.MTU != uint32(mtu) && !ts.others {
		if _, err := s.exchange(message.SetMTU(l.Index, mtu), nil); err != nil {
			return 0, fmt.Errorf("set MTU %d: %w", mtu, err)
		}
	}
	return l.Index, nil
}

// deleteLink deletes the link with that index.
func deleteLink(index uint32) error {
	s, err := dial(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer s.close()
	_, err = s.exchange(message.DeleteLink(index), nil)
	return err
}

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
type Tunnels struct{}

// New returns the kernel's tunnels, in the network namespace of whoever calls
// Open.
func New() *Tunnels { return &Tunnels{} }

// Open implements platform.Tunnels. The MTU is in bytes; an interface that is
// adopted gets it. Its errors wrap platform.ErrUnsupported where the kernel has
// no WireGuard, ErrExist where the name belongs to another kind of link, and
// ErrPermission.
func (*Tunnels) Open(name string, mtu int) (platform.Tunnel, error) {
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
		index, err = openLink(name, mtu)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return newTunnel(s, name, family, index), nil
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

// openLink makes the link called name, or adopts it, and returns its index.
func openLink(name string, mtu int) (uint32, error) {
	s, err := dial(unix.NETLINK_ROUTE)
	if err != nil {
		return 0, err
	}
	defer s.close()
	_, made := s.exchange(message.MakeLink(name, mtu), nil)
	if made != nil && !errors.Is(made, platform.ErrExist) {
		return 0, fmt.Errorf("make the link: %w", made)
	}
	var l message.Link
	if _, err := s.exchange(message.FindLink(name), &l); err != nil {
		return 0, fmt.Errorf("find the link: %w", err)
	}
	if l.Kind != message.Kind {
		return 0, fmt.Errorf("a link of that name %w, and is none of WireGuard: delete it, or choose another name", platform.ErrExist)
	}
	if l.MTU != uint32(mtu) {
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

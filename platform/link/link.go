// Package link configures links over rtnetlink, tells of their changes, and
// opens sockets that are bound to one link.
//
// Decisions:
//
//   - What is ours: the addresses of our own link, and the routes with
//     RouteProtocol in the main table. Observe shows and Apply removes no other
//     route, so routes of the administrator and of routing daemons are safe.
//   - A route of ours never takes precedence over another program's route to
//     the same destination with the same metric. It is appended behind it, and
//     takes over when the other one goes. A network whose range is also the
//     LAN's must not cut a router off its LAN.
//   - Routes have no preferred source: the kernel takes the link's address.
//   - Addresses bring no route of their own (noprefixroute), whatever their
//     prefix length, and no duplicate address detection: nobody but us gives
//     out overlay addresses, and a tentative address cannot be bound to.
//   - Every call opens its own netlink socket: a broken-off exchange leaves no
//     answers behind that a later call would take for its own, nothing has to
//     be closed, and an idle process holds no socket but the monitor's.
//   - Messages are our own. The rtnetlink module refuses every link as soon as
//     a kernel appends a counter to the link's statistics, cannot ask the kernel
//     to leave the statistics out, and would be 75 kB of the binary.
package link

import (
	"errors"
	"fmt"

	"ginnel/platform"
)

// RouteProtocol marks our routes (RTPROT_*). It is none of those that
// rtnetlink.h or iproute2's rt_protos give to somebody. It must not change: a
// newer program has to find the routes of the one it replaces.
const RouteProtocol = 110

// Link is the kernel's network configuration in the network namespace of the
// process. It has no state; its methods may be called concurrently.
type Link struct{}

var (
	_ platform.Network = (*Link)(nil)
	_ platform.Sockets = (*Link)(nil)
)

// New returns the kernel's links.
func New() *Link { return &Link{} }

// Apply implements platform.Network. What is there already, or gone already,
// is no error. One part that fails does not keep the others from being done;
// the first error is returned. It wraps ErrNotExist when the link is missing,
// ErrPermission, and ErrUnsupported where an address family is switched off.
func (*Link) Apply(link string, c *platform.NetChange) error {
	nl, err := dial()
	if err != nil {
		return fmt.Errorf("configure link %s: %w", link, err)
	}
	defer nl.close()
	dev, err := nl.device(link)
	if err != nil {
		return fmt.Errorf("configure link %s: %w", link, err)
	}
	var first error
	for _, s := range steps(dev.index, c) {
		err := s.run(nl)
		if err != nil && first == nil {
			first = fmt.Errorf("configure link %s: %s: %w", link, s.what, err)
		}
		if errors.Is(err, platform.ErrPermission) || errors.Is(err, platform.ErrNotExist) {
			break // the rest would fail in the same way
		}
	}
	return first
}

// Observe implements platform.Network. It wraps ErrNotExist when the link is
// missing, and ErrTorn when it kept changing while it was read.
func (*Link) Observe(link string, s *platform.NetState) error {
	nl, err := dial()
	if err != nil {
		return fmt.Errorf("observe link %s: %w", link, err)
	}
	defer nl.close()
	if err := nl.observe(link, s); err != nil {
		return fmt.Errorf("observe link %s: %w", link, err)
	}
	return nil
}

// Underlay implements platform.Network. Stable addresses come before
// secondary and temporary ones, then the order is by link and address.
func (*Link) Underlay() ([]platform.UnderlayAddress, error) {
	nl, err := dial()
	if err != nil {
		return nil, fmt.Errorf("read underlay addresses: %w", err)
	}
	defer nl.close()
	found, err := nl.underlay()
	if err != nil {
		return nil, fmt.Errorf("read underlay addresses: %w", err)
	}
	return found, nil
}

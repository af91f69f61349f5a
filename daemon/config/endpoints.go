package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ginnel/wire"
)

// The lists of endpoints.
const (
	listCoordinator = "coordinator"
	listEndpoint    = "endpoint"
	listOverride    = "override"
)

// Override says where another peer is reached, whatever others say.
type Override struct {
	Address  netip.Addr // the peer's overlay address, which is permanent
	Endpoint string     // host:port, as wire.CheckEndpoint wants it
}

// String returns the override as the configuration has it.
func (o Override) String() string { return o.Address.String() + " " + o.Endpoint }

func readCoordinator(n *Network, values []string) error {
	n.Endpoints = slices.Clone(values)
	return checkEach(values, wire.CheckEndpoint)
}

func writeCoordinator(n *Network) []string {
	if n.Role == Coordinator {
		return nil
	}
	return n.Endpoints
}

// readEndpoint reads where this machine itself is reached: on a coordinator what
// its book is to say, on a peer what it announces. So the role is read before.
func readEndpoint(n *Network, values []string) error {
	if n.Role == Coordinator {
		n.Endpoints = slices.Clone(values)
		return checkOwn(values, wire.MaxInvitingEndpoints, "an invitation carries", wire.CheckEndpoint)
	}
	n.Announced = slices.Clone(values)
	return checkOwn(values, wire.MaxAnnounced, "a peer announces", wire.CheckAnnounced)
}

func writeEndpoint(n *Network) []string {
	if n.Role == Coordinator {
		return n.Endpoints
	}
	return n.Announced
}

func checkOwn(values []string, most int, who string, check func(string) error) error {
	if len(values) > most {
		return fmt.Errorf("is given %d times, and %s %d endpoints at most: remove some", len(values), who, most)
	}
	return checkEach(values, check)
}

func checkEach(values []string, check func(string) error) error {
	for i, s := range values {
		if err := check(s); err != nil {
			return err
		}
		if slices.Contains(values[:i], s) {
			return fmt.Errorf("%s is given twice", s)
		}
	}
	return nil
}

func readOverrides(n *Network, values []string) error {
	n.Overrides = nil
	for _, s := range values {
		address, endpoint, _ := strings.Cut(s, " ")
		a, err := netip.ParseAddr(address)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return fmt.Errorf("%.80q does not begin with a peer's address: write ADDRESS HOST:PORT, with one blank", s)
		}
		if err := wire.CheckEndpoint(endpoint); err != nil {
			return err
		}
		if slices.ContainsFunc(n.Overrides, func(o Override) bool { return o.Address == a }) {
			return fmt.Errorf("%s is given twice", a)
		}
		n.Overrides = append(n.Overrides, Override{a, endpoint})
	}
	return nil
}

func writeOverrides(n *Network) []string {
	var values []string
	for _, o := range n.Overrides {
		values = append(values, o.String())
	}
	return values
}

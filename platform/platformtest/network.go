package platformtest

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"ginnel/platform"
)

// Host is a machine, or a namespace, to test a platform.Network on.
type Host struct {
	platform.Network
	// Link is a link to configure: a tunnel's (of WireGuard or TUN kind), down,
	// its MTU 1380, without addresses and routes.
	Link string
	// SetUnderlay makes an underlay link, up, with these addresses. Loopback is
	// up already.
	SetUnderlay func(t *testing.T, link string, addresses ...netip.Prefix)
	// Enter is called first in a goroutine that the suite starts, to bring it
	// onto the host; see Namespace. It may be nil.
	Enter func()
}

// Network checks an implementation of platform.Network. Open returns a host of
// its own for each test.
func Network(t *testing.T, open func(t *testing.T) *Host) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *Host){
		"new link":            testNewLink,
		"absent link":         testAbsentLink,
		"addresses":           testAddresses,
		"routes":              testRoutes,
		"MTU":                 testMTU,
		"converge":            testNetConverge,
		"underlay":            testUnderlay,
		"watch":               testWatch,
		"watch ends with ctx": testWatchEnds,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// apply does c twice: the second time must be harmless.
func (h *Host) apply(t *testing.T, c platform.NetChange) {
	t.Helper()
	for range 2 {
		if err := h.Apply(h.Link, &c); err != nil {
			t.Fatalf("apply %+v: %v", c, err)
		}
	}
}

func (h *Host) want(t *testing.T, want platform.NetState) {
	t.Helper()
	var got platform.NetState
	if err := h.Observe(h.Link, &got); err != nil {
		t.Fatalf("observe: %v", err)
	}
	if got.Up != want.Up || got.MTU != want.MTU ||
		!slices.Equal(got.Addresses, want.Addresses) || !slices.Equal(got.Routes, want.Routes) {
		t.Errorf("the link is\n%+v\nwant\n%+v", got, want)
	}
}

func testNewLink(t *testing.T, h *Host) {
	h.want(t, platform.NetState{MTU: mtu})
	h.apply(t, platform.NetChange{})
	h.want(t, platform.NetState{MTU: mtu})
	h.apply(t, platform.NetChange{SetUp: true})
	h.want(t, platform.NetState{MTU: mtu, Up: true})
}

func testAbsentLink(t *testing.T, h *Host) {
	wantErr(t, h.Apply("nowhere", &platform.NetChange{SetUp: true}), platform.ErrNotExist)
	wantErr(t, h.Observe("nowhere", new(platform.NetState)), platform.ErrNotExist)
}

func testAddresses(t *testing.T, h *Host) {
	both := prefixes("10.42.0.7/16", "fd42::7/64")
	h.apply(t, platform.NetChange{SetUp: true, AddAddresses: both})
	h.want(t, platform.NetState{MTU: mtu, Up: true, Addresses: both})
	other := prefixes("10.42.0.8/32", "fd42::8/128")
	h.apply(t, platform.NetChange{RemoveAddresses: both, AddAddresses: other})
	h.want(t, platform.NetState{MTU: mtu, Up: true, Addresses: other})
	h.apply(t, platform.NetChange{RemoveAddresses: prefixes("10.42.0.9/32", "fd42::8/128")})
	h.want(t, platform.NetState{MTU: mtu, Up: true, Addresses: other[:1]})
}

func testRoutes(t *testing.T, h *Host) {
	address := prefixes("10.42.0.7/32", "fd42::7/128")
	routes := prefixes("10.42.0.0/16", "10.43.0.0/16", "fd42::/64")
	h.apply(t, platform.NetChange{SetUp: true, AddAddresses: address, AddRoutes: routes})
	h.want(t, platform.NetState{MTU: mtu, Up: true, Addresses: address, Routes: routes})
	h.apply(t, platform.NetChange{RemoveRoutes: routes[1:], AddRoutes: prefixes("10.44.0.0/16")})
	h.want(t, platform.NetState{MTU: mtu, Up: true, Addresses: address, Routes: prefixes("10.42.0.0/16", "10.44.0.0/16")})
}

func testMTU(t *testing.T, h *Host) {
	h.apply(t, platform.NetChange{SetMTU: 1300})
	h.want(t, platform.NetState{MTU: 1300})
}

// testNetConverge walks through states, each with one change; Observe reuses
// the memory of have. Addresses are replaced by others of the same range, and
// by themselves with another length, while routes stay.
func testNetConverge(t *testing.T, h *Host) {
	var have platform.NetState
	for _, want := range []platform.NetState{
		{Up: true, MTU: 1300, Addresses: prefixes("10.1.0.1/24", "fd01::1/64"), Routes: prefixes("10.1.0.0/16", "fd01::/48")},
		{Up: true, MTU: 1400, Addresses: prefixes("10.1.0.1/24"), Routes: prefixes("10.1.0.0/16", "10.2.0.0/16")},
		{Up: true, MTU: 1400, Addresses: prefixes("10.2.0.1/32", "fd02::1/128"), Routes: prefixes("10.2.0.0/16", "fd02::/48")},
		{Up: true, MTU: 1400, Addresses: prefixes("10.2.0.2/32", "fd02::2/128"), Routes: prefixes("10.2.0.0/16", "fd02::/48")},
		{Up: true, MTU: 1400, Addresses: prefixes("10.2.0.2/24", "fd02::2/64"), Routes: prefixes("10.2.0.0/16", "fd02::/48")},
		{Up: true, MTU: 1400, Addresses: prefixes("10.2.0.3/24", "fd02::3/64"), Routes: prefixes("10.2.0.0/16", "fd02::/48")},
		{Up: true, MTU: 1400},
	} {
		if err := h.Observe(h.Link, &have); err != nil {
			t.Fatalf("observe: %v", err)
		}
		c := platform.DiffNet(&have, &want)
		if err := h.Apply(h.Link, &c); err != nil {
			t.Fatalf("apply %+v: %v", c, err)
		}
		h.want(t, want)
	}
}

func testUnderlay(t *testing.T, h *Host) {
	wantUnderlay(t, h)
	h.SetUnderlay(t, "lan0", prefixes("192.168.1.1/24", "2001:db8::1/64", "fe80::1/64")...)
	h.SetUnderlay(t, "wan0", prefixes("203.0.113.5/30")...)
	h.apply(t, platform.NetChange{SetUp: true, AddAddresses: prefixes("10.42.0.7/16")})
	wantUnderlay(t, h, "lan0 192.168.1.1/24", "lan0 2001:db8::1/64", "wan0 203.0.113.5/30")
	h.SetUnderlay(t, "lan1")
	wantUnderlay(t, h, "lan0 192.168.1.1/24", "lan0 2001:db8::1/64", "wan0 203.0.113.5/30")
}

// wantUnderlay does not care about the order, but wants it to be stable.
func wantUnderlay(t *testing.T, h *Host, want ...string) {
	t.Helper()
	got, again := underlay(t, h), underlay(t, h)
	if !slices.Equal(got, again) {
		t.Errorf("the order is not stable: %v, then %v", got, again)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("underlay is %v, want %v", got, want)
	}
}

func underlay(t *testing.T, h *Host) []string {
	t.Helper()
	all, err := h.Underlay()
	if err != nil {
		t.Fatalf("underlay: %v", err)
	}
	var texts []string
	for _, a := range all {
		texts = append(texts, a.Link+" "+a.Prefix.String())
	}
	return texts
}

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// testWatch wants to be called once when it begins to watch, so that nothing
// is missed, and after each change.
func testWatch(t *testing.T, h *Host) {
	changes, _ := h.watch(t)
	await(t, changes)
	h.apply(t, platform.NetChange{SetUp: true})
	await(t, changes)
	for _, change := range []platform.NetChange{
		{AddAddresses: prefixes("10.42.0.7/32")},
		{AddRoutes: prefixes("10.42.0.0/16")},
		{RemoveRoutes: prefixes("10.42.0.0/16")},
		{RemoveAddresses: prefixes("10.42.0.7/32")},
	} {
		h.apply(t, change)
		await(t, changes)
	}
}

// watch starts a Watch that ends with the test, or with stop, which returns
// what Watch returned.
func (h *Host) watch(t *testing.T) (changes chan struct{}, stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	changes = make(chan struct{}, 1000)
	ended := make(chan error, 1)
	go func() {
		if h.Enter != nil {
			h.Enter()
		}
		ended <- h.Watch(ctx, func() { changes <- struct{}{} })
	}()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("watch did not end with its context")
		}
	})
	t.Cleanup(func() { stop() })
	return changes, stop
}

func await(t *testing.T, changes chan struct{}) {
	t.Helper()
	select {
	case <-changes:
	case <-time.After(patience):
		t.Fatal("was not told of a change")
	}
}

func testWatchEnds(t *testing.T, h *Host) {
	changes, stop := h.watch(t)
	await(t, changes)
	if err := stop(); err != nil {
		t.Errorf("watch ended with %v, want nil", err)
	}
}

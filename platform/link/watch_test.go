package link_test

import (
	"context"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/link"
)

// watch starts a monitor in s and returns the channel of its calls. stop ends
// it and returns what Watch returned.
func watch(t *testing.T, s space, changed func()) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		s.enter()
		ended <- link.New().Watch(ctx, changed)
	}()
	stop = func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(deadline):
			t.Fatal("the monitor did not end")
			return nil
		}
	}
	return stop
}

// wantCall waits for a call after which ok holds.
func wantCall(t *testing.T, what string, calls <-chan struct{}, ok func() bool) {
	t.Helper()
	end := time.After(deadline)
	for {
		select {
		case <-calls:
			if ok() {
				return
			}
		case <-end:
			t.Fatalf("%s: not told", what)
		}
	}
}

func TestWatchTellsOfChanges(t *testing.T) {
	s := alone(t)
	cable(t, "home")
	calls := make(chan struct{}, 10_000)
	stop := watch(t, s, func() { calls <- struct{}{} })
	wantCall(t, "start", calls, func() bool { return true })

	state := func(ok func(platform.NetState) bool) func() bool {
		return func() bool { return ok(observe(t, "home")) }
	}
	apply(t, "home", platform.NetChange{SetUp: true})
	wantCall(t, "up", calls, state(func(s platform.NetState) bool { return s.Up }))
	for _, p := range []string{"10.42.0.1/32", "fd00::1/128"} {
		apply(t, "home", platform.NetChange{AddAddresses: prefixes(p)})
		wantCall(t, "address added", calls, state(func(s platform.NetState) bool { return len(s.Addresses) == 1 }))
		apply(t, "home", platform.NetChange{RemoveAddresses: prefixes(p)})
		wantCall(t, "address removed", calls, state(func(s platform.NetState) bool { return len(s.Addresses) == 0 }))
	}
	for _, p := range []string{"10.42.0.0/16", "fd00::/48"} {
		apply(t, "home", platform.NetChange{AddRoutes: prefixes(p)})
		wantCall(t, "route added", calls, state(func(s platform.NetState) bool { return len(s.Routes) == 1 }))
		apply(t, "home", platform.NetChange{RemoveRoutes: prefixes(p)})
		wantCall(t, "route removed", calls, state(func(s platform.NetState) bool { return len(s.Routes) == 0 }))
	}
	setDown(t, "home")
	wantCall(t, "down", calls, state(func(s platform.NetState) bool { return !s.Up }))
	remove(t, "home")
	wantCall(t, "link removed", calls, func() bool {
		return link.New().Observe("home", new(platform.NetState)) != nil
	})
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// A rule alone, with which others go over to another uplink, is told as well.
func TestWatchTellsOfRules(t *testing.T) {
	s := alone(t)
	calls := make(chan struct{}, 10_000)
	stop := watch(t, s, func() { calls <- struct{}{} })
	wantCall(t, "start", calls, func() bool { return true })
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		table, priority := uint32(100), uint32(1000)
		m := &rtnetlink.RuleMessage{Family: family, Action: unix.FR_ACT_TO_TBL, Attributes: &rtnetlink.RuleAttributes{Table: &table, Priority: &priority}}
		kernel(t, func(nl *rtnetlink.Conn) error { return nl.Rule.Add(m) })
		wantCall(t, "rule added", calls, func() bool { return true })
		kernel(t, func(nl *rtnetlink.Conn) error { return nl.Rule.Delete(m) })
		wantCall(t, "rule removed", calls, func() bool { return true })
	}
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// A thousand changes are told in as many calls as there were quiet times.
func TestWatchMergesBursts(t *testing.T) {
	s := alone(t)
	cable(t, "home")
	calls := make(chan struct{}, 10_000)
	stop := watch(t, s, func() { calls <- struct{}{} })
	wantCall(t, "start", calls, func() bool { return true })
	begin := time.Now()
	apply(t, "home", platform.NetChange{AddAddresses: many(1000)})
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if most := int(time.Since(begin)/(100*time.Millisecond)) + 2; len(calls) > most {
		t.Errorf("%d calls, want at most %d", len(calls), most)
	}
}

// While the caller is busy more happens than the socket holds.
func TestWatchSurvivesLostNews(t *testing.T) {
	s := alone(t)
	cable(t, "home")
	calls, goOn := make(chan struct{}, 10_000), make(chan struct{})
	first := true
	stop := watch(t, s, func() {
		calls <- struct{}{}
		if first {
			first = false
			<-goOn
		}
	})
	wantCall(t, "start", calls, func() bool { return true })
	lots := many(3000)
	apply(t, "home", platform.NetChange{AddAddresses: lots})
	apply(t, "home", platform.NetChange{RemoveAddresses: lots})
	close(goOn)
	wantCall(t, "lost news", calls, func() bool { return true })
	apply(t, "home", platform.NetChange{SetUp: true})
	wantCall(t, "up", calls, func() bool { return observe(t, "home").Up })
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestWatchLeavesNothingBehind(t *testing.T) {
	s := alone(t)
	before := descriptors(t)
	for range 5 {
		calls := make(chan struct{}, 10_000)
		stop := watch(t, s, func() { calls <- struct{}{} })
		wantCall(t, "start", calls, func() bool { return true })
		if err := stop(); err != nil {
			t.Errorf("ended with %v", err)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := link.New().Watch(ended, func() {}); err != nil {
		t.Errorf("with a context that has ended: %v", err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d open files became %d", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// many returns n different addresses.
func many(n int) []netip.Prefix {
	all := make([]netip.Prefix, n)
	for i := range all {
		all[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 42, byte(i >> 8), byte(i)}), 32)
	}
	return all
}

package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/wire"
)

// TestHostileZone: a member's names have hundreds of addresses, others in each
// answer. Few of them are tried, ever more seldom.
func TestHostileZone(t *testing.T) {
	var names []string
	for n := range wire.MaxAnnounced {
		names = append(names, fmt.Sprintf("n%d.example.org:1", n))
	}
	s := ready(t, benMember(announced(wire.Endpoints{}, names...)))
	s.applied()
	answers, tried := 0, 0
	s.answerAll(0, core.TunnelObserved{State: &s.tun}, func(string) {})
	var asked []string
	note := func(l string) {
		if name, ok := strings.CutPrefix(l, "resolve "); ok {
			asked = append(asked, name)
		}
		if strings.Contains(l, "+ben@") {
			tried++
		}
	}
	for _, n := range names {
		asked = append(asked, strings.TrimSuffix(n, ":1"))
	}
	for range 24 * 60 * 6 {
		for _, name := range slices.Clone(asked) {
			asked = asked[1:]
			answers++
			var addrs []string
			for i := range 100 {
				addrs = append(addrs, fmt.Sprintf("198.18.%d.%d", answers%256, i))
			}
			s.answerAll(0, resolved(name, addrs...), note)
		}
		s.watch(10*time.Second, note)
	}
	t.Logf("a day: %d lookups, %d endpoints tried", answers, tried)
	// A round begins about every restMost and six minutes, with one lookup a name
	// and, beside the few of the first rounds, two dozen endpoints.
	if answers > 8*300 || tried > 24*300 {
		t.Errorf("a day: %d lookups, %d endpoints tried", answers, tried)
	}
}

// TestFoundAddressesAreBounded: of one name four are tried, the same ones in
// whatever order they come.
func TestFoundAddressesAreBounded(t *testing.T) {
	s := ready(t, benMember(announced(wire.Endpoints{}, "ben.example.org:1")))
	s.applied()
	s.do(0, resolved("ben.example.org", "198.18.0.6", "198.18.0.3", "198.18.0.5", "198.18.0.1", "198.18.0.2", "198.18.0.4"))
	s.answerAll(0, core.TunnelObserved{State: &s.tun}, func(string) {})
	var tried []string
	s.watch(30*time.Second, func(l string) {
		if _, ep, ok := strings.Cut(l, "+ben@"); ok && !slices.Contains(tried, ep) {
			tried = append(tried, ep)
		}
	})
	slices.Sort(tried)
	if want := []string{"198.18.0.1:1k25", "198.18.0.2:1k25", "198.18.0.3:1k25", "198.18.0.4:1k25"}; !slices.Equal(tried, want) {
		t.Errorf("tried %q, want %q", tried, want)
	}
}

// TestOwnNamesHaveRoom: a member's names that nobody answers for leave lookups
// to the names of this machine's configuration.
func TestOwnNamesHaveRoom(t *testing.T) {
	var names []string
	for n := range wire.MaxAnnounced {
		names = append(names, fmt.Sprintf("slow%d.example.org:1", n))
	}
	s := ready(t, benMember(announced(wire.Endpoints{}, names...)), catMember(wire.Endpoints{}))
	s.do(0, overriding(cat, "cat.lan:1"))
	if !slices.Contains(s.last, core.Action(core.Resolve{Host: "cat.lan"})) {
		t.Errorf("the override's name is not looked up: %v", s.last)
	}
}

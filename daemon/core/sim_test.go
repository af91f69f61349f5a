package core_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// sim runs several cores, a coordinator's role, WireGuard and an underlay with
// NATs on one heap of (time, sequence). Everything random comes from its seed.
type sim struct {
	t       *testing.T
	seed    uint64
	rnd     *rand.Rand
	now     time.Time
	seq     int
	todo    schedule
	loss    float64 // of underlay packets between homes, in [0,1)
	homes   map[netip.Addr]*home
	nodes   []*node
	role    *role
	session uint64
	epoch   uint64
	log     []string
	verbose bool
}

var simStart = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newSim(t *testing.T, seed uint64) *sim {
	t.Helper()
	return &sim{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 0)), now: simStart, homes: map[netip.Addr]*home{}}
}

type task struct {
	at  time.Time
	seq int
	do  func()
}

type schedule []task

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	return s[i].at.Before(s[j].at) || s[i].at.Equal(s[j].at) && s[i].seq < s[j].seq
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(task)) }
func (s *schedule) Pop() any {
	old := *s
	x := old[len(old)-1]
	*s = old[:len(old)-1]
	return x
}

func (s *sim) after(d time.Duration, do func()) {
	s.seq++
	heap.Push(&s.todo, task{s.now.Add(d), s.seq, do})
}

// run lets d pass.
func (s *sim) run(d time.Duration) {
	end := s.now.Add(d)
	for len(s.todo) > 0 && !s.todo[0].at.After(end) {
		x := heap.Pop(&s.todo).(task)
		s.now = x.at
		x.do()
	}
	s.now = end
}

// until lets time pass until ok holds, and returns how long that took; it
// fails the test after most.
func (s *sim) until(what string, most time.Duration, ok func() bool) time.Duration {
	s.t.Helper()
	begin := s.now
	for !ok() {
		if s.now.Sub(begin) > most || len(s.todo) == 0 {
			s.fail("%s: not after %v", what, s.now.Sub(begin))
		}
		x := heap.Pop(&s.todo).(task)
		s.now = x.at
		x.do()
	}
	return s.now.Sub(begin)
}

func (s *sim) fail(format string, args ...any) {
	s.t.Helper()
	for _, l := range s.log[max(0, len(s.log)-80):] {
		s.t.Log(l)
	}
	s.t.Fatalf("seed %d, at %v: %s", s.seed, s.now.Sub(simStart), fmt.Sprintf(format, args...))
}

func (s *sim) note(format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf("%10v ", s.now.Sub(simStart))+fmt.Sprintf(format, args...))
}

// home is a LAN behind a NAT with one public address.
type home struct {
	lan       netip.Prefix
	outer     netip.Addr
	symmetric bool // a mapping for each destination; otherwise one for each source
	port      uint16
	maps      map[mapping]uint16
	holes     map[uint16]*hole
}

type mapping struct{ inner, to netip.AddrPort }

// hole is what a NAT lets in by one outer port.
type hole struct {
	inner netip.AddrPort
	from  map[netip.AddrPort]time.Time // until when; port 0: any of that address
}

const natLife = 120 * time.Second

func (s *sim) newHome(outer, lan string, symmetric bool) *home {
	h := &home{lan: netip.MustParsePrefix(lan), outer: netip.MustParseAddr(outer), symmetric: symmetric,
		port: 20000, maps: map[mapping]uint16{}, holes: map[uint16]*hole{}}
	s.homes[h.outer] = h
	return h
}

// out translates a packet from inside, and opens the way back.
func (h *home) out(now time.Time, inner, to netip.AddrPort) netip.AddrPort {
	m, from := mapping{inner: inner}, netip.AddrPortFrom(to.Addr(), 0)
	if h.symmetric {
		m.to, from = to, to
	}
	port, ok := h.maps[m]
	if !ok {
		h.port++
		port = h.port
		h.maps[m], h.holes[port] = port, &hole{inner: inner, from: map[netip.AddrPort]time.Time{}}
	}
	h.holes[port].from[from] = now.Add(natLife)
	return netip.AddrPortFrom(h.outer, port)
}

// in translates a packet from outside, and keeps the way open; ok tells whether
// it is let in.
func (h *home) in(now time.Time, port uint16, from netip.AddrPort) (inner netip.AddrPort, ok bool) {
	o := h.holes[port]
	if o == nil {
		return inner, false
	}
	for _, f := range []netip.AddrPort{from, netip.AddrPortFrom(from.Addr(), 0)} {
		if now.Before(o.from[f]) {
			o.from[f] = now.Add(natLife)
			return o.inner, true
		}
	}
	return inner, false
}

// send carries a datagram over the underlay.
func (s *sim) send(n *node, to netip.AddrPort, m message) {
	if !n.addr.IsValid() || !to.IsValid() {
		return
	}
	from := netip.AddrPortFrom(n.addr, n.wg.port)
	if n.home != nil && n.home.lan.Contains(to.Addr()) {
		h := n.home
		s.after(time.Millisecond, func() { s.deliver(h, to, from, m) })
		return
	}
	if to.Addr().IsPrivate() || s.rnd.Float64() < s.loss {
		return
	}
	if n.home != nil {
		if to.Addr() == n.home.outer {
			return // no hairpin
		}
		from = n.home.out(s.now, from, to)
	}
	latency := time.Duration(10+s.rnd.IntN(30)) * time.Millisecond
	s.after(latency, func() {
		h := s.homes[to.Addr()]
		if h == nil {
			s.deliver(nil, to, from, m)
		} else if inner, ok := h.in(s.now, to.Port(), from); ok {
			s.deliver(h, inner, from, m)
		}
	})
}

// deliver hands a datagram to who has the address to in h; nil: outside.
func (s *sim) deliver(h *home, to, from netip.AddrPort, m message) {
	for _, n := range s.nodes {
		if n.home == h && n.addr == to.Addr() && n.wg.port == to.Port() && !n.off {
			n.wg.receive(from, m)
		}
	}
}

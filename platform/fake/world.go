package fake

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// World is the underlay that joins machines, and their clock. Every address of
// an underlay link reaches every other, unless they were cut off. All methods,
// and those of its machines, are safe for concurrent use.
type World struct {
	mu   sync.Mutex
	now  time.Time
	oses []*OS
	cuts []cut
}

// cut is a pair of addresses between which packets are lost.
type cut struct{ a, b netip.Addr }

// NewWorld makes an empty world whose clock shows now.
func NewWorld(now time.Time) *World { return &World{now: now} }

// Now returns the world's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Advance lets d pass: keepalives, handshakes and their retries happen at
// their times, in order.
func (w *World) Advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advanceTo(w.now.Add(d))
}

// AdvanceTo lets time pass until t; an earlier t does nothing.
func (w *World) AdvanceTo(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advanceTo(t)
}

func (w *World) advanceTo(end time.Time) {
	for {
		next, ok := w.nextSend()
		if !ok || next.After(end) {
			break
		}
		if next.After(w.now) {
			w.now = next
		}
		w.sendDue()
	}
	if end.After(w.now) {
		w.now = end
	}
}

// Cut loses every packet between two underlay addresses, both ways.
func (w *World) Cut(a, b netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts = append(w.cuts, cut{a, b})
}

// Mend undoes Cut.
func (w *World) Mend(a, b netip.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts = slices.DeleteFunc(w.cuts, func(c cut) bool { return c == cut{a, b} || c == cut{b, a} })
}

func (w *World) isCut(a, b netip.Addr) bool {
	return slices.Contains(w.cuts, cut{a, b}) || slices.Contains(w.cuts, cut{b, a})
}

// deliver returns the tunnel that a datagram from o to an underlay address
// reaches, and the source address it carries.
func (w *World) deliver(o *OS, to netip.AddrPort) (t *tunnel, from netip.Addr, ok bool) {
	from, ok = o.sourceFor(to.Addr())
	if !ok || w.isCut(from, to.Addr()) {
		return nil, from, false
	}
	for _, target := range w.oses {
		if target.hasUnderlay(to.Addr()) {
			t := target.listening(to.Port())
			return t, from, t != nil
		}
	}
	return nil, from, false
}

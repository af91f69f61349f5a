package core_test

import (
	"fmt"
	"testing"
	"time"
)

// world is two homes, a public server and the coordinator.
type world struct {
	*sim
	coord, server *node
	h1, h2        *home
	ann, ben, cat *node // ann and cat at the first home, ben at the second
	all           []*node
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{sim: newSim(t, seed)}
	w.h1 = w.newHome("203.0.113.1", "192.168.1.0/24", false)
	w.h2 = w.newHome("203.0.113.2", "192.168.2.0/24", false)
	w.coord = w.newNode(1, "coord", nil, "198.51.100.1")
	w.server = w.newNode(2, "server", nil, "198.51.100.2")
	w.ann = w.newNode(3, "ann", w.h1, "192.168.1.10")
	w.ben = w.newNode(4, "ben", w.h2, "192.168.2.10")
	w.cat = w.newNode(5, "cat", w.h1, "192.168.1.11")
	w.cat.wg.port = 51821
	w.all = []*node{w.coord, w.server, w.ann, w.ben, w.cat}
	w.newRole(w.coord, w.all[1:]...)
	return w
}

func (w *world) bootAll() {
	for _, n := range w.all {
		w.after(time.Duration(w.rnd.IntN(300))*time.Millisecond, n.boot)
	}
}

// meshed tells whether all pairs reach one another and know it.
func (w *world) meshed(nodes ...*node) bool {
	for _, a := range nodes {
		for _, b := range nodes {
			if a != b && (a.core == nil || b.core == nil || !a.connected(b) || !w.reaches(a, b)) {
				return false
			}
		}
	}
	return true
}

func (w *world) missing() string {
	var s string
	for _, a := range w.all {
		for _, b := range w.all {
			if a != b && !w.meshed(a, b) {
				s += fmt.Sprintf(" %s-%s", a.name, b.name)
			}
		}
	}
	return s
}

// up boots everybody and waits for the whole mesh, then for quiet.
func (w *world) up() {
	w.t.Helper()
	w.bootAll()
	w.run(500 * time.Millisecond)
	w.until("mesh", time.Minute, func() bool { return w.meshed(w.all...) })
	w.run(time.Minute)
	if !w.meshed(w.all...) {
		w.fail("mesh did not hold:%s", w.missing())
	}
	for _, n := range w.all {
		n.touched = nil
	}
}

func seeds(t *testing.T, n uint64, run func(t *testing.T, seed uint64)) {
	for seed := range n {
		run(t, seed)
		if t.Failed() {
			return
		}
	}
}

func TestMeshIsDirect(t *testing.T) {
	var worst time.Duration
	seeds(t, 100, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.bootAll()
		w.run(400 * time.Millisecond)
		took := w.until("mesh", 30*time.Second, func() bool { return w.meshed(w.all...) })
		worst = max(worst, took)
		if p := w.ann.wg.links[w.cat.wg.key]; p.endpoint.Addr() != w.cat.addr {
			w.fail("ann reaches cat at %s, want its LAN address", p.endpoint)
		}
		if p := w.ann.wg.links[w.ben.wg.key]; p.endpoint.Addr() != w.h2.outer {
			w.fail("ann reaches ben at %s, want his NAT's address", p.endpoint)
		}
	})
	t.Log("slowest mesh:", worst)
}

func TestMeshIsQuiet(t *testing.T) {
	seeds(t, 100, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.up()
		for _, n := range w.all {
			n.ticks, n.actions = 0, 0
		}
		saved := w.ann.lastSaved
		w.run(15 * time.Minute)
		// Between two keepalives a session may be over, and none be made.
		w.until("mesh", simKeepalive*time.Second, func() bool { return w.meshed(w.all...) })
		for _, n := range w.all {
			if len(n.touched) > 0 {
				w.fail("%s touched live peers: %v", n.name, n.touched)
			}
			if limit := 15 * 15; n.ticks > limit || n.actions > 15*30 {
				w.fail("%s woke up %d times for %d actions in a quiet quarter of an hour", n.name, n.ticks, n.actions)
			}
		}
		if w.ann.lastSaved != saved {
			w.fail("ann saved while nothing changed")
		}
	})
}

func TestLossyMesh(t *testing.T) {
	seeds(t, 100, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.loss = 0.1
		w.bootAll()
		w.run(400 * time.Millisecond)
		w.until("mesh", 2*time.Minute, func() bool { return w.meshed(w.all...) })
	})
}

func TestAddressChange(t *testing.T) {
	var worst time.Duration
	seeds(t, 100, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.up()
		w.server.move(nil, "198.51.100.77")
		worst = max(worst, w.until("mesh after the server's move", 5*time.Second, func() bool { return w.meshed(w.all...) }))
		w.run(5 * time.Second) // WireGuard believes a late packet from before a move
		w.ann.move(w.h1, "192.168.1.99")
		worst = max(worst, w.until("mesh after ann's new lease", 5*time.Second, func() bool { return w.meshed(w.all...) }))
		w.onlyTouched(w.server, w.ann)
	})
	t.Log("slowest:", worst)
}

func TestMoveHome(t *testing.T) {
	var worst time.Duration
	seeds(t, 100, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		h3 := w.newHome("203.0.113.3", "192.168.3.0/24", false)
		w.up()
		w.cat.move(h3, "192.168.3.10")
		worst = max(worst, w.until("mesh after cat's move", 5*time.Second, func() bool { return w.meshed(w.all...) }))
		w.run(10 * time.Second)
		w.cat.move(w.h1, "192.168.1.12")
		worst = max(worst, w.until("mesh after cat came home", 5*time.Second, func() bool { return w.meshed(w.all...) }))
		w.onlyTouched(w.cat)
	})
	t.Log("slowest:", worst)
}

// onlyTouched checks that only those that moved, and others only because of
// them, touched peers with a session.
func (w *world) onlyTouched(moved ...*node) {
	w.t.Helper()
	for _, n := range w.all {
		for _, x := range n.touched {
			ok := false
			for _, m := range moved {
				ok = ok || n == m || x == "moved "+m.name || x == "removed "+m.name
			}
			if !ok {
				w.fail("%s %s, who did not move", n.name, x)
			}
		}
	}
}

func TestCoordinatorDown(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.up()
		w.coord.kill()
		w.coord.off = true
		others := w.all[1:]
		w.run(time.Hour)
		if !w.meshed(others...) {
			w.fail("the others lost one another")
		}
		w.ann.move(w.h1, "192.168.1.50")
		w.until("ann's new lease without the coordinator", 10*time.Second, func() bool { return w.meshed(w.ann, w.cat) && w.meshed(w.ann, w.ben) })
		w.coord.off = false
		w.newRole(w.coord, others...)
		w.coord.boot()
		w.until("mesh with the coordinator back", 2*time.Minute, func() bool { return w.meshed(w.all...) })
	})
}

func TestRestart(t *testing.T) {
	seeds(t, 100, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.up()
		for _, n := range w.all {
			n.kill()
		}
		w.run(10 * time.Second)
		w.newRole(w.coord, w.all[1:]...)
		w.bootAll()
		w.run(time.Second)
		w.until("mesh", 10*time.Second, func() bool { return w.meshed(w.all...) })
		for _, n := range w.all {
			if len(n.touched) > 0 {
				w.fail("%s touched live peers at its restart: %v", n.name, n.touched)
			}
		}
	})
}

func TestRestartWithoutCoordinator(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.up()
		w.role.add(w.newNode(6, "dan", w.h2, "192.168.2.20")) // has the map saved, endpoints included
		w.run(10 * time.Second)
		w.coord.kill()
		w.coord.off = true
		w.ann.kill()
		w.ann.wg.apply(w.ann.wg.wipe())
		w.ann.boot()
		w.until("ann from her saved map", 30*time.Second, func() bool { return w.meshed(w.ann, w.ben, w.server) && w.meshed(w.ann, w.cat) })
	})
}

func TestMembership(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.up()
		w.role.remove(w.ben)
		w.until("ben's removal", 5*time.Second, func() bool {
			return w.ann.wg.links[w.ben.wg.key] == nil && w.coord.wg.links[w.ben.wg.key] == nil
		})
		dan := w.newNode(6, "dan", w.h2, "192.168.2.20")
		dan.wg.port = 51822
		dan.boot()
		w.run(time.Second)
		w.role.add(dan)
		w.until("dan's joining", 5*time.Second, func() bool { return w.meshed(dan, w.ann, w.server, w.coord) })
		w.onlyTouched(w.ben, dan)
	})
}

func TestSymmetricNAT(t *testing.T) {
	seeds(t, 50, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.h2.symmetric = true
		w.bootAll()
		w.run(400 * time.Millisecond)
		reachable := []*node{w.coord, w.server}
		w.until("mesh of ben with the public ones", 30*time.Second, func() bool { return w.meshed(w.ben, w.server) && w.meshed(w.ben, w.coord) })
		w.run(2 * time.Minute)
		if !w.meshed(append(reachable, w.ann, w.cat)...) || !w.meshed(append(reachable, w.ben)...) {
			w.fail("mesh did not hold:%s", w.missing())
		}
	})
}

// TestChaos moves, kills and boots at random under loss; whatever happened, a
// few quiet minutes later everybody reaches everybody.
func TestChaos(t *testing.T) {
	var worst time.Duration
	seeds(t, 100, func(t *testing.T, seed uint64) {
		w := newWorld(t, seed)
		w.up()
		w.loss = 0.05
		homes := []*home{w.h1, w.h2, w.newHome("203.0.113.3", "192.168.3.0/24", false)}
		for i := range 30 {
			w.run(time.Duration(w.rnd.IntN(20000)) * time.Millisecond)
			n := w.all[2+w.rnd.IntN(3)]
			switch w.rnd.IntN(3) {
			case 0, 1:
				h := homes[w.rnd.IntN(len(homes))]
				n.move(h, h.lan.Addr().Next().String()[:10]+fmt.Sprint(100+i))
			case 2:
				n.kill()
				w.run(time.Duration(w.rnd.IntN(5000)) * time.Millisecond)
				n.boot()
			}
		}
		w.loss = 0
		worst = max(worst, w.until("mesh", 5*time.Minute, func() bool { return w.meshed(w.all...) }))
	})
	t.Log("slowest:", worst)
}

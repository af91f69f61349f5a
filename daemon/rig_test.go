package daemon_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/key"
	"ginnel/network"
	"ginnel/platform/fake"
)

// rig is a world of machines with daemons, in a synctest bubble whose time is
// the daemons' and the world's. The first machine, hub, is the coordinator of
// every network.
type rig struct {
	*testing.T
	world    *fake.World
	machines []*machine
	books    map[string]*network.Book // before the hub starts for the first time
	log      logBuffer                // of everything, at debug level

	mu      sync.Mutex
	secrets [][key.Size]byte // private keys
	tokens  []string         // invitations, and what peers prove themselves with
}

// ports are the networks' UDP and API ports.
var ports = map[string]uint16{"home": 51820, "lab": 51821}

// inBubble runs f with a rig that has the machine hub and the network home with
// the CIDRs servers and phones. Afterwards all daemons are stopped, and the log
// is searched for secrets.
func inBubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, world: fake.NewWorld(time.Now()), books: map[string]*network.Book{}}
		stop := r.runClock()
		defer stop()
		hub := r.machine("hub")
		r.create(hub, "home", "10.42.0.0/16")
		r.do("home", network.AddCIDR{Name: "servers", Prefix: netip.MustParsePrefix("10.42.1.0/24")},
			network.AddCIDR{Name: "phones", Prefix: netip.MustParsePrefix("10.42.2.0/24")})
		defer r.checkLog()
		defer func() {
			for _, m := range r.machines {
				m.halt()
			}
		}()
		f(t, r)
	})
}

// runClock makes the bubble's time the world's.
func (r *rig) runClock() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				r.world.AdvanceTo(now)
			}
		}
	})
	return func() { cancel(); running.Wait() }
}

// pass lets time go by.
func (r *rig) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// within waits until ok is true, for d at most.
func (r *rig) within(d time.Duration, what string, ok func() bool) {
	r.Helper()
	for end := time.Now().Add(d); ; r.pass(10 * time.Millisecond) {
		synctest.Wait()
		if ok() {
			return
		}
		if time.Now().After(end) {
			for _, m := range r.machines {
				r.Log(m.OS)
			}
			r.Log(r.log.String())
			r.Fatalf("not within %s: %s", d, what)
		}
	}
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// secret draws a private key.
func (r *rig) secret() key.PrivateKey {
	k, err := key.Generate(rand.Reader)
	r.ok(err)
	r.keep(k)
	return k
}

func (r *rig) keep(k key.PrivateKey, tokens ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, k.Bytes())
	r.tokens = append(r.tokens, tokens...)
}

// checkLog searches the log for secrets.
func (r *rig) checkLog() {
	text := r.log.String()
	found := slices.Clone(r.tokens)
	for _, k := range r.secrets {
		found = append(found, base64.StdEncoding.EncodeToString(k[:]), base64.RawURLEncoding.EncodeToString(k[:]), hex.EncodeToString(k[:]), string(k[:]))
	}
	for _, s := range found {
		if strings.Contains(text, s) {
			r.Errorf("a secret is in the log: %s", s)
		}
	}
	if len(found) < 4 || len(text) == 0 {
		r.Error("the log, or the list of secrets, is empty: the search finds nothing")
	}
}

// create makes a network with m as its coordinator.
func (r *rig) create(m *machine, name, root string) {
	k := r.secret()
	book, _, err := network.New(name, netip.MustParsePrefix(root), m.name, k.Public())
	r.ok(err)
	r.books[name] = book
	m.become(book, book.Coordinator(), k, config.Coordinator)
}

// do carries commands out: in the book, or by the role that runs.
func (r *rig) do(name string, cmds ...network.Command) {
	r.Helper()
	if role := r.machines[0].role(name); role != nil {
		_, err := role.Do(cmds...)
		r.ok(err)
		return
	}
	for _, cmd := range cmds {
		book, _, err := r.books[name].Apply(time.Now(), cmd)
		r.ok(err)
		r.books[name] = book
	}
}

// join makes m a peer of a network, as if it had redeemed an invitation.
func (r *rig) join(m *machine, name, cidr string) {
	r.Helper()
	k := r.secret()
	r.do(name, network.Invite{Name: m.name, CIDR: cidr, Key: r.secret().Public(), Expires: time.Now().Add(time.Hour)})
	p, _ := r.book(name).PeerNamed(m.name)
	r.do(name, network.Redeem{Address: p.Address, Invited: p.Invited.Key, Key: k.Public()})
	m.become(r.book(name), p, k, config.Peer)
}

func (r *rig) book(name string) *network.Book {
	if role := r.machines[0].role(name); role != nil {
		return role.Book()
	}
	return r.books[name]
}

// writeBooks puts the books on the hub's disk, at its first start.
func (r *rig) writeBooks() {
	for name, book := range r.books {
		r.ok(store.Create(r.machines[0].book(name), book, network.Change{}))
	}
	clear(r.books)
}

// peers makes machines that are peers of home, and starts all daemons.
func (r *rig) peers(cidrs map[string]string) {
	r.Helper()
	for _, name := range slices.Sorted(maps.Keys(cidrs)) {
		r.join(r.machine(name), "home", cidrs[name])
	}
	for _, m := range r.machines {
		m.start()
	}
}

func (r *rig) find(name string) *machine {
	r.Helper()
	i := slices.IndexFunc(r.machines, func(m *machine) bool { return m.name == name })
	if i < 0 {
		r.Fatalf("no machine %s", name)
	}
	return r.machines[i]
}

// starts counts how often a machine's network was started, by the log.
func (r *rig) starts(machine, network string) (n int) {
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "msg=\"started with") && strings.Contains(line, "machine="+machine+" network="+network+" ") {
			n++
		}
	}
	return n
}

// logBuffer is a buffer for concurrent use.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// stoppedBook reads the book of home from the disk of a hub that does not run.
func stoppedBook(r *rig, hub *machine) *network.Book {
	s, book, _, err := store.Open(hub.book("home"))
	r.ok(err)
	r.ok(s.Close())
	return book
}

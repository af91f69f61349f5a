package daemon_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/coordinator"
	"ginnel/coordinator/store"
	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/fake"
	"ginnel/wire"
)

// rig is a world of machines with daemons, in a synctest bubble whose time is
// the daemons' and the world's. The first machine, hub, is the coordinator of
// every network.
type rig struct {
	*testing.T
	world    *fake.World
	machines []*machine
	books    map[string]*network.Book // as they are when the hub starts for the first time
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
	r.do(name, network.Redeem{Address: p.Address, Key: k.Public()})
	m.become(r.book(name), p, k, config.Peer)
}

func (r *rig) book(name string) *network.Book {
	if role := r.machines[0].role(name); role != nil {
		return role.Book()
	}
	return r.books[name]
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

// machine is one machine with its daemon.
type machine struct {
	*fake.OS
	rig    *rig
	name   string
	dir    string
	under  netip.Addr
	system daemon.System // may be changed while the daemon does not run

	mu    sync.Mutex
	cfg   *config.Config
	err   error // of reading the configuration
	roles map[string]*role

	daemon *daemon.Daemon
	stop   func() error // nil: it does not run
}

// role is a coordinator's role that can be made to fail.
type role struct {
	*coordinator.Role
	fail context.CancelCauseFunc
}

// machine adds a machine with one link to the world.
func (r *rig) machine(name string) *machine {
	m := &machine{
		OS: r.world.NewOS(name), rig: r, name: name, dir: r.TempDir(),
		under: netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + len(r.machines))}),
		cfg:   &config.Config{}, roles: map[string]*role{},
	}
	m.SetLink("eth0", netip.PrefixFrom(m.under, 24))
	m.system = daemon.System{
		Tunnels: m.OS, Network: m.OS, Sockets: m.OS,
		Names: func(string) platform.Names { return m.OS },
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host != "hub.example" {
				return nil, errors.New("no such host")
			}
			return []netip.Addr{r.machines[0].under}, nil
		},
	}
	r.machines = append(r.machines, m)
	return m
}

// become writes m's identity in a network, and its section.
func (m *machine) become(book *network.Book, p *network.Peer, k key.PrivateKey, role config.Role) {
	c := book.Coordinator()
	m.rig.ok(state.Create(m.state(book.Name()), state.Identity{
		Network: book.Name(), Root: book.Root(), Name: p.Name, Address: p.Address, PrivateKey: k,
		Coordinator: state.Coordinator{Address: c.Address, PublicKey: c.Key, APIPort: ports[book.Name()]},
	}))
	token, err := k.Token(c.Key, wire.TokenPurpose)
	m.rig.ok(err)
	m.rig.keep(k, token.Reveal())
	section := config.New(book.Name(), role)
	section.ListenPort = ports[book.Name()]
	section.Endpoints = []string{endpoint(book.Name())}
	m.cfg.Networks = append(m.cfg.Networks, section)
}

func endpoint(network string) string {
	return map[string]string{"home": "hub.example:51820", "lab": "hub.example:51821"}[network]
}

func (m *machine) state(network string) string { return state.Path(m.dir, network) }
func (m *machine) book(network string) string  { return filepath.Join(m.dir, network+".book") }

// role returns the role that runs; nil: none.
func (m *machine) role(network string) *role {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.roles[network]
}

// configure changes the configuration and has it read.
func (m *machine) configure(change func(c *config.Config)) {
	m.rig.Helper()
	m.mu.Lock()
	next := &config.Config{Networks: slices.Clone(m.cfg.Networks)}
	change(next)
	m.cfg = next
	m.mu.Unlock()
	m.rig.ok(m.daemon.Reload(m.rig.Context()))
}

func (m *machine) readConfig() (*config.Config, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cfg, m.err
}

// start runs the daemon.
func (m *machine) start() {
	if m.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.daemon = daemon.New(daemon.Options{
		System: m.system, StateDir: m.dir, ReadConfig: m.readConfig, OpenRole: m.openRole, Version: "test",
		Log: slog.New(slog.NewTextHandler(&m.rig.log, &slog.HandlerOptions{Level: slog.LevelDebug})).With("machine", m.name),
	})
	ended := make(chan error, 1)
	d := m.daemon
	go func() { ended <- d.Run(ctx) }()
	synctest.Wait()
	m.stop = func() error { cancel(); return <-ended }
}

// halt stops the daemon, where it runs.
func (m *machine) halt() {
	if m.stop == nil {
		return
	}
	if err := m.stop(); err != nil {
		m.rig.Error(err)
	}
	m.stop = nil
}

// openRole joins the two roles as the program does.
func (m *machine) openRole(n *config.Network, id state.Identity, h daemon.Hooks) (*daemon.Role, error) {
	if book := m.rig.books[n.Name]; book != nil {
		if err := store.Create(m.book(n.Name), book, network.Change{}); err != nil {
			return nil, err
		}
		delete(m.rig.books, n.Name)
	}
	s, book, changes, err := store.Open(m.book(n.Name))
	if err != nil {
		return nil, err
	}
	c, err := coordinator.New(coordinator.Config{
		Store: s, Book: book, Changes: changes, PrivateKey: id.PrivateKey, APIPort: id.Coordinator.APIPort,
		Endpoints: n.Endpoints, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(&m.rig.log, nil)),
		Send: h.Send, Wake: h.Wake,
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	mayFail, fail := context.WithCancelCause(context.Background())
	m.mu.Lock()
	m.roles[n.Name] = &role{Role: c, fail: fail}
	m.mu.Unlock()
	h.Send(id.Address, wire.Signal{Kind: wire.SignalProbe}) // before Run: does nothing
	h.Wake()
	return &daemon.Role{
		Coordinator: c, Sightings: c, Overlay: c.Handler(), Local: c.LocalHandler(),
		Run: func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer context.AfterFunc(mayFail, cancel)()
			return errors.Join(c.Run(ctx), context.Cause(mayFail))
		},
		Close: func() error {
			m.mu.Lock()
			delete(m.roles, n.Name)
			m.mu.Unlock()
			h.Send(id.Address, wire.Signal{Kind: wire.SignalProbe}) // after Run: does nothing either
			h.Wake()
			return s.Close()
		},
	}, nil
}

// status returns what the daemon says of one network.
func (m *machine) status(name string) local.Network {
	m.rig.Helper()
	s, err := m.daemon.Status(m.rig.Context())
	m.rig.ok(err)
	i := slices.IndexFunc(s.Networks, func(n local.Network) bool { return n.Name == name })
	if i < 0 {
		m.rig.Fatalf("%s: no network %s in %+v", m.name, name, s)
	}
	return s.Networks[i]
}

// connected lists the peers m has a session with in home, sorted.
func (m *machine) connected() (names []string) {
	for _, p := range m.status("home").Peers {
		if p.Connected {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// sees tells whether m has sessions with these peers of home and no others.
func (m *machine) sees(names ...string) func() bool {
	slices.Sort(names)
	return func() bool { return slices.Equal(m.connected(), names) }
}

// has tells whether the machine's printed state has a text.
func (m *machine) has(text string) bool { return strings.Contains(m.String(), text) }

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

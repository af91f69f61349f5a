package daemon_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"ginnel/coordinator"
	"ginnel/coordinator/store"
	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/journal"
	"ginnel/key"
	"ginnel/network"
	"ginnel/platform"
	"ginnel/platform/fake"
	"ginnel/wire"
)

// machine is one machine with its daemon.
type machine struct {
	*fake.OS
	rig    *rig
	name   string
	dir    string
	under  netip.Addr
	system daemon.System // may be changed while the daemon does not run
	rest   func()        // the daemon's; nil: none
	apply  func(config.Daemon)
	hold   chan struct{} // opening a role waits until it is closed; nil: it does not
	lie    lie           // what its roles tell peers; does nothing at first

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
		Tunnels: m.tunnels, Network: m.OS, Sockets: m.OS,
		Names: func(string) platform.Names { return m.OS },
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			if host != "hub.example" {
				return nil, errors.New("no such host")
			}
			return []netip.Addr{r.machines[0].under}, nil
		},
		Rand: rand.Reader,
	}
	r.machines = append(r.machines, m)
	return m
}

func (m *machine) tunnels(n *config.Network) platform.Tunnels {
	if n.Existing {
		return m.OS.Others()
	}
	return m.OS
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
	if m == m.rig.machines[0] {
		m.rig.writeBooks()
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.daemon = daemon.New(daemon.Options{
		System: m.system, StateDir: m.dir, ReadConfig: m.readConfig, OpenRole: m.openRole, Version: "test", Apply: m.apply, Rest: m.rest, Join: m.join,
		Log: journal.New(&m.rig.log, journal.Debug).With("machine", m.name),
	})
	ended := make(chan error, 1)
	d := m.daemon
	go func() { d.Run(ctx); ended <- nil }()
	synctest.Wait()
	m.stop = func() error { cancel(); return <-ended }
}

// join redeems an invitation as the program does.
func (m *machine) join(ctx context.Context, n config.Network) error {
	j, err := join.Redeem(ctx, m.system, m.dir, n.Invitation, n)
	if err != nil {
		return err
	}
	return j.Confirm()
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
	if m.hold != nil {
		<-m.hold
	}
	s, book, changes, err := store.Open(m.book(n.Name))
	if err != nil {
		return nil, err
	}
	c, err := coordinator.New(coordinator.Config{
		Store: s, Book: book, Changes: changes, PrivateKey: id.PrivateKey, APIPort: id.Coordinator.APIPort,
		Endpoints: n.Endpoints, Now: time.Now, Rand: rand.Reader, Log: journal.New(&m.rig.log, journal.Info),
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
		Coordinator: c, Sightings: c, Overlay: m.lie.around(c.Handler()), Local: c.LocalHandler(),
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

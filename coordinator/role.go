package coordinator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"ginnel/coordinator/api"
	"ginnel/coordinator/store"
	"ginnel/journal"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// Store is where changes of the book are written down.
type Store interface {
	// Commit writes changes, of consecutive revisions, in one transaction: all
	// or, with an error, none of them. An error that wraps store.ErrOutOfStep
	// says that what is written down is not the role's book any more.
	Commit(changes ...network.Change) error
}

// Config is what a Role is made of. Every field but Endpoints must be given.
type Config struct {
	Store      Store
	Book       *network.Book    // as the store has it
	Changes    []network.Change // its last changes, oldest first; may be empty
	PrivateKey key.PrivateKey   // the coordinator's own

	APIPort uint16 // TCP port of the API on the overlay address; invitations carry it
	// Endpoints, as wire.CheckEndpoints wants them, are where the coordinator is
	// found from outside. They go into a book that does not say, as those of
	// before did not; none: no invitation can be made until somebody says.
	Endpoints []string

	Now  func() time.Time
	Rand io.Reader // of cryptographic quality, for concurrent use
	Log  *journal.Logger

	// Send sends a nudge to a peer, as well as it can, and does not block.
	Send func(to netip.Addr, s wire.Signal)
	// Wake tells the daemon on this machine that its own map changed. It does
	// not block.
	Wake func()
}

// Role is the coordinator's role in one network. Its methods may be called
// concurrently; [Role.Run] must be running for anybody to hear of changes.
type Role struct {
	cfg  Config
	own  netip.Addr // the coordinator's overlay address
	book atomic.Pointer[network.Book]

	kick   chan struct{} // there may be something due earlier than Run knows
	broken chan error    // Run is to end with this

	writing sync.Mutex // held from reading the book to replacing it; taken before mu
	issued  issued     // guarded by writing

	mu      sync.Mutex // guards what follows; never held during I/O
	hub     *hub
	nudger  *nudger
	waker   waker
	reports reports
	tokens  *tokens
}

// The interfaces through which cmd/ginnel joins the role and the daemon.
var (
	_ wire.Coordinator = (*Role)(nil)
	_ wire.Sightings   = (*Role)(nil)
	_ api.Peers        = (*Role)(nil)
	_ api.Admins       = (*Role)(nil)
)

// New makes the role for the book in cfg. It reads 8 bytes of cfg.Rand.
func New(cfg Config) (*Role, error) {
	own := cfg.Book.Coordinator()
	if own.Key != cfg.PrivateKey.Public() {
		return nil, fmt.Errorf("the book of %s names another coordinator's key than this machine has: book and state must come from the same backup", cfg.Book.Name())
	}
	if err := fillBook(&cfg); err != nil {
		return nil, err
	}
	var epoch [8]byte
	if _, err := io.ReadFull(cfg.Rand, epoch[:]); err != nil {
		return nil, fmt.Errorf("draw an epoch: %w", err)
	}
	r := &Role{
		cfg: cfg, own: own.Address, kick: make(chan struct{}, 1), broken: make(chan error, 1),
		hub:     newHub(cfg.Book, cfg.Changes, binary.NativeEndian.Uint64(epoch[:])),
		nudger:  newNudger(),
		reports: reports{},
		tokens:  newTokens(cfg.PrivateKey),
		issued:  issued{seen: cfg.Now()},
	}
	r.book.Store(cfg.Book)
	return r, nil
}

// fillBook makes sure that the book's endpoints are some, be they as good as
// new ones have to be or not, and has those of the configuration written down
// where it has none. Where they cannot be, on a full disk, the next start does
// it: only invitations need them.
func fillBook(cfg *Config) error {
	known := cfg.Book.Endpoints()
	for _, s := range known {
		if err := wire.CheckEndpoint(s); err != nil {
			return err
		}
	}
	if len(known) > 0 {
		return nil
	}
	if len(cfg.Endpoints) == 0 {
		return nil
	}
	if err := wire.CheckEndpoints(cfg.Endpoints); err != nil {
		return err
	}
	book, change, err := cfg.Book.Apply(cfg.Now(), network.SetEndpoints{Endpoints: cfg.Endpoints})
	if err != nil {
		return err
	}
	if err := cfg.Store.Commit(change); err != nil {
		err = fmt.Errorf("write the coordinator's endpoints down: %w", err)
		if errors.Is(err, store.ErrOutOfStep) {
			return err
		}
		cfg.Log.Error("nobody can be invited until the endpoints of the configuration are in the book", "err", err)
		return nil
	}
	cfg.Book, cfg.Changes = book, append(cfg.Changes, change)
	return nil
}

// Handler serves the API to the overlay: it authenticates every request.
func (r *Role) Handler() http1.Handler { return api.Overlay(r, r, r.cfg.Now, r.cfg.Log) }

// LocalHandler serves the API to the administrator of this machine, who acts
// as the coordinator's own peer. Whoever reaches it is trusted.
func (r *Role) LocalHandler() http1.Handler { return api.Local(r, r, r.cfg.Now, r.cfg.Log, r.own) }

// Book returns the current book.
func (r *Role) Book() *network.Book { return r.book.Load() }

// Do applies commands one after the other and returns the book after them. It
// is all or nothing, and one transaction. Its error is a *network.Refusal, or
// says what went wrong with the store; the book is then what it was.
func (r *Role) Do(cmds ...network.Command) (*network.Book, error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	book, changes, err := r.apply(cmds...)
	if err != nil {
		return nil, err
	}
	if err := r.carryOut(book, changes); err != nil {
		return nil, err
	}
	return book, nil
}

// apply returns the book after cmds, with what they change. The caller holds
// r.writing, and carries it out or not.
func (r *Role) apply(cmds ...network.Command) (*network.Book, []network.Change, error) {
	now := r.cfg.Now()
	if err := r.followClock(now); err != nil {
		return nil, nil, err
	}
	book := r.Book()
	var changes []network.Change
	for _, cmd := range cmds {
		next, change, err := book.Apply(now, cmd)
		if err != nil {
			return nil, nil, err
		}
		if change.Revision != 0 { // else it was so before
			book, changes = next, append(changes, change)
		}
	}
	return book, changes, nil
}

// carryOut writes changes down, makes book, to which they led, the current one
// and lets those know who are concerned. The caller holds r.writing.
func (r *Role) carryOut(book *network.Book, changes []network.Change) error {
	if err := r.write(changes); err != nil {
		return err
	}
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.publish(book, changes)
	for _, c := range changes {
		r.tell(c, now)
	}
	return nil
}

// write writes changes down. A store that is out of step will refuse all that
// follows as well: the role ends, and the next one starts from the store.
func (r *Role) write(changes []network.Change) error {
	if len(changes) == 0 {
		return nil
	}
	err := r.cfg.Store.Commit(changes...)
	if err == nil {
		return nil
	}
	if errors.Is(err, store.ErrNoSpace) { // whoever asked can do something about it, or tell somebody
		return wire.Errorf(wire.StatusInternal, "the coordinator's disk is full, so nothing was changed: make room there, where the book lies")
	}
	err = fmt.Errorf("write the book down: %w", err)
	if errors.Is(err, store.ErrOutOfStep) {
		select {
		case r.broken <- err:
		default: // it ends already
		}
	}
	return err
}

// publish makes book, to which changes led, the current one for everybody. The
// caller holds r.writing and r.mu.
func (r *Role) publish(book *network.Book, changes []network.Change) {
	r.book.Store(book)
	for _, c := range changes {
		r.hub.adopt(book, c)
		r.forgetGone(c)
	}
}

// forgetGone drops the soft state of peers that are in the book no more, or
// may not be told anything. The caller holds r.mu.
func (r *Role) forgetGone(c network.Change) {
	forget := func(a netip.Addr) {
		r.nudger.forget(a)
		delete(r.reports, a)
	}
	for _, p := range c.Delete.Peers {
		forget(p.Address)
	}
	for _, p := range c.Put.Peers {
		if p.Disabled {
			forget(p.Address)
		}
	}
}

// tell has those hear whom a change concerns, the peers it is about first. The
// caller holds r.mu.
func (r *Role) tell(c network.Change, now time.Time) {
	for a := range r.hub.concerned(c) {
		if a == r.own {
			r.waker.news(now)
			continue
		}
		r.nudger.news(a, r.hub.current(), now)
	}
	for _, p := range c.Put.Peers {
		r.nudger.hurry(p.Address)
	}
	r.awake()
}

// tellEndpoints has the peer at a hear that there is news of endpoints. The
// caller holds r.mu.
func (r *Role) tellEndpoints(a netip.Addr, now time.Time) {
	if a == r.own {
		r.waker.endpointNews(now)
		return
	}
	r.nudger.news(a, r.hub.current(), now.Add(newsPause))
}

// awake has Run look at what is due.
func (r *Role) awake() {
	select {
	case r.kick <- struct{}{}:
	default: // it will look anyway
	}
}

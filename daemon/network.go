package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/journal"
)

// How long a network that failed waits before it is tried again.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// network keeps one network running: it opens a peer, runs it, and does so
// again after a failure.
type network struct {
	d      *Daemon
	cfg    config.Network // written with both mu and the daemon's reload held
	log    *journal.Logger
	cancel context.CancelFunc
	done   chan struct{}
	again  chan struct{} // holds one: do not wait any longer after a failure
	tried  chan struct{} // closed when it was opened, or could not be, for the first time
	first  sync.Once     // closes tried

	mu     sync.Mutex
	peer   *peer // nil while it is not running
	err    error // why not
	remove bool  // take what was made out of the system when it ends
}

// start runs cfg's network until stop.
func (d *Daemon) start(cfg config.Network) *network {
	ctx, cancel := context.WithCancel(d.ctx)
	n := &network{
		d: d, cfg: cfg, log: d.Log.With("network", cfg.Name), cancel: cancel,
		done: make(chan struct{}), again: make(chan struct{}, 1), tried: make(chan struct{}), err: errors.New("is starting"),
	}
	go n.supervise(ctx)
	return n
}

// stop ends the network and waits for it. With remove its interface and names
// go as well.
func (n *network) stop(remove bool) {
	n.mu.Lock()
	n.remove = remove
	n.mu.Unlock()
	n.cancel()
	<-n.done
}

func (n *network) supervise(ctx context.Context) {
	defer close(n.done)
	n.keepRunning(ctx)
	if n.removing() {
		cfg := n.config()
		n.d.warn(&cfg, Clear(n.d.System, n.d.StateDir, &cfg))
	}
}

func (n *network) keepRunning(ctx context.Context) {
	for wait, joining := firstRetry, false; ; {
		began := time.Now()
		err := n.run(ctx)
		if ctx.Err() != nil {
			if err != nil && !isNotYet(err) {
				n.log.Error("network did not stop cleanly", "err", err)
			}
			return
		}
		joined := joining && !isNotYet(err) // what fails now has nothing to do with that
		if joining = isNotYet(err); joined || time.Since(began) > lastRetry {
			wait = firstRetry
		}
		most := lastRetry
		if joining {
			most = lastJoin // the rest is told
		} else {
			n.log.Error("network stopped, will be tried again", "err", err, "in", wait)
		}
		if !n.pause(ctx, wait) {
			return
		}
		wait = min(2*wait, most)
	}
}

// run opens the peer, after joining where that is to be done, and runs it once.
func (n *network) run(ctx context.Context) error {
	p, err := n.d.openPeer(n.config())
	if err == errNotJoined {
		if err = n.tryJoin(ctx); err == nil {
			p, err = n.d.openPeer(n.config())
		}
	}
	n.set(p, err)
	n.opened()
	if err != nil {
		return err
	}
	err = p.run(ctx)
	n.set(nil, p.endErr)
	return errors.Join(err, p.close())
}

// opened lets those go on who wait for the network to be tried.
func (n *network) opened() { n.first.Do(func() { close(n.tried) }) }

// pause waits until a network that failed is to be tried again; it returns
// false when ctx ended first.
func (n *network) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-n.again:
	}
	return true
}

func (n *network) set(p *peer, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.peer, n.err = p, err
	n.settle()
}

func (n *network) removing() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.remove
}

// running returns the peer, or why there is none.
func (n *network) running() (*peer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.peer, n.err
}

// status tells how the network is; it returns when ctx ends at the latest.
func (n *network) status(ctx context.Context) local.Network {
	p, err := n.running()
	if p != nil {
		return p.status(ctx)
	}
	s := local.Failed
	if isNotYet(err) {
		s = local.Joining
	}
	cfg := n.config()
	return withoutPeer(&cfg, s, err)
}

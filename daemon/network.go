package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
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
	cfg    config.Network
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	peer   *peer // nil while it is not running
	err    error // why not
	remove bool  // take what was made out of the system when it ends
}

// start runs cfg's network until stop.
func (d *Daemon) start(cfg config.Network) *network {
	ctx, cancel := context.WithCancel(d.ctx)
	n := &network{d: d, cfg: cfg, cancel: cancel, done: make(chan struct{}), err: errors.New("is starting")}
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
	log := n.d.Log.With("network", n.cfg.Name)
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		began := time.Now()
		err := n.run(ctx)
		if ctx.Err() != nil {
			return
		}
		log.Error("network stopped, will be tried again", "err", err, "in", wait)
		if time.Since(began) > lastRetry {
			wait = firstRetry
		}
		if !waitFor(ctx, wait) {
			n.clear()
			return
		}
	}
}

// run opens the peer and runs it once.
func (n *network) run(ctx context.Context) error {
	p, err := n.d.openPeer(n.cfg)
	n.set(p, err)
	if err != nil {
		if ctx.Err() != nil {
			n.clear()
		}
		return err
	}
	err = p.run(ctx)
	if err == nil {
		err = errors.New("ended")
	}
	n.set(nil, err)
	return errors.Join(err, p.close(n.removing()))
}

// clear does for a network that is not running what close does for one.
func (n *network) clear() {
	if n.removing() {
		if err := Clear(n.d.System, &n.cfg); err != nil {
			n.d.Log.Warn("not removed", "network", n.cfg.Name, "err", err)
		}
	}
}

func (n *network) set(p *peer, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.peer, n.err = p, err
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

func (n *network) status(ctx context.Context) (local.Network, error) {
	p, err := n.running()
	if p != nil {
		return p.status(ctx)
	}
	return local.Network{Name: n.cfg.Name, Role: string(n.cfg.Role), State: local.Failed, Error: err.Error(), Peers: []local.Peer{}}, nil
}

// waitFor waits until d has passed; it returns false when ctx ended first.
func waitFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

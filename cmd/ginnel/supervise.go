package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"ginnel/daemon"
	"ginnel/journal"
	"ginnel/platform/service"
)

// settleTime is how long whatever waits for this machine's networks is kept
// waiting by one that cannot be opened.
const settleTime = 5 * time.Second

// supervision is what the program and its supervisor tell each other about the
// daemon.
type supervision struct {
	by  *service.Supervisor
	d   *daemon.Daemon
	log *journal.Logger
}

// supervise tells the supervisor how d is, and reloads it on SIGHUP, until ctx
// ends.
func supervise(ctx context.Context, d *daemon.Daemon, log *journal.Logger) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	by, err := service.New()
	s := &supervision{by, d, log}
	s.told(err)
	var watching sync.WaitGroup
	watching.Go(func() { s.told(by.Watch(ctx, d.Alive)) })
	defer watching.Wait()
	for s.settle(ctx); ; s.settle(ctx) {
		select {
		case <-hangups:
			s.reload(ctx)
		case <-ctx.Done():
			s.told(by.Stopping())
			return
		}
	}
}

// settle says that the daemon is ready when its networks are there. One that
// cannot be opened is not waited for long: what wants the network can do
// without it.
func (s *supervision) settle(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	err := s.d.Settle(within)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.log.Warn("not waiting any longer for all networks to be there", "err", err)
	}
	s.told(s.by.Ready())
}

func (s *supervision) reload(ctx context.Context) {
	s.told(s.by.Reloading())
	if err := s.d.Reload(ctx); err != nil {
		s.log.Error("reload", "err", err)
	}
}

// told logs why the supervisor was not told something.
func (s *supervision) told(err error) {
	if err != nil {
		s.log.Warn("the supervisor does not know how the daemon is", "err", err)
	}
}

//go:build !kernelonly

package service

import (
	"context"
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// Supervisor is who started the program.
type Supervisor struct {
	// watchdog is how often the supervisor wants to hear that the program
	// lives: it starts another one otherwise. 0: never.
	watchdog time.Duration
}

// New returns the supervisor that the environment tells of. An error is about
// what it says of a watchdog, of which there is then none.
func New() (*Supervisor, error) {
	d, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		return &Supervisor{}, fmt.Errorf("the supervisor's watchdog: %w", err)
	}
	return &Supervisor{watchdog: d}, nil
}

// Ready says that the program does its work, after a start or after Reloading.
func (*Supervisor) Ready() error { return notify(systemd.SdNotifyReady) }

// Reloading says that the program reads its configuration; Ready ends it.
func (*Supervisor) Reloading() error {
	return notify(systemd.SdNotifyReloading + "\n" + systemd.SdNotifyMonotonicUsec())
}

// Stopping says that the program is about to end.
func (*Supervisor) Stopping() error { return notify(systemd.SdNotifyStopping) }

// Watch tells the supervisor that the program lives, at half the interval it
// wants, whenever alive returns in time without an error. It returns when ctx
// ends, or at once where nobody wants to hear of it; otherwise with the error
// that kept it from telling.
func (s *Supervisor) Watch(ctx context.Context, alive func(context.Context) error) error {
	if s.watchdog == 0 {
		return nil
	}
	t := time.NewTicker(s.watchdog / 2)
	defer t.Stop()
	for {
		if err := s.check(ctx, alive); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// check tells that the program lives, if it does. That it does not is the
// supervisor's to act on: it hears nothing.
func (s *Supervisor) check(ctx context.Context, alive func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.watchdog/2)
	defer cancel()
	if alive(ctx) != nil {
		return nil
	}
	return notify(systemd.SdNotifyWatchdog)
}

func notify(state string) error {
	if _, err := systemd.SdNotify(false, state); err != nil {
		return fmt.Errorf("tell the supervisor: %w", err)
	}
	return nil
}

//go:build !kernelonly

package service_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ginnel/platform/service"
)

// systemd is a socket where notes arrive.
func systemd(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return c
}

func next(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 256)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestNotes(t *testing.T) {
	c := systemd(t)
	s, err := service.New()
	if err != nil {
		t.Fatal(err)
	}
	for want, tell := range map[string]func() error{
		"READY=1": s.Ready, "STOPPING=1": s.Stopping, "RELOADING=1\nMONOTONIC_USEC=": s.Reloading,
	} {
		if err := tell(); err != nil {
			t.Fatal(err)
		}
		if got := next(t, c); !strings.HasPrefix(got, want) {
			t.Errorf("systemd is told %q, want %q", got, want)
		}
	}
}

// TestNobodyWantsToHear: without systemd nothing is told, and nothing fails.
func TestNobodyWantsToHear(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	s, err := service.New()
	if err != nil {
		t.Fatal(err)
	}
	never := func(context.Context) error {
		t.Error("asked whether it lives, though nobody wants to know")
		return nil
	}
	if err := errors.Join(s.Ready(), s.Reloading(), s.Stopping(), s.Watch(t.Context(), never)); err != nil {
		t.Error(err)
	}
}

func TestGoneSupervisor(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nothing"))
	s, err := service.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(); err == nil || !strings.Contains(err.Error(), "supervisor") {
		t.Errorf("got %v", err)
	}
}

// TestWatchdog: who lives is heard of again and again; while it does not, not.
func TestWatchdog(t *testing.T) {
	c := systemd(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	s, err := service.New()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	answers, done := make(chan error), make(chan error, 1)
	go func() {
		done <- s.Watch(ctx, func(ctx context.Context) error {
			select {
			case err := <-answers:
				return err
			case <-ctx.Done():
				return ctx.Err() // hangs, for as long as it is waited for
			}
		})
	}()
	for range 3 {
		answers <- nil
		if got := next(t, c); got != "WATCHDOG=1" {
			t.Errorf("systemd is told %q", got)
		}
	}
	answers <- errors.New("ill")
	answers <- errors.New("ill") // asked again, so the first one was not told
	if err := s.Ready(); err != nil {
		t.Fatal(err)
	}
	if got := next(t, c); got != "READY=1" {
		t.Errorf("while it is ill systemd is told %q", got)
	}
	cancel()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			running = false
		case answers <- errors.New("ill"):
		}
	}
}

func TestBadWatchdog(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "soon")
	s, err := service.New()
	if err == nil || s == nil {
		t.Errorf("got %v, %v: want an error, and a supervisor without a watchdog", s, err)
	}
}

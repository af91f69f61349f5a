package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/config"
)

// TestDaemon runs the daemon without networks: it makes what it needs, answers
// on a socket that only its group may open, and ends when told.
func TestDaemon(t *testing.T) {
	m := newMachine(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	e := m.env
	var log bytes.Buffer
	e.err = &log
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, &e, []string{"daemon"}) }()
	eventually(t, func() bool { return m.run("status").status == exitOK })
	info, err := os.Stat(m.env.paths.socket)
	must(t, err)
	if info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("mode of the socket is %v, want 0660", info.Mode())
	}
	if info, err := os.Stat(m.env.paths.state); err != nil || info.Mode() != os.ModeDir|0o700 {
		t.Errorf("mode of the state directory is %v, %v; want 0700", info, err)
	}
	m.refuses(exitFailed, []string{"a daemon is running already", m.env.paths.socket}, "daemon")
	m.refuses(exitFailed, []string{"there is no network home on this machine"}, "peer", "list", "-n", "home")
	stop()
	if status := <-ended; status != exitOK {
		t.Errorf("it ended with %d", status)
	}
	if text := log.String(); !strings.Contains(text, "ginnel starts") || strings.Contains(text, "time=") {
		t.Errorf("it logged %q", text)
	}
}

// TestDaemonWithDamagedConfiguration: it does not run on a guess, and waits for
// what mends it.
func TestDaemonWithDamagedConfiguration(t *testing.T) {
	m := newMachine(t)
	m.configure("home", config.Peer)
	good, err := m.env.paths.configText()
	must(t, err)
	write := func(text string) { must(t, os.WriteFile(m.env.paths.config, []byte(text), 0o600)) }
	status := func() string { return strings.Join(strings.Fields(m.succeeds("status")), " ") }

	write("option nothing\n")
	m.live()
	if out := status(); !strings.Contains(out, "problem: the daemon has started without what is wrong in the configuration: ") || !strings.Contains(out, "ginnel.conf:1: ") || strings.Contains(out, "in no network") {
		t.Errorf("status says %q", out)
	}
	m.refuses(exitFailed, []string{"ginnel.conf:1: "}, "down", "home")
	write(string(good) + "\toption newer 1\n")
	if err := m.env.client().Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "option newer: is not known") {
		t.Errorf("reload: %v", err)
	}
	write(string(good))
	must(t, m.env.client().Reload(t.Context()))
	if out := status(); !strings.Contains(out, "network home: failed error: ") || strings.Contains(out, "problem") {
		t.Errorf("status says %q", out)
	}
}

// TestReadConfig: a file that cannot be read is an error, and nothing is known.
func TestReadConfig(t *testing.T) {
	m := newMachine(t)
	if cfg, err := m.env.paths.readConfig(); err != nil || len(cfg.Networks) > 0 {
		t.Errorf("no file: %+v, %v", cfg, err)
	}
	must(t, os.MkdirAll(m.env.paths.config, 0o700))
	if cfg, err := m.env.paths.readConfig(); err == nil || cfg == nil || len(cfg.Networks) > 0 || cfg.Daemon.GOGC != config.DefaultGOGC {
		t.Errorf("a directory: %+v, %v", cfg, err)
	}
}

// TestSocket: a dead daemon's socket is replaced, anything else is not.
func TestSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "ginnel")
	must(t, err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "run", "s")
	l, err := listenLocal(t.Context(), path)
	must(t, err)
	if _, err := listenLocal(t.Context(), path); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("while one listens: %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, l.Close())
	l, err = listenLocal(t.Context(), path)
	must(t, err)
	must(t, l.Close())
	must(t, os.WriteFile(path, []byte("precious"), 0o600))
	if _, err := listenLocal(t.Context(), path); err == nil || !strings.Contains(err.Error(), "is in the way") {
		t.Errorf("where a file is: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

// TestPaths: the environment puts each file elsewhere.
func TestPaths(t *testing.T) {
	values := map[string]string{"GINNEL_CONFIG": "/c", "GINNEL_STATE": "/s", "GINNEL_SOCKET": "/k"}
	if got := findPaths(func(name string) string { return values[name] }); got != (paths{config: "/c", state: "/s", socket: "/k"}) {
		t.Errorf("paths are %+v", got)
	}
	got := findPaths(func(string) string { return "" })
	for _, path := range []string{got.config, got.state, got.socket} {
		if !strings.Contains(pathsHelp, path) {
			t.Errorf("the help does not tell of %s", path)
		}
	}
}

// eventually waits until ok is true.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("it did not happen within 30 s")
		}
	}
}

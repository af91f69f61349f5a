package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/journal"
	"ginnel/platform/dbfile"
	"ginnel/platform/memory"
	"ginnel/wire/http1"
)

var daemonCommands = []command{{
	name: "daemon", brief: "Run this machine's networks until stopped; services start this",
	about: `It logs to standard error. SIGHUP makes it read the configuration again; SIGINT and SIGTERM
stop it, and tunnels that the kernel carries stay as they are. What is wrong in the configuration
is an error in the log and in ` + "`ginnel status`" + `: a daemon that runs goes on with what it had, and one
that starts with the networks whose sections are right.

It keeps less garbage than Go programs do: what options gogc and gomemlimit of the section
daemon say. GOGC and GOMEMLIMIT in the environment count for more.`,
	setup: func(o *options) action {
		verbose := o.Bool("verbose", "v", "log more")
		return func(ctx context.Context, e *env, _ []string) error {
			level := journal.Info
			if *verbose {
				level = journal.Debug
			}
			return runDaemon(ctx, e, journal.New(e.err, level))
		}
	},
}}

func runDaemon(ctx context.Context, e *env, log *journal.Logger) error {
	sys := e.system(log)
	if err := dbfile.EnsureDir(e.paths.state, 0o700); err != nil {
		return err
	}
	listener, err := listenLocal(ctx, e.paths.socket)
	if err != nil {
		return err
	}
	d := daemon.New(daemon.Options{
		System: sys, StateDir: e.paths.state, ReadConfig: e.paths.readConfig,
		Apply:    func(c config.Daemon) { memory.Economize(os.Getenv, c.GOGC, c.MemoryLimit) },
		Join:     e.joinBySection,
		OpenRole: openRole(e.paths, log), Version: version, Log: log,
		Rest: func() {
			if err := memory.Release(); err != nil {
				log.Debug("memory is not given back", "err", err)
			}
		},
	})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		server := http1.Server{Handler: local.Handler(d), Log: log}
		served <- server.Serve(ctx, listener)
		cancel() // a daemon that cannot be asked is of no use
	}()
	supervised := make(chan struct{})
	go func() { defer close(supervised); supervise(ctx, d, log) }()
	log.Info("ginnel starts", "version", version, "config", e.paths.config)
	d.Run(ctx)
	cancel()
	<-supervised
	return <-served
}

// listenLocal opens the socket of the local API. One that nobody answers on is
// a dead daemon's and is replaced.
func listenLocal(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the socket's directory: %w", err)
	}
	if conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path); err == nil {
		conn.Close()
		return nil, fmt.Errorf("a daemon is running already: it answers on %s", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return nil, fmt.Errorf("%s is in the way: the daemon's socket belongs there", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace a dead daemon's socket: %w", err)
	}
	old := syscall.Umask(0o117) // 0660 from the first moment
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("open the daemon's socket: %w", err)
	}
	shareSocket(path)
	return l, nil
}

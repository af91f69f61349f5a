package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ginnel/coordinator/coordinatortest"
	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/fake"
	"ginnel/wire"
	"ginnel/wire/http1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// machine is a machine to run commands on. It has no daemon and no network.
type machine struct {
	t   *testing.T
	env env
	os  *fake.OS

	mu     sync.Mutex // guards what the daemon's goroutines use
	net    *coordinatortest.Network
	status local.Status
	err    error // every answer of the daemon
	calls  []string
	peers  map[string]*running // what is up, by the network's name
	// lie replaces what the coordinator answers, a *wire.Problem what is heard of
	// it; nil: the truth.
	lie func(r *http1.Request) (answer any)
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, os: fake.NewWorld(testTime).NewOS("here")}
	run, err := os.MkdirTemp("", "ginnel") // a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	dir := t.TempDir()
	m.env = env{
		paths: paths{
			config: filepath.Join(dir, "etc/ginnel.conf"), state: filepath.Join(dir, "lib/ginnel"), socket: filepath.Join(run, "s"),
		},
		system: func(*journal.Logger) daemon.System { return systemOf(m.os) },
	}
	return m
}

func systemOf(o *fake.OS) daemon.System {
	return daemon.System{
		Tunnels: func(*config.Network) platform.Tunnels { return o }, Network: o, Sockets: o, Names: func(string) platform.Names { return o }, Resolve: resolve, Rand: rand.Reader,
	}
}

// newAdmin returns a coordinator's machine: its daemon runs, and its network
// home is coordinatortest's.
func newAdmin(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t)
	m.net = coordinatortest.New(t)
	m.status.Networks = []local.Network{{Name: "home", State: local.Up, Role: "coordinator", Peers: []local.Peer{}}}
	m.configure("home", config.Coordinator)
	m.startDaemon()
	return m
}

// configure writes a section.
func (m *machine) configure(name string, role config.Role) {
	m.t.Helper()
	n := config.New(name, role)
	n.Endpoints = []string{"192.0.2.1:51820"}
	if role == config.Coordinator {
		n.ListenPort = 51820
	}
	if err := m.env.paths.setNetwork(n); err != nil {
		m.t.Fatal(err)
	}
}

// startDaemon serves the local API until the test ends.
func (m *machine) startDaemon() {
	m.t.Helper()
	l, err := net.Listen("unix", m.env.paths.socket)
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		s := http1.Server{Handler: local.Handler(m)}
		if err := s.Serve(ctx, l); err != nil {
			m.t.Errorf("serve the local API: %v", err)
		}
	})
	m.t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
}

// Status implements local.Daemon.
func (m *machine) Status(context.Context) (*local.Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &m.status, m.err
}

// Reload implements local.Daemon.
func (m *machine) Reload(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, "reload")
	return m.err
}

// Coordinator implements local.Daemon.
func (m *machine) Coordinator(ctx context.Context, network string, r *http1.Request) (*http1.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, r.Method+" "+network+r.Path)
	switch {
	case m.err != nil:
		return nil, m.err
	case network != "home" || m.net == nil:
		return nil, wire.Errorf(wire.StatusNotFound, "there is no network %s up on this machine", network)
	}
	if m.lie != nil {
		switch answer := m.lie(r).(type) {
		case nil:
		case *wire.Problem:
			return nil, answer
		default:
			return http1.JSON(wire.StatusOK, answer), nil
		}
	}
	return m.net.LocalHandler()(ctx, r), nil
}

// result is what a command did.
type result struct {
	status   int
	out, err string
}

// run runs a command without a terminal.
func (m *machine) run(args ...string) result { return m.runWith("", false, args...) }

// runWith runs a command with a standard input, which may be a terminal.
func (m *machine) runWith(in string, terminal bool, args ...string) result {
	m.t.Helper()
	var out, errs bytes.Buffer
	e := m.env
	e.in, e.terminal, e.err = strings.NewReader(in), terminal, &errs
	if e.out == nil {
		e.out = &out
	}
	r := result{status: run(m.t.Context(), &e, args)}
	r.out, r.err = out.String(), errs.String()
	for _, line := range strings.Split(r.out, "\n") {
		if strings.TrimRight(line, " \t") != line {
			m.t.Errorf("ginnel %s: this line ends in spaces: %q", strings.Join(args, " "), line)
		}
	}
	return r
}

// does runs a command that must succeed and print out.
func (m *machine) does(out string, args ...string) {
	m.t.Helper()
	if r := m.run(args...); r.status != exitOK || r.out != out {
		m.t.Errorf("ginnel %s: status %d, printed %q and %q; want %q", strings.Join(args, " "), r.status, r.out, r.err, out)
	}
}

// refuses runs a command that must fail with a status and say some things, and
// print nothing else.
func (m *machine) refuses(status int, says []string, args ...string) {
	m.t.Helper()
	m.failed(m.run(args...), status, says, args)
}

func (m *machine) failed(r result, status int, says []string, args []string) {
	m.t.Helper()
	line := "ginnel " + strings.Join(args, " ")
	if r.status != status || r.out != "" {
		m.t.Errorf("%s: status %d, printed %q and %q; want status %d", line, r.status, r.out, r.err, status)
	}
	for _, s := range append(says, "ginnel: ") {
		if !strings.Contains(r.err, s) {
			m.t.Errorf("%s: says %q, want %q in it", line, r.err, s)
		}
	}
}

// json runs a command that must print v's kind of JSON and nothing else.
func (m *machine) json(v any, args ...string) {
	m.t.Helper()
	r := m.run(append(args, "--json")...)
	d := json.NewDecoder(strings.NewReader(r.out))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if r.status != exitOK || err != nil || d.More() {
		m.t.Errorf("ginnel %s --json: status %d, %v: %q and %q", strings.Join(args, " "), r.status, err, r.out, r.err)
	}
}

// tree lists the files below the machine's directories, with their modes.
func (m *machine) tree() (list []string) {
	m.t.Helper()
	root := filepath.Dir(filepath.Dir(m.env.paths.config))
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		list = append(list, info.Mode().String()+" "+name)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return list
}

// reloads counts and forgets the daemon's reloads.
func (m *machine) reloads() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.calls)
	m.calls = nil
	return n
}

// golden compares text with a golden file.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s is not as it was (go test -update writes it anew):\n%s\nwant\n%s", name, text, want)
	}
}

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"ginnel/bench/table"
	"ginnel/platform"
)

// program is wg(8): each operation is a process of its own. It cannot add to
// the allowed IPs of a peer: it replaces them.
type program struct {
	path string
	dir  string   // of configurations, made ready for wg to read
	made int      // configurations
	null *os.File // what it prints is made, and goes nowhere
}

func newProgram(path string) (*program, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, fmt.Errorf("make wg ready: %w", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("make wg ready: %w", err)
	}
	return &program{path: path, dir: dir, null: null}, nil
}

func (*program) name() string { return table.Wg }

func (p *program) close() error { return errors.Join(p.null.Close(), os.RemoveAll(p.dir)) }

// version is what it says of itself.
func (p *program) version() (string, error) {
	out, err := exec.Command(p.path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("run %s --version: %w", p.path, err)
	}
	words := strings.Fields(string(out))
	return strings.Join(words[:min(2, len(words))], " "), nil
}

// nothing starts the program for as little as it can do.
func (p *program) nothing() error { return p.run("--version") }

func (p *program) reader(link string) (task, error) {
	return func() error { return p.run("show", link, "dump") }, nil
}

// writer gives a single peer on the command line, and many in a file, as a
// person or a script would.
func (p *program) writer(w write) (task, error) {
	if len(w.peers) == 1 || w.verb == table.Remove {
		args := []string{"set", w.link}
		for _, peer := range w.peers {
			args = append(args, arguments(w.verb, peer)...)
		}
		return func() error { return p.run(args...) }, nil
	}
	p.made++
	file := filepath.Join(p.dir, strconv.Itoa(p.made)+".conf")
	if err := os.WriteFile(file, configuration(w.verb, w.peers), 0o600); err != nil {
		return nil, fmt.Errorf("make wg ready: %w", err)
	}
	return func() error { return p.run("addconf", w.link, file) }, nil
}

// run is one process. Its start is made of as few parts as there are: no pipes,
// no goroutines.
func (p *program) run(args ...string) error {
	process, err := os.StartProcess(p.path, append([]string{p.path}, args...),
		&os.ProcAttr{Env: []string{}, Files: []*os.File{p.null, p.null, os.Stderr}})
	if err != nil {
		return fmt.Errorf("start wg: %w", err)
	}
	state, err := process.Wait()
	if err != nil {
		return fmt.Errorf("wait for wg: %w", err)
	}
	if !state.Success() {
		return fmt.Errorf("wg %s: %s", args[0], state)
	}
	return nil
}

// arguments are a peer as wg's command line names it.
func arguments(verb table.Verb, p platform.Peer) []string {
	args := []string{"peer", p.PublicKey.String()}
	if verb == table.Remove {
		return append(args, "remove")
	}
	args = append(args, "endpoint", p.Endpoint.String())
	if verb != table.SetEndpoint {
		args = append(args, "allowed-ips", prefixes(p))
	}
	if verb == table.Add {
		args = append(args, "persistent-keepalive", strconv.Itoa(int(p.Keepalive)))
	}
	return args
}

// configuration are peers as wg's files name them.
func configuration(verb table.Verb, peers []platform.Peer) []byte {
	var b []byte
	for _, p := range peers {
		b = fmt.Appendf(b, "[Peer]\nPublicKey = %s\nEndpoint = %s\n", p.PublicKey, p.Endpoint)
		if verb != table.SetEndpoint {
			b = fmt.Appendf(b, "AllowedIPs = %s\n", prefixes(p))
		}
		if verb == table.Add {
			b = fmt.Appendf(b, "PersistentKeepalive = %d\n", p.Keepalive)
		}
	}
	return b
}

func prefixes(p platform.Peer) string {
	var all []string
	for _, a := range p.AllowedIPs {
		all = append(all, a.String())
	}
	return strings.Join(all, ",")
}

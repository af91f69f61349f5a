package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/netlab"
)

// patience is how long the demo waits for what takes milliseconds on an idle
// machine.
const patience = 20 * time.Second

// desk is where each machine's commands are typed: a directory of its own.
const desk = "/run/desk"

// show is one performance. Its methods end it when something is not as it
// should be.
type show struct {
	style
	t        testing.TB
	binary   string // on the machine outside
	machines []*netlab.Host
}

// style decorates text where a person looks at it.
type style struct{ terminal bool }

func styleOf(f *os.File) style {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return style{terminal: err == nil}
}

func (s style) bold(text string) string {
	if !s.terminal {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}

func (s *show) title(text string) { fmt.Printf("\n%s\n\n", s.bold("== "+text)) }

func (s *show) prompt(h *netlab.Host, line string) {
	fmt.Println(s.bold("root@"+h.Name()+"#") + " " + line)
}

// machine makes a host and starts its daemon.
func (s *show) machine(w *netlab.World, name string, at *netlab.Switch) *netlab.Host {
	h := w.Host(name, at)
	s.machines = append(s.machines, h)
	h.Start(h.Install("ginnel", s.binary), "daemon")
	s.must(h.Do(func() error { return os.Mkdir(desk, 0o700) }))
	netlab.Eventually(s.t, patience, name+"'s daemon answers", func() error {
		_, err := s.run(h, "status")
		return err
	})
	return h
}

// run runs a command on h and returns all that it printed.
func (s *show) run(h *netlab.Host, args ...string) (string, error) {
	var out strings.Builder
	cmd := exec.Command(netlab.Programs+"/ginnel", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = desk, &out, &out
	if err := h.StartCmd(cmd); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", h.Name(), err, out.String())
	}
	return out.String(), nil
}

// ginnel shows a command, runs it and shows what it prints.
func (s *show) ginnel(h *netlab.Host, args ...string) {
	s.t.Helper()
	s.prompt(h, "ginnel "+strings.Join(args, " "))
	out, err := s.run(h, args...)
	s.must(err)
	fmt.Print(out)
}

// handOver copies a file from one machine's desk to another's.
func (s *show) handOver(from, to *netlab.Host, file string) {
	s.t.Helper()
	content, err := from.ReadFile(filepath.Join(desk, file))
	s.must(err)
	s.must(to.WriteFile(filepath.Join(desk, file), content, 0o600))
}

// join lets h join unseen.
func (s *show) join(admin, h *netlab.Host, cidr string) {
	s.t.Helper()
	file := h.Name() + ".invitation"
	_, err := s.run(admin, "peer", "invite", h.Name(), "--cidr", cidr, "--output", file)
	s.must(err)
	s.handOver(admin, h, file)
	_, err = s.run(h, "join", "--delete", file)
	s.must(err)
}

// ping shows that h reaches a peer by its name.
func (s *show) ping(h *netlab.Host, peer string) {
	s.t.Helper()
	name := peer + ".home.wg"
	s.prompt(h, "ping "+name)
	address := s.lookUp(h, name)
	s.must(h.Ping(address.String(), patience))
	began := time.Now()
	s.must(h.Ping(address.String(), patience))
	fmt.Printf("%s answers in %.1f ms\n", address, float64(time.Since(began).Microseconds())/1000)
}

// lookUp waits until h knows a name.
func (s *show) lookUp(h *netlab.Host, name string) (a netip.Addr) {
	s.t.Helper()
	netlab.Eventually(s.t, patience, h.Name()+" knows the name "+name, func() error {
		out, err := h.Try("getent", "hosts", name)
		if err != nil {
			return err
		}
		address, _, _ := strings.Cut(out, " ")
		a, err = netip.ParseAddr(address)
		return err
	})
	return a
}

// noPing shows that h neither knows nor reaches another machine.
func (s *show) noPing(h, other *netlab.Host) {
	s.t.Helper()
	s.prompt(h, "ping "+other.Name()+".home.wg")
	if out, err := h.Try("getent", "hosts", other.Name()+".home.wg"); err == nil {
		s.t.Fatalf("%s knows %s", h.Name(), out)
	}
	fmt.Println("unknown name")
	address := s.lookUp(other, other.Name()+".home.wg").String()
	s.prompt(h, "ping "+address)
	if h.Ping(address, time.Second) == nil {
		s.t.Fatalf("%s reaches %s", h.Name(), address)
	}
	fmt.Println("no answer")
}

// status shows h's status when it has so many peers and all are connected.
func (s *show) status(h *netlab.Host, peers int) {
	s.t.Helper()
	netlab.Eventually(s.t, patience, h.Name()+" is connected to everybody", func() error {
		out, err := s.run(h, "status", "home", "--json")
		if err != nil {
			return err
		}
		return connected([]byte(out), peers)
	})
	s.ginnel(h, "status")
}

// connected tells whether a status has so many peers, all connected.
func connected(text []byte, peers int) error {
	var status struct {
		Networks []struct {
			Peers []struct {
				Name      string
				Connected bool
			}
		}
	}
	if err := json.Unmarshal(text, &status); err != nil {
		return err
	}
	if len(status.Networks) != 1 || len(status.Networks[0].Peers) != peers {
		return fmt.Errorf("not 1 network with %d peers: %s", peers, text)
	}
	for _, p := range status.Networks[0].Peers {
		if !p.Connected {
			return fmt.Errorf("%s is not connected", p.Name)
		}
	}
	return nil
}

func (s *show) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("demo: %v", err)
	}
}

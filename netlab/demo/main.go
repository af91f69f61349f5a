// Command demo shows the main job in a small world of network namespaces: a
// coordinator on the internet, a server, and two homes behind NAT routers with
// two machines each. It prints each real command as it runs it. `make demo`
// starts it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ginnel/netlab"
)

const patience = 20 * time.Second

func main() {
	binary := flag.String("binary", "bin/ginnel", "the program to show")
	keep := flag.Bool("keep", os.Getenv("KEEP") == "1", "leave the world standing until interrupted")
	flag.Parse()
	path, err := filepath.Abs(*binary)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	netlab.Program("demo", func(t testing.TB) {
		s := &show{t: t, binary: path, began: time.Now()}
		s.run()
		if *keep && !t.Failed() {
			s.wait()
		}
	})
}

// show is one performance.
type show struct {
	t      testing.TB
	binary string
	began  time.Time
	hosts  []*netlab.Host
}

func (s *show) run() {
	w := netlab.New(s.t)
	inet := w.Internet()
	home1 := w.Router("router1", netlab.PortRestricted, inet, "192.168.1.0/24")
	home2 := w.Router("router2", netlab.PortRestricted, inet, "192.168.2.0/24")
	vps := s.host(w, "vps", inet)
	server := s.host(w, "server", inet)
	laptop := s.host(w, "laptop", home1.LAN)
	desktop := s.host(w, "desktop", home1.LAN)
	printer := s.host(w, "printer", home2.LAN)
	nas := s.host(w, "nas", home2.LAN)

	s.say("A world of %d machines: vps and server on the internet, laptop and desktop in one home, printer and nas in another.\n"+
		"Each runs `ginnel daemon`. Both homes are behind NAT routers that let nothing in.", len(s.hosts))

	s.say("The vps becomes the coordinator of a network, with two CIDRs in it.")
	s.ginnel(vps, "network", "create", "home", "10.42.0.0/16", "--endpoint", vps.Addr().String()+":51820")
	s.ginnel(vps, "cidr", "add", "family", "10.42.1.0/24")
	s.ginnel(vps, "cidr", "add", "devices", "10.42.2.0/24")

	s.say("Each machine is invited and joins with one line of text.")
	s.join(vps, server, "devices")
	s.join(vps, laptop, "family")
	s.join(vps, desktop, "family")
	s.join(vps, printer, "devices")
	s.join(vps, nas, "devices")
	s.ginnel(vps, "cidr", "list", "--tree")

	s.say("Machines of one CIDR see each other, through their NATs, directly.")
	s.ping(server, "nas.home.wg", "10.42.2.3")
	s.ping(laptop, "desktop.home.wg", "10.42.1.2")
	s.ginnel(nas, "status")

	s.say("The CIDRs are not associated: the laptop can neither reach nor name the nas.")
	s.noPing(laptop, "10.42.2.3")

	s.say("Now they are.")
	s.ginnel(vps, "association", "add", "family", "devices")
	s.ping(laptop, "nas.home.wg", "10.42.2.3")
	s.ginnel(laptop, "status")

	s.say("That is all. It took %.0f seconds.", time.Since(s.began).Seconds())
}

// host makes a machine and starts its daemon.
func (s *show) host(w *netlab.World, name string, at *netlab.Switch) *netlab.Host {
	h := w.Host(name, at)
	s.hosts = append(s.hosts, h)
	h.Start(s.binary, "daemon")
	netlab.Eventually(s.t, patience, name+"'s daemon answers", func() error {
		_, err := h.Try(s.binary, "status")
		return err
	})
	return h
}

func (s *show) say(format string, args ...any) {
	fmt.Printf("\n== "+format+"\n\n", args...)
}

// ginnel prints a command as a person would type it, runs it and prints what
// it answers.
func (s *show) ginnel(h *netlab.Host, args ...string) string {
	s.t.Helper()
	s.prompt(h, "ginnel "+strings.Join(args, " "))
	out, err := h.Try(s.binary, args...)
	fmt.Print(out)
	if err != nil {
		s.t.Fatalf("%s: %v", h.Name(), err)
	}
	return out
}

func (s *show) prompt(h *netlab.Host, line string) { fmt.Printf("root@%s# %s\n", h.Name(), line) }

// join invites h by admin and lets it join.
func (s *show) join(admin, h *netlab.Host, cidr string) {
	s.t.Helper()
	s.prompt(admin, "ginnel peer invite "+h.Name()+" --cidr "+cidr)
	token, err := admin.Try(s.binary, "peer", "invite", h.Name(), "--cidr", cidr)
	if err != nil {
		s.t.Fatalf("%s: %v", admin.Name(), err)
	}
	token = strings.TrimSpace(token)
	short := token[:16] + "..."
	fmt.Println(short)
	s.prompt(h, "ginnel join "+short)
	out, err := h.Try(s.binary, "join", token)
	fmt.Print(out)
	if err != nil {
		s.t.Fatalf("%s: %v", h.Name(), err)
	}
}

// ping shows that h reaches the peer called name, by its name.
func (s *show) ping(h *netlab.Host, name, address string) {
	s.t.Helper()
	s.prompt(h, "ping "+name)
	netlab.Eventually(s.t, patience, h.Name()+" knows the name "+name, func() error {
		out, err := h.Try("getent", "hosts", name)
		if err == nil && !strings.HasPrefix(out, address+" ") {
			err = fmt.Errorf("getent prints %q, want %s", out, address)
		}
		return err
	})
	began := time.Now()
	if err := h.Ping(address, patience); err != nil {
		s.t.Fatal(err)
	}
	fmt.Printf("%s (%s) answers after %d ms\n", name, address, time.Since(began).Milliseconds())
}

// noPing shows that an address cannot be reached.
func (s *show) noPing(h *netlab.Host, address string) {
	s.t.Helper()
	s.prompt(h, "ping "+address)
	if h.Ping(address, time.Second) == nil {
		s.t.Fatalf("%s reaches %s", h.Name(), address)
	}
	fmt.Println("no answer: it is not in the laptop's map, so WireGuard has no key for it")
}

// wait leaves the world standing.
func (s *show) wait() {
	s.say("The world stays until you press Ctrl-C. Enter its machines with:")
	for _, h := range s.hosts {
		fmt.Printf("  %-8s %s\n", h.Name(), h.Enter())
	}
	fmt.Printf("\nIn there `%s status` and all other commands work.\n", s.binary)
	<-s.t.Context().Done()
}

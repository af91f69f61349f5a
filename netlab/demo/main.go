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
	"testing"
	"time"

	"ginnel/netlab"
)

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
		s := &show{t: t, binary: path, style: styleOf(os.Stdout)}
		s.play()
		if *keep {
			s.wait()
		}
	})
}

const world = `  internet      vps   server
  home 1, NAT   laptop   desktop
  home 2, NAT   printer   nas`

// play is the performance. It ends at the first thing that is not as it should
// be.
func (s *show) play() {
	began := time.Now()
	w := netlab.New(s.t)
	inet := w.Internet()
	home1 := w.Router("router1", netlab.PortRestricted, inet, "192.168.1.0/24")
	home2 := w.Router("router2", netlab.PortRestricted, inet, "192.168.2.0/24")
	vps, server := s.machine(w, "vps", inet), s.machine(w, "server", inet)
	laptop, desktop := s.machine(w, "laptop", home1.LAN), s.machine(w, "desktop", home1.LAN)
	printer, nas := s.machine(w, "printer", home2.LAN), s.machine(w, "nas", home2.LAN)

	s.title("Six machines, each running `ginnel daemon`; the NATs let nothing in")
	fmt.Println(world)

	s.title("The vps becomes the coordinator of a network with two CIDRs")
	s.ginnel(vps, "network", "create", "home", "10.42.0.0/16", "--endpoint", vps.Addr().String()+":51820")
	s.ginnel(vps, "cidr", "add", "family", "10.42.1.0/24")
	s.ginnel(vps, "cidr", "add", "devices", "10.42.2.0/24")

	s.title("It invites the laptop, with a file of one line that is handed over")
	s.ginnel(vps, "peer", "invite", "laptop", "--cidr", "family", "--output", "laptop.invitation")
	s.handOver(vps, laptop, "laptop.invitation")
	s.ginnel(laptop, "join", "laptop.invitation")

	s.title("The others join in the same way, not shown here")
	s.join(vps, desktop, "family")
	for _, h := range []*netlab.Host{server, printer, nas} {
		s.join(vps, h, "devices")
	}
	s.ginnel(vps, "cidr", "list", "--tree")

	s.title("Machines of one CIDR see each other, directly, through the NATs")
	s.ping(laptop, "desktop")
	s.ping(server, "nas")
	s.status(nas, 3)

	s.title("The CIDRs are not associated: the laptop does not even know the nas")
	s.noPing(laptop, nas)

	s.title("Now they are")
	s.ginnel(vps, "association", "add", "family", "devices")
	s.ping(laptop, "nas")
	s.status(laptop, 5)

	s.title("The coordinator is unplugged, and nobody notices")
	vps.Link(0).Down()
	s.ping(laptop, "nas")
	s.ping(printer, "desktop")
	vps.Link(0).Up()

	s.title(fmt.Sprintf("That is all; it took %.0f seconds", time.Since(began).Seconds()))
}

// wait leaves the world standing.
func (s *show) wait() {
	fmt.Println("The world stays until you press Ctrl-C. From another terminal, as root, enter its machines with")
	for _, h := range s.machines {
		fmt.Printf("\n%s\n  %s\n", s.bold(h.Name()), h.Enter())
	}
	fmt.Println("\nIn there type `ginnel status`, or any other command; the vps has the coordinator's.")
	<-s.t.Context().Done()
}

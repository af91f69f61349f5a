package scenarios_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ginnel/netlab"
	"ginnel/wire"
)

// dialogue plays what is shown and typed on a terminal, in turns, and returns
// the exit status.
func (m *machine) dialogue(line string, turns ...string) int {
	m.lab.t.Helper()
	t, read := m.OnTerminal(120, 40, m.lab.binary, strings.Fields(line)...), 0
	for i, text := range turns {
		if i%2 == 0 {
			read = t.Shows(read, text, patience)
		} else {
			t.Type(text)
		}
	}
	err := t.Wait(patience)
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode()
	}
	if err != nil {
		m.lab.t.Fatalf("ginnel %s: %v", line, err)
	}
	return 0
}

// TestBehaviour02And48Terminal: whoever knows no option makes a network,
// invites and joins on a terminal.
func TestBehaviour02And48Terminal(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		internet := l.Internet()
		vps, anna := l.machine(l.Host("vps", internet)), l.machine(l.Host("anna", internet))
		if status := vps.dialogue("network create",
			"The network's name: ", "Home\n", "lower-case", "",
			"The network's name: ", "home\n",
			"The range of its addresses [10.42.0.0/16]: ", pick(l.family, "\n", l.home.root()+"\n"),
			"UDP port [51820]: ", "\n",
			"HOST:PORT ["+endpointAt(vps.Addr())+"]: ", "\n",
			"made network home",
		); status != 0 {
			t.Errorf("network create ends with %d", status)
		}
		if status := vps.dialogue("cidr add", "name: ", "machines\n", "Its range [", l.home.cidr(1)+"\n", "(y/n) [n]: ", "\n", "made CIDR machines"); status != 0 {
			t.Errorf("cidr add ends with %d", status)
		}
		const file = "/run/anna.invitation"
		if status := vps.dialogue("peer invite --output "+file,
			"name: ", "anna\n", "   2) machines  "+l.home.cidr(1), "", "Number or name: ", "2\n", "(y/n) [n]: ", "\n", "[14d]: ", "\n", "wrote the invitation",
		); status != 0 {
			t.Errorf("peer invite ends with %d", status)
		}
		token, err := vps.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := anna.WriteFile(file, token, 0o600); err != nil {
			t.Fatal(err)
		}
		if status := anna.dialogue("join", "The invitation: its file, or the token itself: ", file+"\n", "[y/N] ", "y\n", "joined home as anna"); status != 0 {
			t.Errorf("join ends with %d", status)
		}
		if _, err := anna.ReadFile(file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the invitation is still there: %v", err)
		}
		l.allReach(vps, anna)
	})
}

// TestBehaviour02Interrupted: Ctrl-C and Ctrl-D at any question, or right after an
// answer, change nothing; without a terminal it is said what is missing.
func TestBehaviour02Interrupted(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		vps := l.machine(l.Host("vps", l.Internet()))
		for _, key := range []string{"\x03", "\x04"} {
			for _, answers := range [][]string{{}, {"name: ", "home\n"}, {"name: ", "home\n", "addresses [", l.home.root() + "\n", "port [", "\n"}} {
				turns := append(slices.Clone(answers), ": ", key, "nothing was changed")
				if status := vps.dialogue("network create", turns...); status != 1 {
					t.Errorf("%q after %q: it ends with %d", key, answers, status)
				}
			}
		}
		vps.refused("network create: NAME, PREFIX and --endpoint HOST:PORT are missing", "network", "create")
		vps.refused("exit status 2", "network", "create", "home", l.home.root())
		vps.clean()
	})
}

// TestBehaviour01And06CreateWithOptions: one command says all that is particular
// of the network on this machine, and finds its own address.
func TestBehaviour01And06CreateWithOptions(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		internet := l.Internet()
		vps, anna := l.machine(l.Host("vps", internet)), l.machine(l.Host("anna", internet))
		vps.ginnel("network", "create", "home", l.home.root(), "--endpoint", "auto", "--listen-port", "4711", "--name", "hub",
			"--mtu", "1400", "--hosts", "none", "--no-routing", "--exclude", "all")
		inv, err := wire.ParseInvitation(vps.invite("anna", "home"))
		if want := netip.AddrPortFrom(vps.Addr(), 4711).String(); err != nil || !slices.Equal(inv.Coordinator.Endpoints, []string{want}) {
			t.Fatalf("the invitation says %v, %v, want %s", inv.Coordinator.Endpoints, err, want)
		}
		if link := vps.Run("ip", "link", "show", "home"); !strings.Contains(link, "mtu 1400") {
			t.Errorf("the interface is %s", link)
		}
		if hosts, err := vps.ReadFile("/etc/hosts"); err != nil || strings.Contains(string(hosts), "home.wg") {
			t.Errorf("names are in the hosts file, or %v", err)
		}
		if routes := vps.ip("route", "show", "dev", "home"); strings.Contains(routes, l.home.root()) {
			t.Errorf("routes are %s", routes)
		}
		vps.ip("route", "add", l.home.root(), "dev", "home") // who wants none from us has their own
		anna.ginnel("join", inv.Token(), "--mtu", "1300", "--listen-port", "4712")
		if n, err := anna.network(); err != nil || n.ListenPort != 4712 {
			t.Errorf("anna is %+v, %v", n, err)
		}
		if link := anna.Run("ip", "link", "show", "home"); !strings.Contains(link, "mtu 1300") {
			t.Errorf("the interface is %s", link)
		}
	})
}

// TestBehaviour06BehindARouter: a machine without a public address is told what
// to do, or asks the STUN server it is named.
func TestBehaviour06BehindARouter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	internet := l.Internet()
	router := l.router("router", netlab.PortRestricted, internet, 1)
	server := l.Host("stun", internet)
	hub := l.machine(l.Host("hub", router.LAN))
	create := []string{"network", "create", "home", l.home.root(), "--endpoint", "auto"}
	hub.refused("this machine has no public address itself", create...)
	hub.clean()
	serveSTUN(t, server)
	hub.ginnel(append(create, "--stun", netip.AddrPortFrom(server.Addr(), 3478).String())...)
	inv, err := wire.ParseInvitation(hub.invite("anna", "home"))
	if want := endpointAt(router.WAN.Addrs()[0].Addr()); err != nil || !slices.Equal(inv.Coordinator.Endpoints, []string{want}) {
		t.Errorf("the invitation says %v, %v, want %s", inv.Coordinator.Endpoints, err, want)
	}
}

// serveSTUN answers binding requests in IPv4 on port 3478.
func serveSTUN(t *testing.T, h *netlab.Host) {
	t.Helper()
	var conn net.PacketConn
	if err := h.Do(func() (err error) {
		conn, err = net.ListenPacket("udp4", ":3478")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, 100); ; {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			answer := append([]byte{1, 1, 0, 12}, b[4:n]...)
			answer = append(answer, 0, 0x20, 0, 8, 0, 1, 0, 0)
			seen := from.(*net.UDPAddr).IP.To4()
			answer = append(answer, seen[0]^0x21, seen[1]^0x12, seen[2]^0xa4, seen[3]^0x42)
			if _, err := conn.WriteTo(answer, from); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
}

// TestBehaviour12Uninstall: leave --all takes a machine out of every network,
// and make uninstall removes what make install put there.
func TestBehaviour12Uninstall(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna, bob := o.peers[0], o.peers[1]
		anna.ginnel("network", "create", "job", l.job.root(), "--endpoint", endpointAt(anna.Addr()), "--listen-port", "7")
		o.allReach(o.all()...)
		anna.names(bob)
		anna.refused("Remove home, job from this machine for good?", "leave", "--all")
		if status := anna.dialogue("leave --all", "home: this machine is in it as anna", "", "job: this machine is its coordinator", "", "[y/N] ", "y\n", "left network home", "", "removed network job"); status != 0 {
			t.Errorf("leave --all ends with %d", status)
		}
		anna.clean()
		bob.reaches(o.coordinator, patience)
	})
}

// TestBehaviour12MakeUninstall: what make install put there goes.
func TestBehaviour12MakeUninstall(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	h := l.Host("anna", l.Internet())
	dir := t.TempDir()
	makes := func(target string) {
		t.Helper()
		h.Run("make", "-s", "-C", repository(t), target, "DESTDIR="+dir, "BIN="+l.binary)
	}
	makes("install")
	if files := h.Run("find", dir, "-type", "f"); !strings.Contains(files, "bin/ginnel\n") || !strings.Contains(files, "ginnel.service\n") {
		t.Fatalf("installed are %s", files)
	}
	makes("uninstall")
	if files := h.Run("find", dir, "-type", "f"); files != "" {
		t.Errorf("left are %s", files)
	}
}

// repository is the directory of the Makefile.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestBehaviour44Reinvite: the old token is good for nothing, the new one joins
// at the same address.
func TestBehaviour44Reinvite(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("bob")
		old := o.coordinator.invite("anna", "machines")
		before, err := o.coordinator.book("anna")
		if err != nil {
			t.Fatal(err)
		}
		token := strings.TrimSpace(o.coordinator.ginnel("peer", "reinvite", "anna", "--expires", "1h"))
		anna := o.machine(o.Host("anna", o.internet))
		anna.refused("no answer from the coordinator", "join", old)
		anna.ginnel("join", token)
		o.allReach(o.coordinator, o.peers[0], anna)
		if p, err := o.coordinator.book("anna"); err != nil || p.Address != before.Address || p.State != wire.PeerActive {
			t.Errorf("anna is %+v, %v, was %+v", p, err, before)
		}
		o.coordinator.refused("anna has joined", "peer", "reinvite", "anna")
		if list := o.coordinator.ginnel("peer", "list", "--unseen-for", "1h"); strings.Contains(list, "anna") {
			t.Errorf("anna is not seen: %s", list)
		}
	})
}

// TestBehaviour121Export: another program reads the whole network from one
// document, on the coordinator as on an admin's machine; others see what they
// see.
func TestBehaviour121Export(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna, bob := o.peers[0], o.peers[1]
		o.coordinator.ginnel("peer", "grant-admin", "anna")
		o.allReach(o.all()...)
		type document struct {
			Version  int `json:"export_version"`
			Networks []struct {
				Name   string
				Status struct{ State string }
				Book   *struct {
					Network wire.NetworkInfo
					CIDRs   []wire.CIDR
					Peers   []wire.Peer
				}
				NoBook string `json:"no_book"`
			}
		}
		read := func(m *machine) document {
			t.Helper()
			var d document
			if err := json.Unmarshal([]byte(m.ginnel("export")), &d); err != nil || d.Version != 1 || len(d.Networks) != 1 {
				t.Fatalf("%s exports %+v, %v", m.Name(), d, err)
			}
			return d
		}
		for _, m := range []*machine{o.coordinator, anna} {
			b := read(m).Networks[0].Book
			if b == nil || len(b.Peers) != 3 || len(b.CIDRs) != 3 || b.Network.Root.String() != l.home.root() {
				t.Errorf("%s exports the book %+v", m.Name(), b)
			}
		}
		netlab.Eventually(t, patience, "bob is up", func() error {
			if n := read(bob).Networks[0]; n.Book != nil || !strings.Contains(n.NoBook, "only admins") || n.Status.State != "up" {
				return fmt.Errorf("bob exports %+v", n)
			}
			return nil
		})
	})
}

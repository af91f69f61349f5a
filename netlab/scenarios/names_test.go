package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"ginnel/netlab"
)

// etcHosts is m's hosts file.
func (m *machine) etcHosts() string {
	m.lab.t.Helper()
	text, err := m.ReadFile("/etc/hosts")
	if err != nil {
		m.lab.t.Fatal(err)
	}
	return string(text)
}

// has waits until a file of m's says all of that.
func (m *machine) has(path string, words ...string) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+"'s "+path+" has the names", func() error {
		text, err := m.ReadFile(path)
		for _, w := range words {
			if err == nil && !strings.Contains(string(text), w+"\n") {
				err = fmt.Errorf("%q is not in\n%s", w, text)
			}
		}
		return err
	})
}

// TestBehaviour113And115Names: every machine names the others as it was told
// to, in a block of its own among lines that stay as they are, follows renames,
// and takes the names away with the network.
func TestBehaviour113And115Names(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office()
		token := func(name string) string { return o.coordinator.invite(name, "machines") }
		anna, bob, carl := o.machine(o.Host("anna", o.internet)), o.machine(o.Host("bob", o.internet)), o.machine(o.Host("carl", o.internet))
		const theirs = "127.0.0.1 localhost\r\n\t# a comment\n10.0.0.9 nas nas.home.wg # no end"
		for _, m := range []*machine{anna, bob, carl} {
			if err := m.WriteFile("/etc/hosts", []byte(theirs), 0o640); err != nil {
				t.Fatal(err)
			}
		}
		anna.ginnel("join", token("anna"))
		bob.ginnel("join", token("bob"), "--suffix", "vpn.example.org", "--hosts", "/etc/peers")
		carl.refused("--suffix", "join", token("dan"), "--suffix", ".wg")
		carl.ginnel("join", token("carl"), "--suffix", "none", "--hosts", "none")
		o.allReach(o.coordinator, anna, bob, carl)

		names := func(end string) (lines []string) {
			for _, m := range []*machine{o.coordinator, anna, bob, carl} {
				lines = append(lines, m.overlay().String()+"\t"+m.Name()+end)
			}
			return lines
		}
		for _, m := range []*machine{o.coordinator, anna} {
			m.has("/etc/hosts", names(".home.wg")...)
		}
		bob.has("/etc/peers", names(".home.vpn.example.org")...)
		for _, m := range []*machine{bob, carl} {
			if got := m.etcHosts(); got != theirs {
				t.Errorf("%s's hosts file is\n%q", m.Name(), got)
			}
		}
		if got := anna.etcHosts(); !strings.HasPrefix(got, theirs+"\n") {
			t.Errorf("anna's hosts file is\n%q", got)
		}

		o.coordinator.ginnel("peer", "rename", "carl", "charles")
		anna.has("/etc/hosts", carl.overlay().String()+"\tcharles.home.wg")
		bob.has("/etc/peers", carl.overlay().String()+"\tcharles.home.vpn.example.org")

		bob.edit("option suffix 'vpn.example.org'", "option suffix 'none'")
		bob.has("/etc/peers", carl.overlay().String()+"\tcharles.home")
		anna.ginnel("down")
		bob.ginnel("leave", "--yes")
		if got := anna.etcHosts(); got != theirs {
			t.Errorf("after down anna's hosts file is\n%q", got)
		}
		if got, err := bob.ReadFile("/etc/peers"); err != nil || len(got) > 0 {
			t.Errorf("after leave bob's file is %q, %v", got, err)
		}
	})
}

// edit replaces a part of m's configuration and has it read.
func (m *machine) edit(was, becomes string) {
	m.lab.t.Helper()
	const conf = "/etc/ginnel/ginnel.conf"
	text, err := m.ReadFile(conf)
	if err != nil || !strings.Contains(string(text), was) {
		m.lab.t.Fatalf("%s's configuration has no %s (%v):\n%s", m.Name(), was, err, text)
	}
	if err := m.WriteFile(conf, []byte(strings.Replace(string(text), was, becomes, 1)), 0o600); err != nil {
		m.lab.t.Fatal(err)
	}
	m.signal(1) // SIGHUP
}

// TestBehaviour114Container: a hosts file that is mounted, as containers have
// it, is written all the same, and not touched by news that change no name.
func TestBehaviour114Container(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office()
		m := o.machine(o.Host("anna", o.internet))
		before := m.etcHosts()
		m.Run("cp", "-p", "/etc/hosts", "/run/hosts")
		m.Run("mount", "--bind", "/run/hosts", "/etc/hosts")
		inode := func() string { return m.Run("stat", "-c", "%i %a %U", "/etc/hosts") }
		was := inode()
		m.ginnel("join", o.coordinator.invite("anna", "machines"))
		m.names(o.coordinator)
		m.names(m)

		m.Run("touch", "-d", "2001-01-01", "/etc/hosts")
		o.coordinator.ginnel("cidr", "add", "lab", l.home.cidr(9))
		o.coordinator.ginnel("peer", "rename", "anna", "annie")
		m.has("/etc/hosts", m.overlay().String()+"\tannie.home.wg")
		m.Run("touch", "-d", "2001-01-01", "/etc/hosts")
		m.daemon.Kill()
		m.start()
		m.reaches(o.coordinator, patience)
		if year := m.Run("date", "-r", "/etc/hosts", "+%Y"); year != "2001\n" {
			t.Errorf("a file that says the same was written")
		}
		if now := inode(); now != was {
			t.Errorf("the file is now %s, and was %s", now, was)
		}
		m.ginnel("leave", "--yes")
		if got := m.etcHosts(); got != before {
			t.Errorf("after leave the file is\n%q\nand was\n%q", got, before)
		}
	})
}

// TestBehaviour116Dnsmasq: a dnsmasq that runs as on OpenWrt answers for the
// names, and for new ones.
func TestBehaviour116Dnsmasq(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("bob")
		m, bob := o.machine(o.Host("anna", o.internet)), o.peers[0]
		m.Run("mount", "-t", "tmpfs", "tmpfs", "/tmp") // hosts share it otherwise
		m.Run("mkdir", "/tmp/hosts")
		if err := m.WriteFile("/etc/resolv.conf", []byte("nameserver 127.0.0.1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		m.Start("dnsmasq", "--keep-in-foreground", "--user=root", "--pid-file", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--addn-hosts=/tmp/hosts")
		m.ginnel("join", o.coordinator.invite("anna", "machines"), "--hosts", "dnsmasq")
		answers := func(name string, peer *machine) {
			t.Helper()
			netlab.Eventually(t, patience, "dnsmasq knows "+name, func() error {
				out, err := m.Try("getent", "hosts", name)
				if want := peer.overlay().String(); err == nil && !strings.HasPrefix(out, want+" ") {
					err = fmt.Errorf("it is %q, want %s", out, want)
				}
				return err
			})
		}
		answers("bob.home.wg", bob)
		answers("vps.home.wg", o.coordinator)
		o.coordinator.ginnel("peer", "rename", "bob", "robert")
		answers("robert.home.wg", bob)
		if strings.Contains(m.etcHosts(), "home.wg") {
			t.Errorf("the names are in the hosts file too:\n%s", m.etcHosts())
		}
		m.ginnel("down")
		netlab.Eventually(t, patience, "the names are gone", func() error {
			if out, err := m.Try("getent", "hosts", "robert.home.wg"); err == nil {
				return fmt.Errorf("there is %s", out)
			}
			return nil
		})
	})
}

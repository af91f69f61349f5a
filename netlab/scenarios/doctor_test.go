package scenarios_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ginnel/daemon/doctor"
	"ginnel/netlab"
)

const configuration = "/etc/ginnel/ginnel.conf"

// examined returns what m's doctor says, and whether the command succeeded.
func (m *machine) examined() (*doctor.Report, bool) {
	m.lab.t.Helper()
	out, failure := m.Try(m.lab.binary, "doctor", "--json")
	var r doctor.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		m.lab.t.Fatalf("%s: doctor prints %q: %v, %v", m.Name(), out, err, failure)
	}
	return &r, failure == nil
}

// well waits until m's doctor finds every check in order.
func (m *machine) well() {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+" is well", func() error {
		r, succeeded := m.examined()
		for _, f := range r.Findings {
			if f.Verdict != doctor.OK {
				return fmt.Errorf("%s %s: %s: %q", f.Network, f.Check, f.Verdict, f.Seen)
			}
		}
		if !succeeded || r.Verdict != doctor.OK || len(r.Findings) == 0 {
			return fmt.Errorf("success %t: %+v", succeeded, r)
		}
		return nil
	})
}

// ails waits until the first of m's checks with a verdict is the one named, and
// says all this, with what it advises; where it failed the command has too.
func (m *machine) ails(verdict doctor.Verdict, check string, says ...string) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, fmt.Sprintf("%s: %s of %s", m.Name(), verdict, check), func() error {
		r, succeeded := m.examined()
		if r.Verdict != verdict || succeeded == (verdict == doctor.Failed) {
			return fmt.Errorf("the verdict is %s, success %t: %+v", r.Verdict, succeeded, r.Findings)
		}
		for _, f := range r.Findings {
			if f.Verdict != verdict {
				continue
			}
			text := f.Seen + " " + strings.Join(f.Advice, " ")
			for _, s := range says {
				if !strings.Contains(text, s) {
					return fmt.Errorf("%s says %q, without %q", f.Check, text, s)
				}
			}
			if f.Check != check {
				return fmt.Errorf("the first is %s: %q; the whole is %+v", f.Check, f.Seen, r.Findings)
			}
			return nil
		}
		return fmt.Errorf("none: %+v", r.Findings)
	})
}

// configure replaces something in m's configuration and starts its daemon
// again.
func (m *machine) configure(old, new string) {
	m.lab.t.Helper()
	m.daemon.Kill()
	text, err := m.ReadFile(configuration)
	if err != nil || !strings.Contains(string(text), old) {
		m.lab.t.Fatalf("%s has no %q in its configuration (%v):\n%s", m.Name(), old, err, text)
	}
	if err := m.WriteFile(configuration, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		m.lab.t.Fatal(err)
	}
	m.start()
}

// TestBehaviour130Well: where nothing is wrong the doctor finds nothing, on a
// peer, at home behind a router, and on the coordinator.
func TestBehaviour130Well(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		home := l.router("router", netlab.PortRestricted, o.internet, 1)
		laptop := l.join(o.coordinator, l.Host("laptop", home.LAN), "machines")
		o.allReach(o.peers[0], laptop, o.coordinator)
		for _, m := range []*machine{laptop, o.peers[0], o.coordinator} {
			m.well()
		}
		for _, line := range strings.Split(laptop.ginnel("doctor"), "\n") {
			if len(line) > 80 {
				t.Errorf("this line has %d characters: %s", len(line), line)
			}
		}
		o.coordinator.Firewall()
		o.coordinator.ails(doctor.Failed, "firewall", "chain input, drops UDP to port 51820", "nft insert rule inet host input udp dport 51820 accept")
		o.coordinator.Firewall(51820)
		o.coordinator.ails(doctor.Failed, "firewall", "TCP to port 51820 that comes by home", `nft insert rule inet host input iifname "home" accept`)
	})
}

// TestBehaviour130Files: a daemon that does not run, and a configuration that
// is wrong, are named.
func TestBehaviour130Files(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		o.coordinator.well()
		anna.daemon.Kill()
		anna.ails(doctor.Failed, "daemon", "not running", "systemctl start ginnel")
		text, err := anna.ReadFile(configuration)
		if err != nil {
			t.Fatal(err)
		}
		if err := anna.WriteFile(configuration, append(text, "\toption colour 'red'\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		anna.ails(doctor.Failed, "configuration", "ginnel.conf:", "colour")
	})
}

// TestBehaviour130Member: a member of the group ginnel sees less than root, and
// nothing is wrong for that.
func TestBehaviour130Member(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		anna.well()
		anna.Run("chgrp", strconv.Itoa(ordinary), "/run/ginnel/ginnel.sock")
		command := exec.Command(l.binary, "doctor", "--json")
		var out bytes.Buffer
		command.Stdout = &out
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
		if err := anna.StartCmd(command); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("%v: %s", err, out.Bytes())
		}
		var r doctor.Report
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		hidden := []string{"configuration", "firewall", "names", "ports"}
		for _, f := range r.Findings {
			if want := slices.Contains(hidden, f.Check); want != (f.Verdict == doctor.NotChecked) || !want && f.Verdict != doctor.OK {
				t.Errorf("%s is %s: %s", f.Check, f.Verdict, f.Seen)
			}
		}
	})
}

// TestBehaviour130Name: a coordinator's name without an address.
func TestBehaviour130Name(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		o.peers[0].configure(endpointAt(o.coordinator.Addr()), "vpn.invalid:51820")
		o.peers[0].ails(doctor.Failed, "names", "vpn.invalid has no address", "/etc/resolv.conf")
	})
}

// TestBehaviour130Firewall: the coordinator's firewall, seen from a peer and
// from itself, and the peer's own.
func TestBehaviour130Firewall(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna, bob := o.peers[0], o.peers[1]
		bob.DropUDP(51820)
		bob.ails(doctor.Failed, "firewall", "chain output, drops UDP that leaves for "+endpointAt(o.coordinator.Addr()), "udp dport 51820 accept")
		o.coordinator.DropUDP(51820)
		o.coordinator.ails(doctor.Failed, "firewall", "chain input, drops UDP to port 51820", "udp dport 51820 accept")
		anna.ails(doctor.Failed, "handshake", "nothing answers", "firewall", "UDP port 51820")
	})
}

// TestBehaviour130Stopped: a coordinator whose daemon is stopped, and one that
// listens on another port now.
func TestBehaviour130Stopped(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		o.coordinator.daemon.Kill()
		anna.ails(doctor.Failed, "udp", "nothing listens on UDP port 51820 of "+o.coordinator.Addr().String(), "Does the daemon run", "Is the port right")
	})
}

// TestBehaviour130Port: a configuration with a port where nothing listens. The
// peer may know the coordinator's address from before: that is not for long.
func TestBehaviour130Port(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		anna.configure(endpointAt(o.coordinator.Addr()), net.JoinHostPort(o.coordinator.Addr().String(), "4444"))
		netlab.Eventually(t, patience, "the port is named", func() error {
			r, _ := anna.examined()
			for _, f := range r.Findings {
				switch {
				case f.Verdict != doctor.Failed && f.Verdict != doctor.Warning:
				case f.Check == "udp" && strings.Contains(f.Seen, "nothing listens on UDP port 4444"):
					return nil
				default:
					return fmt.Errorf("%s: %s", f.Check, f.Seen)
				}
			}
			return errors.New("all is well")
		})
	})
}

// TestBehaviour130Key: a coordinator that was set up anew, under another key.
func TestBehaviour130Key(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		o.coordinator.ginnel("network", "remove", "home", "--yes")
		o.coordinator.ginnel("network", "create", "home", l.home.root(), "--endpoint", endpointAt(o.coordinator.Addr()))
		o.peers[0].ails(doctor.Failed, "handshake", "nothing answers", "has another key", "join with a new invitation")
	})
}

// TestBehaviour130Disabled: a peer that an admin has disabled.
func TestBehaviour130Disabled(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		o.coordinator.ginnel("peer", "disable", "anna")
		o.peers[0].ails(doctor.Failed, "handshake", "nothing answers", "disabled or removed")
	})
}

// TestBehaviour130MTU: packets that are too large for the way: where nobody
// says so they are lost, and where it is known they are cut in pieces.
func TestBehaviour130MTU(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		home := l.router("router", netlab.PortRestricted, o.internet, 1)
		laptop := l.machine(l.Host("laptop", home.LAN))
		laptop.ginnel("join", o.coordinator.invite("laptop", "machines"), "--mtu", "1420")
		laptop.well()
		home.DropTooBig()
		home.Run("ip", "link", "set", "dev", home.WAN.Name(), "mtu", "1280")
		laptop.ails(doctor.Failed, "mtu", "small packets get through and those of full size, 1420 bytes, do not", "option mtu '1280'")

		anna := o.peers[0]
		anna.Run("ip", "link", "set", "dev", "eth0", "mtu", "1300")
		anna.ails(doctor.Warning, "mtu", fmt.Sprintf("only %d fit through eth0", pick(l.family, 1240, 1220)))
	})
}

// TestBehaviour130Range: a LAN that has the network's own addresses.
func TestBehaviour130Range(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		o.peers[0].Connect(l.Switch("lan", l.home.cidr(9)))
		o.peers[0].ails(doctor.Failed, "addresses", l.home.root(), l.home.cidr(9)+" of eth1")
	})
}

// TestBehaviour130ReversePath: the kernel's strict check of where packets come
// from, with routes that do not agree with it.
func TestBehaviour130ReversePath(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bob := o.machine(o.Host("bob", o.internet))
	bob.ginnel("join", o.coordinator.invite("bob", "machines"), "--no-routing")
	bob.well()
	bob.Sysctl("net.ipv4.conf.all.rp_filter", "1")
	bob.ails(doctor.Failed, "rp_filter", "rp_filter is 1 on home", "routed by eth0", "option routes '1'")
}

// TestBehaviour130Damaged: a coordinator whose book or state is damaged: the file
// is named, and not what the daemon could not come to; the way back that is
// advised leads there.
func TestBehaviour130Damaged(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		c := l.office("anna").coordinator
		c.ginnel("backup", "/run/home.backup")
		for check, path := range map[string]string{"book": "/var/lib/ginnel/home.book", "state": "/var/lib/ginnel/home.state"} {
			c.daemon.Kill()
			if err := c.WriteFile(path, bytes.Repeat([]byte("garbage "), 4096), 0o600); err != nil {
				t.Fatal(err)
			}
			c.start()
			c.ails(doctor.Failed, check, path, "unusable file", "ginnel network remove home; ginnel restore FILE")
			c.daemon.Kill()
			c.ails(doctor.Failed, "daemon", "not running")
			c.start()
			c.ginnel("network", "remove", "home", "--yes")
			c.ginnel("restore", "/run/home.backup", "--yes") // it waits until the network is up
		}
	})
}

// TestBehaviour130Carrier: a kernel without WireGuard where that is what is
// missing, and not where somebody else's link has the network's name.
func TestBehaviour130Carrier(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		anna := l.office("anna").peers[0]
		if !anna.hasWireGuard() {
			anna.option("backend", "kernel")
			anna.ails(doctor.Failed, "wireguard", "the kernel has no WireGuard", "modprobe wireguard")
			anna.option("backend", "auto")
		}
		anna.daemon.Kill()
		anna.ginnel("clear")
		anna.Run("ip", "link", "add", "home", "type", "veth", "peer", "name", "other")
		anna.start()
		anna.ails(doctor.Failed, "network", "a link of that name exists already")
	})
}

// TestBehaviour130Forwarding: where the LAN is to reach peers the kernel has to
// forward.
func TestBehaviour130Forwarding(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		anna := l.office("anna").peers[0]
		setting := pick(l.family, "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")
		anna.Sysctl(setting, "0")
		anna.well()
		anna.option("allow_lan", "1")
		anna.ails(doctor.Warning, "forwarding", setting+" is 0", "sysctl -w "+setting+"=1")
		anna.Sysctl(setting, "1")
		anna.well()
	})
}

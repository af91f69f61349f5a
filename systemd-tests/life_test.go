package systemdtests

import (
	"strconv"
	"strings"
	"testing"
)

// TestBehaviour67Service is the life of a coordinator's machine with the package, from its
// installation until it is purged. Each part goes on where the one before ended.
func TestBehaviour67Service(t *testing.T) {
	m := boot(t)
	for _, part := range []struct {
		name string
		do   func(*machine)
	}{
		{"install", (*machine).installed}, {"create", (*machine).creates}, {"users", (*machine).users},
		{"reload", (*machine).reloads}, {"restart", (*machine).restarts}, {"hosts", (*machine).hosts}, {"kill", (*machine).killed},
		{"watchdog", (*machine).hangs}, {"upgrade", (*machine).upgraded}, {"disabled", (*machine).disabled}, {"boot", (*machine).reboots},
		{"remove", (*machine).removed}, {"purge", (*machine).purged}, {"policy", (*machine).forbidden},
		{"by hand", (*machine).byHand},
	} {
		ok := t.Run(part.name, func(t *testing.T) {
			m.t = t
			part.do(m)
			if t.Failed() {
				log, _ := m.try("journalctl", "--no-pager", "--unit=ginnel", "--lines=40")
				t.Log(log)
			}
		})
		if m.t = t; !ok {
			return
		}
	}
}

// installed: the service runs, and its sandbox is as tight as it was thought out.
func (m *machine) installed() {
	m.run("dpkg", "-i", "/mnt/old.deb")
	m.is("active", "enabled")
	m.shows("Type", "notify")
	m.shows("User", "ginnel")
	m.run("systemd-analyze", "security", "--no-pager", "--threshold=24", "ginnel.service") // tenths
	if out := m.run("systemd-analyze", "verify", "--man=no", "ginnel.service"); strings.Contains(out, "ginnel") {
		m.t.Errorf("of the unit systemd says: %s", out)
	}
	if user := m.run("getent", "passwd", "ginnel"); !strings.Contains(user, ":/var/lib/ginnel:/usr/sbin/nologin") {
		m.t.Errorf("the user is %s", user)
	}
}

// creates: what root's command makes is the daemon's to use.
func (m *machine) creates() {
	m.run("ginnel", "network", "create", "home", "10.42.0.0/16", "--endpoint", "192.0.2.1:51820", "--name", "hub")
	m.eventually("the names are there", m.named)
	m.up()
	m.owned()
}

// users: members of the group may use the socket, others may not.
func (m *machine) users() {
	m.run("useradd", "--groups", "ginnel", "anna")
	m.run("useradd", "bob")
	if out := m.run("runuser", "-u", "anna", "--", "ginnel", "status"); !strings.Contains(out, "home") {
		m.t.Errorf("a member sees %s", out)
	}
	m.refused("be root or a member of the group ginnel", "runuser", "-u", "bob", "--", "ginnel", "status")
	m.refused("Permission denied", "runuser", "-u", "anna", "--", "ls", "/var/lib/ginnel")
}

// reloads: the process and its interface stay.
func (m *machine) reloads() {
	pid, index := m.pid(), m.index()
	m.run("systemctl", "reload", "ginnel")
	m.eventually("the service has reloaded", func() bool {
		return strings.Contains(m.run("journalctl", "--no-pager", "--unit=ginnel"), "Reloaded ginnel.service") && m.property("ActiveState") == "active"
	})
	if m.pid() != pid || m.index() != index {
		m.t.Errorf("the process was %s and is %s, the interface %s and is %s", pid, m.pid(), index, m.index())
	}
	m.up()
}

// restarts: when systemd says that the service has started its interface is
// there.
func (m *machine) restarts() {
	pid := m.pid()
	m.run("systemctl", "restart", "ginnel")
	m.up()
	if m.pid() == pid {
		m.t.Error("it is the same process")
	}
}

// hosts: where another program replaces the file of names while the service
// runs, status says what to do, and that helps.
func (m *machine) hosts() {
	m.run("sed", "-i", "$a 192.0.2.7 printer", "/etc/hosts")
	m.run("sh", "-c", "echo \"	option suffix 'internal'\" >>/etc/ginnel/ginnel.conf")
	m.run("systemctl", "reload", "ginnel")
	m.eventually("status tells", func() bool { return strings.Contains(m.run("ginnel", "status"), "`systemctl restart ginnel`") })
	m.run("systemctl", "restart", "ginnel")
	m.eventually("the names are others", func() bool {
		text := m.run("cat", "/etc/hosts")
		return strings.Contains(text, "hub.home.internal") && strings.Contains(text, "printer")
	})
}

// killed: it comes back.
func (m *machine) killed() {
	m.replaced(func() { m.run("kill", "-KILL", m.pid()) })
}

// hangs: a daemon that does not answer is replaced.
func (m *machine) hangs() {
	m.run("mkdir", "-p", "/run/systemd/system/ginnel.service.d")
	m.run("sh", "-c", "printf '[Service]\\nWatchdogSec=2\\nTimeoutAbortSec=2\\n' >/run/systemd/system/ginnel.service.d/quick.conf")
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "restart", "ginnel")
	m.replaced(func() { m.run("kill", "-STOP", m.pid()) })
	if log := m.run("journalctl", "--no-pager", "--unit=ginnel"); !strings.Contains(log, "Watchdog timeout") {
		m.t.Errorf("it was not the watchdog: %s", log)
	}
	m.run("rm", "-r", "/run/systemd/system/ginnel.service.d")
	m.run("systemctl", "daemon-reload")
}

// upgraded: another process runs the new version.
func (m *machine) upgraded() {
	pid := m.pid()
	m.run("dpkg", "-i", "/mnt/new.deb")
	m.is("active", "enabled")
	m.up()
	if m.pid() == pid {
		m.t.Error("it is the same process")
	}
}

// disabled: an upgrade leaves a service alone that its owner does not want.
func (m *machine) disabled() {
	m.run("systemctl", "disable", "--now", "ginnel")
	m.run("dpkg", "-i", "/mnt/new.deb")
	m.is("inactive", "disabled")
	m.run("systemctl", "enable", "ginnel")
	m.run("chown", "-R", "root:", "/etc/ginnel", "/var/lib/ginnel") // as where root ran the daemon before
}

// reboots: at boot the interfaces are there before whatever wants the network.
func (m *machine) reboots() {
	leader := m.leader
	m.run("systemctl", "reboot")
	m.booted(leader)
	m.is("active", "enabled")
	m.up()
	ready, network := m.since("ginnel.service"), m.since("network.target")
	if ready == 0 || network < ready {
		m.t.Errorf("the service was ready at %d µs, and the network at %d", ready, network)
	}
	m.owned()
}

// removed: what the program made in the system goes with it, and comes back.
func (m *machine) removed() {
	m.run("dpkg", "-r", "ginnel")
	m.gone()
	m.run("test", "-e", "/var/lib/ginnel/home.state")
	m.run("test", "-e", "/etc/ginnel/ginnel.conf")
	m.run("dpkg", "-i", "/mnt/new.deb")
	m.is("active", "enabled")
	m.up()
	m.eventually("the names are there", m.named)
}

// purged: nothing stays but the user.
func (m *machine) purged() {
	m.run("dpkg", "-P", "ginnel")
	m.gone()
	left := m.run("find", "/etc", "/var/lib", "/usr", "/run", "-path", "/run/systemd/propagate", "-prune", "-o", "-iname", "*ginnel*", "-print")
	if left != "" {
		m.t.Errorf("left are\n%s", left)
	}
}

// forbidden: where the administrator wants no service started none is.
func (m *machine) forbidden() {
	m.run("sh", "-c", "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d")
	m.run("dpkg", "-i", "/mnt/new.deb")
	m.is("inactive", "enabled")
}

// byHand: what make install puts there runs as the package does.
func (m *machine) byHand() {
	m.run("dpkg", "-P", "ginnel")
	m.run("userdel", "ginnel")
	m.run("sh", "-c", "cd /mnt/tree && find . -type f -exec cp --parents -t / {} +")
	m.run("systemd-sysusers", "ginnel.conf")
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "enable", "--now", "ginnel")
	m.is("active", "enabled")
	m.shows("User", "ginnel")
	if program := m.run("readlink", "/proc/"+m.pid()+"/exe"); program != "/usr/local/bin/ginnel\n" {
		m.t.Errorf("what runs is %s", program)
	}
	m.run("ginnel", "network", "create", "home", "10.42.0.0/16", "--endpoint", "192.0.2.1:51820", "--name", "hub")
	m.eventually("the names are there", m.named)
	m.up()
}

// replaced waits until the service runs again, as another process, after a deed.
func (m *machine) replaced(deed func()) {
	m.t.Helper()
	before := m.process()
	deed()
	m.eventually("there is another process", func() bool {
		now := m.process()
		return now != before && strings.Contains(now, "ActiveState=active\n") && !strings.Contains(now, "MainPID=0\n")
	})
	m.up()
}

// up checks that the network's interface has its address.
func (m *machine) up() {
	m.t.Helper()
	if out := m.run("ip", "-o", "address", "show", "dev", "home"); !strings.Contains(out, " 10.42.0.1/32 ") {
		m.t.Errorf("the interface has %s", out)
	}
}

// owned checks that what root's commands made is the daemon's to read.
func (m *machine) owned() {
	m.t.Helper()
	for _, path := range []string{"/etc/ginnel", "/etc/ginnel/ginnel.conf", "/var/lib/ginnel", "/var/lib/ginnel/home.state", "/var/lib/ginnel/home.book"} {
		if owner := m.run("stat", "-c", "%U:%G", path); owner != "ginnel:ginnel\n" {
			m.t.Errorf("%s belongs to %s", path, owner)
		}
	}
}

// gone checks that there is neither interface nor name.
func (m *machine) gone() {
	m.t.Helper()
	m.refused("does not exist", "ip", "link", "show", "dev", "home")
	if text := m.run("cat", "/etc/hosts"); strings.Contains(text, "ginnel") || strings.Contains(text, "hub.home") {
		m.t.Errorf("the names are %s", text)
	}
}

func (m *machine) named() bool { return strings.Contains(m.run("cat", "/etc/hosts"), "hub.home.") }

// is checks whether the service runs, and whether it will at boot.
func (m *machine) is(active, enabled string) {
	m.t.Helper()
	m.shows("ActiveState", active)
	m.shows("UnitFileState", enabled)
}

func (m *machine) shows(property, want string) {
	m.t.Helper()
	if got := m.property(property); got != want {
		m.t.Errorf("%s of the service is %q, want %q", property, got, want)
	}
}

func (m *machine) property(name string) string {
	m.t.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", "--value", "--property="+name, "ginnel.service"))
}

// process is the state of the service and its process, at one moment.
func (m *machine) process() string {
	m.t.Helper()
	return m.run("systemctl", "show", "--property=ActiveState,MainPID", "ginnel.service")
}

func (m *machine) pid() string { m.t.Helper(); return m.property("MainPID") }

// index is the number of the interface.
func (m *machine) index() string {
	m.t.Helper()
	number, _, _ := strings.Cut(m.run("ip", "-o", "link", "show", "dev", "home"), ":")
	return number
}

// since is when a unit became active, in µs of the machine's clock.
func (m *machine) since(unit string) int {
	m.t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(m.run("systemctl", "show", "--value", "--property=ActiveEnterTimestampMonotonic", unit)))
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

package scenarios_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"ginnel/daemon/local"
	"ginnel/netlab"
)

// TestRefusedSection: a daemon that starts with an option that it does not know
// runs the other networks, and touches nothing of the one in whose section it is.
func TestRefusedSection(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o, _ := l.officeWithJob()
		anna := o.peers[0]
		anna.resolvesTo("vps.job.wg", l.job.address(1, 1), patience)
		before := anna.namesIn("job")
		anna.spoil("\toption newer '1'\n") // the section of job
		anna.daemon.Kill()
		anna.start()
		o.allReach(o.coordinator, anna)
		anna.names(o.coordinator)
		anna.tells("section job, option newer: is not known", "network job: failed error: its section in the configuration is refused")
		if out, _ := anna.Try(l.binary, "doctor"); !strings.Contains(flowing(out), "section job, option newer:") {
			t.Errorf("doctor says\n%s", out)
		}
		anna.refused("option newer: is not known", "listen-port", "set", "4000", "--network", "home")
		anna.daemon.Kill()
		if out, err := anna.Try(l.binary, "clear"); err == nil || !strings.Contains(out, "cleared home") || strings.Contains(out, "cleared job") {
			t.Errorf("clear: %v\n%s", err, out)
		}
		if after := anna.namesIn("job"); after == "" || after != before {
			t.Errorf("the names in job are\n%s\nwere\n%s", after, before)
		}
	})
}

// TestRefusedConfiguration: a daemon that starts with a text that is not UCI runs
// no network, touches none, and takes the text once it is mended.
func TestRefusedConfiguration(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o, _ := l.officeWithJob()
		anna := o.peers[0]
		anna.resolvesTo("vps.job.wg", l.job.address(1, 1), patience)
		before := anna.namesIn("job")
		mend := anna.spoil("nonsense\n")
		anna.daemon.Kill()
		anna.daemon = anna.Start(l.binary, "daemon", "--verbose")
		anna.tells(`"nonsense" is none of package, config, option, list`)
		anna.refused("is none of", "down", "home")
		if after := anna.namesIn("job"); after == "" || after != before {
			t.Errorf("the names in job are\n%s\nwere\n%s", after, before)
		}
		mend()
		if err := anna.daemon.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		netlab.Eventually(t, patience, "both networks are up", func() error {
			var s local.Status
			err := anna.json(&s, "status", "--json")
			if err == nil && (len(s.Problems) > 0 || len(s.Networks) != 2 || s.Networks[0].LastContact.IsZero() || s.Networks[1].LastContact.IsZero()) {
				err = errors.New(anna.ginnel("status"))
			}
			return err
		})
		o.allReach(o.coordinator, anna)
	})
}

// spoil adds a text to the configuration; mend takes it away.
func (m *machine) spoil(text string) (mend func()) {
	m.lab.t.Helper()
	good, err := m.ReadFile(configuration)
	if err != nil {
		m.lab.t.Fatal(err)
	}
	write := func(text string) {
		if err := m.WriteFile(configuration, []byte(text), 0o600); err != nil {
			m.lab.t.Fatal(err)
		}
	}
	write(string(good) + text)
	return func() { write(string(good)) }
}

// tells waits until the status of m has some texts in it, however its lines are
// broken.
func (m *machine) tells(says ...string) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, patience, m.Name()+" tells what is wrong", func() error {
		out, err := m.Try(m.lab.binary, "status")
		for _, s := range says {
			if err == nil && !strings.Contains(flowing(out), s) {
				err = errors.New(out)
			}
		}
		return err
	})
}

// flowing is a text without its line ends.
func flowing(text string) string { return strings.Join(strings.Fields(text), " ") }

// namesIn returns the lines of the hosts file with names of a network.
func (m *machine) namesIn(network string) (list string) {
	m.lab.t.Helper()
	hosts, err := m.ReadFile("/etc/hosts")
	if err != nil {
		m.lab.t.Fatal(err)
	}
	for line := range strings.Lines(string(hosts)) {
		if strings.Contains(line, "."+network+".wg") {
			list += line
		}
	}
	return list
}

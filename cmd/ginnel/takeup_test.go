package main

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"ginnel/daemon/config"
)

// TestChangesAreNotLost: of many commands at once that change a section each
// finds what those before it wrote, whatever it waits for in between.
func TestChangesAreNotLost(t *testing.T) {
	m := newMachine(t)
	m.configure("home", config.Peer)
	const commands = 20
	together := make(chan struct{}) // closed when all have read the section
	var reading, done sync.WaitGroup
	reading.Add(commands)
	for i := range commands {
		done.Go(func() {
			first := true
			_, err := m.env.rewrite("home", func(n *config.Network) error {
				if first {
					first = false
					reading.Done()
					<-together
				}
				a := netip.AddrFrom4([4]byte{10, 42, 0, byte(10 + i)})
				n.Overrides = append(without(n.Overrides, a), config.Override{Address: a, Endpoint: fmt.Sprintf("192.0.2.1:%d", 1000+i)})
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	reading.Wait()
	close(together)
	if err := m.env.paths.switchNetwork("home", false); err != nil {
		t.Error(err)
	}
	done.Wait()
	if n := m.section(); len(n.Overrides) != commands || n.Enabled {
		t.Errorf("%d overrides of %d are there, enabled %v", len(n.Overrides), commands, n.Enabled)
	}
}

// TestSectionThatNeverRests: whoever is always overtaken says so in the end.
func TestSectionThatNeverRests(t *testing.T) {
	m := newMachine(t)
	m.configure("home", config.Peer)
	port := uint16(1000)
	_, err := m.env.rewrite("home", func(n *config.Network) error {
		port++
		n.MTU = 1300
		return m.env.paths.changeNetwork("home", func(now *config.Network) error { now.ListenPort = port; return nil })
	})
	if err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("error %v", err)
	}
	if n := m.section(); n.ListenPort != port || n.MTU == 1300 {
		t.Errorf("the section is %+v", n)
	}
}

// TestSectionIsGone: a network that was removed meanwhile does not come back.
func TestSectionIsGone(t *testing.T) {
	m := newMachine(t)
	m.configure("home", config.Peer)
	_, err := m.env.rewrite("home", func(n *config.Network) error {
		n.MTU = 1300
		return m.env.paths.removeNetwork("home")
	})
	if err == nil || !strings.Contains(err.Error(), "no network home") {
		t.Errorf("error %v", err)
	}
	if _, err := m.env.configured("home"); err == nil {
		t.Error("the section is back")
	}
}

package daemon_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/wire"
)

var errTwoLines = errors.New("f:3: section lab, option a: is not known\nf:9: section x: type x is not known")

// refuse makes what is read of the configuration what change makes of it, beside
// an error.
func (m *machine) refuse(change func(c *config.Config)) (mend func()) {
	before := m.cfg
	m.cfg = &config.Config{Networks: append([]config.Network(nil), before.Networks...)}
	change(m.cfg)
	m.err = errTwoLines
	return func() { m.cfg, m.err = before, nil }
}

func lineOf(text, word string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			return line
		}
	}
	return ""
}

// TestStartWithRefused: a daemon that starts runs the networks whose sections are
// right; what there is of the others stays as it is until they are mended, though
// they are switched off as far as they can be read.
func TestStartWithRefused(t *testing.T) {
	for name, spoil := range map[string]func(n *config.Network){
		"refused":         func(n *config.Network) { n.Refused = true },
		"refused and off": func(n *config.Network) { n.Refused, n.Enabled = true, false },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				_, ann := twoNetworks(r)
				ann.halt()
				names := lineOf(ann.String(), "names of lab")
				mend := ann.refuse(edit("lab", spoil))
				ann.start()
				r.within(5*time.Second, "the network that is right", ann.sees("hub"))
				r.pass(2 * time.Minute)
				if !ann.has("tunnel lab up") || names == "" || lineOf(ann.String(), "names of lab") != names {
					t.Errorf("what there was of the other is gone:\n%s", ann)
				}
				s, err := ann.daemon.Status(t.Context())
				r.ok(err)
				if p := s.Problems; len(p) != 2 || !strings.HasPrefix(p[0], "the daemon has started without ") || !strings.HasSuffix(p[0], "f:3: section lab, option a: is not known") || !strings.HasPrefix(p[1], "f:9: ") {
					t.Errorf("problems are %q", p)
				}
				if n := ann.status("lab"); n.State != local.Failed || !strings.Contains(n.Error, "refused") || n.Name != "lab" || n.Role != "peer" {
					t.Errorf("the refused network is %+v", n)
				}
				var p *wire.Problem
				if _, err := ann.daemon.Running("lab"); !errors.As(err, &p) || p.Status != wire.StatusUnavailable || !strings.Contains(p.Detail, "refused") {
					t.Errorf("asked for the refused network: %v", err)
				}
				if said := strings.Count(r.log.String(), "option a: is not known"); said != 1 {
					t.Errorf("the log tells it %d times", said)
				}

				before := r.starts("ann", "home")
				if err := ann.daemon.Reload(t.Context()); !errors.As(err, &p) || !strings.HasPrefix(p.Detail, "the configuration stays as it was: f:3") {
					t.Errorf("reload: %v", err)
				}
				mend()
				r.ok(ann.daemon.Reload(t.Context()))
				r.within(5*time.Second, "all is mended", func() bool { return inLab(ann) && ann.sees("hub")() })
				if n := r.starts("ann", "home"); n != before {
					t.Errorf("the network that was right was started %d times more", n-before)
				}
				if s, err := ann.daemon.Status(t.Context()); err != nil || len(s.Problems) > 0 {
					t.Errorf("status is %+v, %v", s, err)
				}
			})
		})
	}
}

// TestRefusedIsSwitchedOff: a section that is mended may say that its network is
// off, and then nothing stays.
func TestRefusedIsSwitchedOff(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		ann.halt()
		mend := ann.refuse(edit("lab", func(n *config.Network) { n.Refused = true }))
		ann.start()
		r.pass(time.Second)
		mend()
		ann.configure(edit("lab", func(n *config.Network) { n.Enabled = false }))
		if ann.has("tunnel lab") || ann.has("names of lab") || ann.status("lab").State != local.Down {
			t.Errorf("machine is\n%s", ann)
		}
	})
}

// TestStartWithNothing: of a text that is not UCI nothing is known. The daemon
// touches nothing, and waits; once it is UCI again, that is as a start.
func TestStartWithNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		_, ann := twoNetworks(r)
		ann.halt()
		before := lineOf(ann.String(), "tunnel lab") + lineOf(ann.String(), "names of lab")
		mend := ann.refuse(func(c *config.Config) { c.Networks = nil })
		ann.start()
		r.pass(2 * time.Minute)
		if after := lineOf(ann.String(), "tunnel lab") + lineOf(ann.String(), "names of lab"); after != before {
			t.Errorf("there was\n%sand is\n%s", before, after)
		}
		if s, err := ann.daemon.Status(t.Context()); err != nil || len(s.Problems) != 2 || len(s.Networks) != 0 {
			t.Errorf("status is %+v, %v", s, err)
		}
		mend()
		mend = ann.refuse(edit("lab", func(n *config.Network) { n.Refused = true }))
		if err := ann.daemon.Reload(t.Context()); err == nil {
			t.Error("nothing is said of a wrong section")
		}
		r.within(5*time.Second, "the network that is right", ann.sees("hub"))
		mend()
		r.ok(ann.daemon.Reload(t.Context()))
		r.within(5*time.Second, "all is mended", func() bool { return inLab(ann) && ann.sees("hub")() })
	})
}

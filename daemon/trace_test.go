package daemon_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ginnel/network"
	"ginnel/platform/fake"
)

// TestTrace checks that the debug log tells the story in words, without the
// keys that the tunnels were given, and without lines that say nothing. That no
// secret is in it is checked by every test that has a rig.
func TestTrace(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.peers(map[string]string{"ann": "servers", "carl": "phones"})
		hub, ann := r.find("hub"), r.find("ann")
		r.within(5*time.Second, "sessions", hub.sees("ann", "carl"))
		r.do("home", network.Associate{A: "servers", B: "phones"})
		r.within(2*time.Second, "a session", ann.sees("carl", "hub"))
		ann.Fail(fake.ApplyTunnel, 1, errors.New("broken"))
		r.do("home", network.SetDisabled{Name: "carl", Disabled: true})
		r.within(5*time.Second, "carl is gone", ann.sees("hub"))
		text := r.log.String()
		for _, want := range []string{
			`msg="started without a saved map" machine=ann network=home todo="look up hub.example"`,
			`link: up, addresses [10.42.1.1/32], routes [10.42.0.0/16]`,
			`tunnel: set the private key, listen on port 51820, add the coordinator keepalive 0 allowed [10.42.0.1/32]`,
			`msg="look up hub.example, at [192.0.2.1]: done"`,
			`came from 10.42.0.1`,
			`add carl endpoint 192.0.2.3:51820 keepalive 25 allowed [10.42.2.1/32]`,
			`msg="change the tunnel: failed: broken"`,
			`write 3 names`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the log lacks %q", want)
			}
		}
		if strings.Contains(text, "redacted") || strings.Contains(text, `todo=""`) {
			t.Error("the log has lines that say nothing")
		}
		r.pass(10 * time.Second)
		quiet := len(r.log.String())
		r.pass(time.Minute)
		if news := r.log.String()[quiet:]; strings.Count(news, "\n") > 40 {
			t.Errorf("a quiet minute fills the log:\n%s", news)
		}
		if t.Failed() {
			t.Log(text)
		}
	})
}

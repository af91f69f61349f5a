package scenarios_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/netlab"
	"ginnel/wire"
)

// TestBehaviour118And121Curl: what docs/api.md says to do with curl can be done,
// on an admin's machine that is not the coordinator.
func TestBehaviour118And121Curl(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "anna")
	anna := o.peers[0]
	o.coordinator.ginnel("peer", "grant-admin", "anna")
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "curl ") {
			continue
		}
		out := anna.curl(line)
		ran++
		if out != "" && !json.Valid([]byte(out)) {
			t.Errorf("%sprints %q, which is no JSON", line, out)
		}
	}
	if ran < 8 {
		t.Errorf("docs/api.md has %d lines for curl", ran)
	}
}

// TestBehaviour121CurlMakesAPeer: a program invites a peer, which joins by what
// it was given, is fetched by the map and shown by status.
func TestBehaviour121CurlMakesAPeer(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		anna := o.peers[0]
		o.coordinator.ginnel("peer", "grant-admin", "anna")
		const begin = "curl --unix-socket /var/run/ginnel/ginnel.sock "
		var issued wire.InvitationIssued
		decode(t, anna.curl(begin+`--json '{"name":"bob","cidr":"machines"}' http://ginnel/v1/networks/home/coordinator/v1/invitations`), &issued)
		bob := o.machine(o.Host("bob", o.internet))
		bob.ginnel("join", issued.Token)
		if bob.overlay() != issued.Peer.Address {
			t.Errorf("bob is %s, invited as %s", bob.overlay(), issued.Peer.Address)
		}
		var home local.Network
		decode(t, anna.curl(begin+"-X POST http://ginnel/v1/networks/home/fetch"), &home)
		anna.reaches(bob, patience)
		netlab.Eventually(t, patience, "status shows bob, connected", func() error {
			var s local.Status
			decode(t, anna.curl(begin+"http://ginnel/v1/status"), &s)
			for _, p := range s.Networks[0].Peers {
				if p.Name == "bob" && p.Address == issued.Peer.Address && p.Connected {
					return nil
				}
			}
			return fmt.Errorf("the peers are %+v", s.Networks[0].Peers)
		})
		refused, err := anna.Try("sh", "-c", begin+`-sS --json '{"name":"bob","cidr":"machines"}' http://ginnel/v1/networks/home/coordinator/v1/invitations`)
		var p wire.Problem
		if err == nil {
			err = json.Unmarshal([]byte(refused), &p)
		}
		if err != nil || p.Status != wire.StatusConflict || p.Detail == "" {
			t.Errorf("a second bob is refused with %q, %v", refused, err)
		}
	})
}

// curl runs a line of a shell that begins with curl, and must succeed.
func (m *machine) curl(line string) string {
	m.lab.t.Helper()
	return m.Run("sh", "-c", "curl() { command curl -sS --fail-with-body --max-time 20 \"$@\"; }; "+line)
}

// decode reads what curl printed.
func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}

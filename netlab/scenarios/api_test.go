package scenarios_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/netlab"
	"ginnel/wire"
)

// TestBehaviour08APIOnOverlayOnly: the coordinator listens on its overlay
// address and nowhere else, and what is sent to that address by the underlay
// reaches nobody.
func TestBehaviour08APIOnOverlayOnly(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna")
		listening := o.coordinator.Run("ss", "-H", "-ltn")
		if want := pick(l.family, "10.42.0.1", "[fd42::1]") + "%home:" + port; strings.Count(listening, "\n") != 1 || !strings.Contains(listening, want) {
			t.Errorf("the coordinator listens at other places than %s:\n%s", want, listening)
		}

		stranger := o.Host("stranger", o.internet)
		overlay := l.home.address(0, 1)
		control := net.JoinHostPort(overlay.String(), "7777")
		stranger.Route(netip.PrefixFrom(overlay, overlay.BitLen()).String(), o.coordinator.Addr().String())
		listener := listen(t, o.coordinator.Host, control)
		defer listener.Close()
		if err := dial(stranger, control); err != nil {
			t.Fatalf("the stranger's packets do not arrive at all, so this proves nothing: %v", err)
		}
		for _, address := range []string{endpointAt(overlay), endpointAt(o.coordinator.Addr())} {
			if dial(stranger, address) == nil {
				t.Errorf("a stranger on the underlay reaches the API at %s", address)
			}
		}
		if err := dial(o.peers[0].Host, endpointAt(overlay)); err != nil {
			t.Errorf("a peer does not reach the API: %v", err)
		}
	})
}

// listen opens a TCP port that any link leads to.
func listen(t *testing.T, h *netlab.Host, address string) (l net.Listener) {
	t.Helper()
	if err := h.Do(func() (err error) { l, err = net.Listen("tcp", address); return err }); err != nil {
		t.Fatal(err)
	}
	return l
}

// dial tells whether a TCP port accepts.
func dial(h *netlab.Host, address string) error {
	return h.Do(func() error {
		c, err := net.DialTimeout("tcp", address, 2*time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err
	})
}

// TestBehaviour09Credentials: the API takes a request only with the token of
// the peer whose address it comes from, and not through a proxy.
func TestBehaviour09Credentials(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("anna", "bob")
		anna := o.peers[0]
		own, others := "Bearer "+anna.token(), "Bearer "+o.peers[1].token()
		for _, tc := range []struct {
			what   string
			header http.Header
			want   int
		}{
			{"its own token", http.Header{"Authorization": {own}}, http.StatusOK},
			{"no token", http.Header{}, http.StatusUnauthorized},
			{"another peer's token", http.Header{"Authorization": {others}}, http.StatusUnauthorized},
			{"a made-up token", http.Header{"Authorization": {"Bearer " + strings.Repeat("A", 43)}}, http.StatusUnauthorized},
			{"another peer's token and address", http.Header{"Authorization": {others}, "X-Forwarded-For": {o.peers[1].overlay().String()}}, http.StatusUnauthorized},
			{"its own token by a proxy", http.Header{"Authorization": {own}, "X-Forwarded-For": {anna.overlay().String()}}, http.StatusUnauthorized},
		} {
			if got := anna.get(wire.PathMap, tc.header); got != tc.want {
				t.Errorf("with %s the answer is %d, want %d", tc.what, got, tc.want)
			}
		}
		if got := anna.get(wire.PathPeers, http.Header{"Authorization": {own}}); got != http.StatusForbidden {
			t.Errorf("an admin's call by another peer is answered with %d, want %d", got, http.StatusForbidden)
		}
	})
}

// get asks the coordinator as a program on m would, and returns the status.
func (m *machine) get(path string, header http.Header) int {
	m.lab.t.Helper()
	dial := func(_ context.Context, network, address string) (c net.Conn, err error) {
		err = m.Do(func() error { c, err = net.DialTimeout(network, address, patience); return err })
		return c, err
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: patience}
	req, err := http.NewRequest("GET", "http://"+endpointAt(m.lab.home.address(0, 1))+path, nil)
	if err != nil {
		m.lab.t.Fatal(err)
	}
	req.Header = header
	resp, err := client.Do(req)
	if err != nil {
		m.lab.t.Fatalf("%s: %v", m.Name(), err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// token is the one m's daemon shows to the coordinator.
func (m *machine) token() string {
	m.lab.t.Helper()
	token, err := m.readToken()
	if err != nil {
		m.lab.t.Fatalf("%s: %v", m.Name(), err)
	}
	return token.Reveal()
}

// readToken makes the token from a copy of the state: the daemon holds the
// file's lock.
func (m *machine) readToken() (key.Token, error) {
	content, err := m.ReadFile(state.Path("/var/lib/ginnel", "home"))
	if err != nil {
		return key.Token{}, err
	}
	path := filepath.Join(m.lab.t.TempDir(), m.Name())
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return key.Token{}, err
	}
	s, err := state.Open(path)
	if err != nil {
		return key.Token{}, fmt.Errorf("copied state: %w", err)
	}
	defer s.Close()
	id := s.Identity()
	return id.PrivateKey.Token(id.Coordinator.PublicKey, wire.TokenPurpose)
}

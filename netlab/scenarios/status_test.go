package scenarios_test

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"ginnel/daemon/local"
	"ginnel/netlab"
)

// shows waits until a command prints a line that matches each pattern, in which
// a space stands for any number of them.
func (m *machine) shows(line string, patterns ...string) {
	m.lab.t.Helper()
	netlab.Eventually(m.lab.t, 2*patience, m.Name()+": ginnel "+line+" shows what it should", func() error {
		out, err := m.Try(m.lab.binary, strings.Fields(line)...)
		if err != nil {
			return err
		}
		for _, p := range patterns {
			if !regexp.MustCompile("(?m)^ *" + strings.ReplaceAll(p, " ", " +") + "$").MatchString(out) {
				return fmt.Errorf("no line like %q in\n%s", p, out)
			}
		}
		return nil
	})
}

// endpoint is where m's WireGuard listens, which nothing lies before.
func (m *machine) endpoint() string {
	m.lab.t.Helper()
	n, err := m.network()
	if err != nil {
		m.lab.t.Fatal(err)
	}
	return netip.AddrPortFrom(m.Addr(), n.ListenPort).String()
}

// TestBehaviour65Status: what a person sees of every peer, by its name and
// however it is reached, within 80 columns.
func TestBehaviour65Status(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		h := l.homes(netlab.Symmetric)
		want := map[string]local.Reach{"vps": local.ReachDirect, "server": local.ReachDirect, "desktop": local.ReachLAN, "nas": local.ReachDirect, "printer": local.ReachDirect}
		h.coordinator.ginnel("cidr", "add", "phones", l.home.cidr(2))
		h.coordinator.invite("tablet", "phones")
		h.coordinator.ginnel("association", "add", "machines", "phones")
		endpoint := h.server.endpoint()
		h.laptop.ginnel("override", "set", "server", endpoint)
		h.allReach(h.laptop, h.desktop, h.coordinator)
		h.laptop.reaches(h.server, patience)
		of := func(m *machine) string { return regexp.QuoteMeta(m.overlay().String()) }
		h.laptop.shows("status",
			"network home: up",
			"you: laptop, "+of(h.laptop)+" in "+regexp.QuoteMeta(l.home.root())+", peer",
			`\* vps `+of(h.coordinator)+" direct infra",
			`\* laptop \(you\) `+of(h.laptop)+" machines",
			`\* desktop `+of(h.desktop)+" direct, same LAN machines",
			`\* server `+of(h.server)+" by override machines",
			"endpoint "+regexp.QuoteMeta(endpoint)+` handshake \d+s ago rx [\d.]+ (KiB|B) tx [\d.]+ (KiB|B)`,
		)
		if l.family == ipv4 { // there are no NATs in the other
			h.laptop.shows("status", "nas "+of(h.nas)+" no path machines", "none of its 2 known endpoints answers")
			want["nas"], want["printer"] = local.ReachNone, local.ReachNone
		} else {
			h.allReach(h.laptop, h.nas)
			h.laptop.reaches(h.printer, patience)
		}
		h.laptop.shows("status --short", `\* desktop `+of(h.desktop)+" direct, same LAN", `(\* )?nas `+of(h.nas)+" .+", `\* laptop \(you\) `+of(h.laptop))
		h.laptop.shows("status --tree", "infra", "machines", `\* laptop \(you\) `+of(h.laptop))
		h.coordinator.shows("status --tree", "home "+regexp.QuoteMeta(l.home.root()), "infra "+regexp.QuoteMeta(l.home.address(0, 1).String())+"/[0-9]+",
			"machines "+regexp.QuoteMeta(l.home.cidr(1)), `\* vps \(you\) `+of(h.coordinator), "phones "+regexp.QuoteMeta(l.home.cidr(2)),
			"tablet "+regexp.QuoteMeta(l.home.address(2, 1).String())+" not yet")
		netlab.Eventually(t, patience, "the laptop's status says how each peer is reached", func() error {
			n, err := h.laptop.network()
			for _, p := range n.Peers {
				if p.Reach != want[p.Name] {
					err = errors.Join(err, fmt.Errorf("%s is reached %q, want %q", p.Name, p.Reach, want[p.Name]))
				}
			}
			return err
		})
		for _, line := range []string{"status", "status --short", "status --tree", "peer list", "cidr list", "cidr list --tree", "association list", "network list", "help"} {
			for _, text := range strings.Split(h.coordinator.ginnel(strings.Fields(line)...), "\n") {
				if utf8.RuneCountInString(text) > 80 {
					t.Errorf("ginnel %s: more than 80 columns: %s", line, text)
				}
			}
		}
	})
}

// TestBehaviour65Watch: on a terminal the status refreshes in place, survives
// the daemon's restart, and ends with Ctrl-C.
func TestBehaviour65Watch(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		c := l.coordinator(l.Host("vps", l.Internet()), l.home.root())
		c.ginnel("cidr", "add", "machines", l.home.cidr(1))
		tv := c.OnTerminal(100, 30, l.binary, "status", "--watch=1")
		at := tv.Shows(0, "\x1b[H\x1b[J", patience)
		at = tv.Shows(at, "no peers are visible", patience)
		at = tv.Shows(at, "\x1b[H", patience) // the next one
		c.invite("laptop", "machines")
		at = tv.Shows(at, "laptop", patience)
		c.daemon.Kill()
		at = tv.Shows(at, "waiting for the daemon: the daemon is not running", patience)
		c.start()
		at = tv.Shows(at, "vps (you)", patience)
		tv.Type("\x03")
		if err := tv.Wait(patience); err != nil {
			t.Errorf("it ends with %v", err)
		}
		if text := tv.Text(); strings.Contains(text[at:], "\x1b[?") {
			t.Errorf("it changes the terminal: %q", text)
		}
	})
}

// TestBehaviour66Completion: bash completes the names of networks, CIDRs and
// peers on a coordinator, on an admin and, as far as it sees them, on a peer.
func TestBehaviour66Completion(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		c := l.coordinator(l.Host("vps", inet), l.home.root())
		c.ginnel("cidr", "add", "servers", l.home.cidr(1))
		c.ginnel("cidr", "add", "phones", l.home.cidr(2))
		admin := l.join(c, l.Host("admin", inet), "servers", "--admin")
		peer := l.join(c, l.Host("peer", inet), "servers")
		c.invite("tablet", "phones")
		c.completes("peer remove ", "admin peer tablet")
		admin.completes("peer remove t", "tablet")
		admin.completes("association add servers p", "phones")
		admin.completes("peer invite x --cidr=s", "servers")
		peer.completes("override set ", "admin vps")
		peer.completes("status ", "home")
		peer.completes("down --h", "--help")
		peer.daemon.Kill()
		peer.completes("override set ", "")
	})
}

// completes waits until bash completes a line with these words. What it asks
// for beside the words may be under way.
func (m *machine) completes(line, want string) {
	m.lab.t.Helper()
	const ask = `source <("$0" completion bash)
COMP_WORDS=(ginnel ${1//=/ = }); [[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ginnel "$0"
printf '%s\n' "${COMPREPLY[@]}" | sort`
	netlab.Eventually(m.lab.t, patience, m.Name()+": bash completes ginnel "+line, func() error {
		out, err := m.Try("bash", "-c", ask, m.lab.binary, line)
		if got := strings.Join(strings.Fields(out), " "); err == nil && got != want {
			err = fmt.Errorf("it becomes %q, want %q", got, want)
		}
		return err
	})
}

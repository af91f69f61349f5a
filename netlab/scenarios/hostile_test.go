package scenarios_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/wire"
)

// hostileBudget is how long the slowest request of a peer may take while
// another one attacks the coordinator: ten times as much as it does on a
// machine that has nothing else to do, because the attack runs on this one too.
const hostileBudget = 5 * time.Second

// hostileMemory is how many kB the coordinator may grow by under all attacks of
// one peer. The embedded device's buffers for packets are in it.
const hostileMemory = 32 << 10

// attacks are what a hostile peer does to the coordinator; see
// docs/hostile-input.md. Each is done by so many goroutines on its machine,
// again and again until it is over.
var attacks = []struct {
	name string
	by   int
	once func(*attacker) error
}{
	{"10,000 requests", 8, (*attacker).request},
	{"requests with a wrong token", 8, func(a *attacker) error { return a.ask("GET", wire.PathMap, strings.Repeat("A", 43), nil) }},
	{"fuzzed bodies", 4, (*attacker).fuzz},
	{"pipelined requests", 4, (*attacker).pipeline},
	{"500 silent connections", 1, func(a *attacker) error { return a.trickle("", 0) }},
	{"500 slow heads", 1, func(a *attacker) error { return a.trickle("GET /v1/map HTTP/1.1\r\nHost: a\r\nX: ", 'y') }},
	{"500 slow bodies", 1, func(a *attacker) error {
		return a.trickle(a.head("PUT", wire.PathSelf, a.token, 60000), ' ')
	}},
	{"heads without end", 4, func(a *attacker) error {
		return a.pour("GET / HTTP/1.1\r\nHost: a\r\n", "X: "+strings.Repeat("y", 1000)+"\r\n")
	}},
	{"a line without end", 4, func(a *attacker) error { return a.pour("GET /", strings.Repeat("y", 4096)) }},
	{"answers not read", 4, (*attacker).readNothing},
	{"500 half-open connections", 1, (*attacker).halfOpen},
	{"a flood of signals", 1, (*attacker).signals},
}

// TestHostilePeer: while a peer attacks the coordinator in every way, another
// one's fetches of its map and admin's commands are answered, and soon.
func TestHostilePeer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "mallory", "bob")
	bob := o.peers[1]
	o.coordinator.ginnel("peer", "grant-admin", "bob")
	victim := &victim{machine: bob, api: endpointAt(o.home.address(0, 1)), token: bob.token()}
	victim.sample(t, "before", func() bool { return false })
	before := o.coordinator.memory("VmRSS")
	for _, attack := range attacks {
		a := newAttacker(t, o.peers[0])
		o.coordinator.forgetPeak()
		for range attack.by {
			a.again(attack.once)
		}
		victim.sample(t, attack.name, func() bool { return attack.name == "10,000 requests" && a.tries.Load() < 10_000 })
		tries := a.end()
		most := o.coordinator.memory("VmHWM")
		t.Logf("%-28s done %d times; the coordinator's resident memory: %d kB before the first, %d kB at most", attack.name, tries, before, most)
		if tries == 0 {
			t.Errorf("%s: the attack was none", attack.name)
		}
		if most-before > hostileMemory {
			t.Errorf("%s: the coordinator's memory grew by %d kB, the budget is %d", attack.name, most-before, hostileMemory)
		}
	}
	victim.sample(t, "after", func() bool { return false })
}

// TestHostileInvitee: the same for one who has an invitation, and no more.
func TestHostileInvitee(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "bob")
	bob := o.peers[0]
	o.coordinator.ginnel("peer", "grant-admin", "bob")
	victim := &victim{machine: bob, api: endpointAt(o.home.address(0, 1)), token: bob.token()}
	a := newInvitee(t, o.machine(o.Host("mallory", o.internet)), o.coordinator.invite("mallory", "machines"))
	if err := a.Do(a.heard); err != nil {
		t.Fatalf("the invitee is not heard at all, so this proves nothing: %v", err)
	}
	a.again((*attacker).request)
	a.again((*attacker).redeemWrongly)
	a.again(func(a *attacker) error { return a.trickle("POST /v1/redeem HTTP/1.1\r\nHost: a\r\nX: ", 'y') })
	victim.sample(t, "an invitee's", func() bool { return false })
	t.Logf("done %d times", a.end())
	if p, err := bob.book("mallory"); err != nil || p.State != wire.PeerInvited {
		t.Errorf("mallory is %+v, %v, want still invited", p, err)
	}
}

// forgetPeak makes VmHWM what VmRSS is (proc_pid_clear_refs(5)).
func (m *machine) forgetPeak() {
	m.lab.t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", m.daemon.PID()), []byte("5"), 0); err != nil {
		m.lab.t.Fatal(err)
	}
}

// memory is a number of kB from the daemon's status in /proc.
func (m *machine) memory(field string) int {
	m.lab.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.daemon.PID()))
	if err != nil {
		m.lab.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), field+":")
	var kB int
	if _, err := fmt.Sscan(after, &kB); err != nil {
		m.lab.t.Fatalf("%s: %v", field, err)
	}
	return kB
}

// victim is the peer whose requests are timed.
type victim struct {
	*machine
	api, token string
}

// sample asks for the map ten times a second and has an admin's command carried
// out twice, for three seconds and as long as more says, and prints how long
// that took.
func (v *victim) sample(t *testing.T, when string, more func() bool) {
	t.Helper()
	var fetches, commands []time.Duration
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(patience)
	for i := 0; i < 30 || more() && time.Now().Before(end); i++ {
		<-tick.C
		began := time.Now()
		if err := v.Do(v.fetch); err != nil {
			t.Errorf("%s: the map: %v", when, err)
		}
		fetches = append(fetches, time.Since(began))
		if i%5 > 0 {
			continue
		}
		began = time.Now()
		if _, err := v.Try(v.lab.binary, "cidr", "list"); err != nil {
			t.Errorf("%s: an admin's command: %v", when, err)
		}
		commands = append(commands, time.Since(began))
	}
	for what, took := range map[string][]time.Duration{"map": fetches, "command": commands} {
		slices.Sort(took)
		slowest := took[len(took)-1]
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		t.Logf("%-28s %-8s p50 %6.1f ms  p99 %6.1f ms  max %6.1f ms  of %d", when, what, ms(took[len(took)/2]), ms(took[len(took)*99/100]), ms(slowest), len(took))
		if slowest > budget(hostileBudget) {
			t.Errorf("%s: a %s took %v, the budget is %v", when, what, slowest, budget(hostileBudget))
		}
	}
}

// fetch gets the whole map as the daemon does, over a connection of its own.
func (v *victim) fetch() error {
	c, err := net.DialTimeout("tcp", v.api, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", wire.PathMap, v.token)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answer is %d %s, %v", resp.StatusCode, body, err)
	}
	return nil
}

package scenarios_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// attacker is a program on a hostile peer's machine that may use the peer's
// token.
type attacker struct {
	*machine
	ctx        context.Context
	stop       func()
	api        netip.AddrPort
	own        netip.Addr
	token      string
	tries      atomic.Int64
	goroutines sync.WaitGroup
}

func newAttacker(t *testing.T, m *machine) *attacker {
	t.Helper()
	a := &attacker{machine: m, api: netip.MustParseAddrPort(endpointAt(m.lab.home.address(0, 1))), own: m.overlay(), token: m.token()}
	a.ctx, a.stop = context.WithCancel(t.Context())
	return a
}

// again does f until the attack ends. Errors are the coordinator's defence.
func (a *attacker) again(f func(*attacker) error) {
	a.goroutines.Go(func() {
		_ = a.Do(func() error {
			for a.ctx.Err() == nil {
				if f(a) != nil {
					a.pause(time.Millisecond) // it is on the same processor
				}
			}
			return nil
		})
	})
}

// end ends the attack and returns how often it was tried.
func (a *attacker) end() int64 {
	a.stop()
	a.goroutines.Wait()
	return a.tries.Load()
}

// pause waits, as long as the attack is not over.
func (a *attacker) pause(d time.Duration) {
	select {
	case <-a.ctx.Done():
	case <-time.After(d):
	}
}

// open connects. The connection is closed when the attack ends.
func (a *attacker) open() (net.Conn, error) {
	a.tries.Add(1)
	c, err := net.DialTimeout("tcp", a.api.String(), 2*time.Second)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(a.ctx, func() { c.Close() })
	return closer{c, stop}, nil
}

// closer is a connection that need not be closed at the end of the attack once
// it is closed.
type closer struct {
	net.Conn
	stop func() bool
}

func (c closer) Close() error {
	c.stop()
	return c.Conn.Close()
}

// head is that of a request whose body has n bytes.
func (a *attacker) head(method, path, token string, n int) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", method, path, token, n)
}

func (a *attacker) request() error { return a.ask("GET", wire.PathMap, a.token, nil) }

// ask makes requests on one connection until it is refused.
func (a *attacker) ask(method, path, token string, body []byte) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for a.ctx.Err() == nil {
		if _, err := io.WriteString(c, a.head(method, path, token, len(body))+string(body)); err != nil {
			return err
		}
		a.tries.Add(1)
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil || resp.Close {
			return err
		}
	}
	return nil
}

// fuzz sends bodies that are nearly right.
func (a *attacker) fuzz() error {
	path, body := wire.PathSelf, []byte(`{"candidates":["192.0.2.1:51820","[2001:db8::1]:51820"]}`)
	for range rand.IntN(8) {
		body[rand.IntN(len(body))] = byte(rand.Uint32())
	}
	return a.ask("PUT", path, a.token, body)
}

// pipeline sends a thousand requests before it reads.
func (a *attacker) pipeline() error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, strings.Repeat(a.head("GET", wire.PathMap, a.token, 0), 1000)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, c)
	return err
}

// trickle keeps 500 connections on which comes a beginning and then a byte a
// second; 0: nothing at all.
func (a *attacker) trickle(beginning string, then byte) error {
	var open [500]net.Conn
	for a.ctx.Err() == nil {
		for i, c := range open {
			var err error
			switch {
			case c == nil:
				if open[i], err = a.open(); err == nil {
					_, err = io.WriteString(open[i], beginning)
				}
			case then != 0:
				_, err = c.Write([]byte{then})
			}
			if err != nil && open[i] != nil {
				open[i].Close()
				open[i] = nil
			}
		}
		a.pause(time.Second)
	}
	return nil
}

// pour sends a beginning and then the same without end.
func (a *attacker) pour(beginning, then string) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = io.WriteString(c, beginning)
	for err == nil {
		_, err = io.WriteString(c, then)
	}
	return err
}

// readNothing asks and does not read until it is thrown out.
func (a *attacker) readNothing() error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	for err == nil {
		_, err = io.WriteString(c, a.head("GET", wire.PathMap, a.token, 0))
	}
	return err
}

// halfOpen begins 500 connections and does not hear the answers, which makes
// the coordinator repeat them.
func (a *attacker) halfOpen() error {
	var open []int
	defer func() {
		for _, fd := range open {
			unix.Close(fd)
		}
	}()
	for range 500 {
		fd, err := a.deafSocket()
		if err != nil {
			return err
		}
		open = append(open, fd)
		a.tries.Add(1)
	}
	a.pause(time.Second)
	return nil
}

// deafSocket has begun to connect and drops whatever comes.
func (a *attacker) deafSocket() (int, error) {
	domain, to := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(a.api.Port()), Addr: a.api.Addr().Unmap().As4()})
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop[0]})
	if err == nil {
		err = unix.Connect(fd, to)
	}
	if err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// signals floods the coordinator with polls.
func (a *attacker) signals() error {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a.own, 0)))
	if err != nil {
		return err
	}
	defer c.Close()
	poll, to := wire.Signal{Kind: wire.SignalPoll}.Append(nil), netip.AddrPortFrom(a.api.Addr(), wire.SignalPort)
	for a.ctx.Err() == nil {
		for range 50 {
			a.tries.Add(1)
			if _, err := c.WriteToUDPAddrPort(poll, to); err != nil {
				return err
			}
		}
		a.pause(5 * time.Millisecond)
	}
	return nil
}

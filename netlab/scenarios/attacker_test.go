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
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/netlab"
	"ginnel/wire"
)

// attacker is a program on a hostile peer's machine that may use the peer's
// token.
type attacker struct {
	*machine
	ctx        context.Context
	stop       func()
	api        netip.AddrPort
	own        netip.Addr
	token      string
	user       int // whose sockets they are; 0: root's
	tries      atomic.Int64
	goroutines sync.WaitGroup
}

func newAttacker(t *testing.T, m *machine) *attacker {
	t.Helper()
	a := &attacker{machine: m, api: netip.MustParseAddrPort(endpointAt(m.lab.home.address(0, 1))), own: m.overlay(), token: m.token()}
	a.ctx, a.stop = context.WithCancel(t.Context())
	return a
}

// newInvitee is one who has an invitation for m, whose tunnel is up with the
// invitation's key: the real join's, which is kept from speaking through it.
func newInvitee(t *testing.T, m *machine, token string) *attacker {
	t.Helper()
	inv, err := wire.ParseInvitation(token)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := inv.Key.Token(inv.Coordinator.PublicKey, wire.TokenPurpose)
	if err != nil {
		t.Fatal(err)
	}
	m.DropTCPOf(0)
	m.Start(m.lab.binary, "join", token)
	netlab.Eventually(t, patience, "the invitee's tunnel is up", func() error {
		out, err := m.Try("ip", "address", "show", "dev", "home")
		if err == nil && !strings.Contains(out, inv.Address.String()) {
			err = fmt.Errorf("home has %q", out)
		}
		return err
	})
	a := &attacker{machine: m, api: netip.AddrPortFrom(inv.Coordinator.Address, inv.Coordinator.APIPort), own: inv.Address, token: proof.Reveal(), user: 1}
	a.ctx, a.stop = context.WithCancel(t.Context())
	return a
}

// again does f until the attack ends. Errors are the coordinator's defence.
func (a *attacker) again(f func(*attacker) error) {
	a.goroutines.Go(func() {
		_ = a.Do(func() error {
			unix.SetfsuidRetUid(a.user) // of this thread alone, which ends with Do
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

// heard tells whether a request of the attacker's is answered as that of one who
// may redeem and nothing else.
func (a *attacker) heard() error {
	unix.SetfsuidRetUid(a.user)
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, a.head("GET", wire.PathMap, a.token, 0)); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	return nil
}

// redeemWrongly submits what is no key.
func (a *attacker) redeemWrongly() error {
	return a.ask("POST", wire.PathRedeem, a.token, []byte(`{"public_key":"AAAA"}`))
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

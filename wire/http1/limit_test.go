package http1_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/wire/http1"
)

// knock connects without waiting for the server to take the connection, and
// gives it to the test as soon as the listener did.
func (p *pipes) knock(from string) chan net.Conn {
	near, far := net.Pipe()
	taken := make(chan net.Conn, 1)
	go func() {
		select {
		case p.conns <- fromConn{far, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}:
			taken <- near
		case <-p.done:
			close(taken)
		}
	}()
	return taken
}

// ask makes a request and returns the answer's status.
func ask(t *testing.T, c net.Conn, path string) int {
	t.Helper()
	go fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
	a, err := readAnswer(bufio.NewReader(c))
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return a.status
}

func TestOneAddressHasItsShare(t *testing.T) {
	virtual(t, &http1.Server{MaxConns: 5, MaxPerAddr: 2}, func(t *testing.T, p *pipes) {
		first, second := p.dial("10.42.0.1:1"), p.dial("10.42.0.1:2")
		defer second.Close()
		third := <-p.knock("10.42.0.1:3")
		a, err := readAnswer(bufio.NewReader(third))
		if err != nil || a.status != 429 || !a.closes {
			t.Errorf("the third connection of one address got %+v, %v, want 429", a, err)
		}
		third.Close()
		other := p.dial("10.42.0.2:1")
		defer other.Close()
		if got := ask(t, other, "/"); got != 200 {
			t.Errorf("another address got %d", got)
		}
		first.Close()
		synctest.Wait()
		again := p.dial("10.42.0.1:4")
		defer again.Close()
		if got := ask(t, again, "/"); got != 200 {
			t.Errorf("after one closed the next got %d", got)
		}
	})
}

// TestIdleMakeRoom fills the server with connections that do nothing: the one
// that was idle longest goes, and none that may be about to ask.
func TestIdleMakeRoom(t *testing.T) {
	virtual(t, &http1.Server{MaxConns: 3}, func(t *testing.T, p *pipes) {
		var open []net.Conn
		for i := range 3 {
			c := p.dial(fmt.Sprintf("10.42.0.%d:1", i))
			defer c.Close()
			open = append(open, c)
			if i < 2 && ask(t, c, "/") != 200 {
				t.Fatal("no answer")
			}
			<-time.After(100 * time.Millisecond) // virtual
		}
		began := time.Now()
		for i, want := range []time.Duration{0, 0, 900 * time.Millisecond} {
			c := p.dial(fmt.Sprintf("10.42.1.%d:1", i))
			defer c.Close()
			if got := ask(t, c, "/"); got != 200 || time.Since(began) != want {
				t.Errorf("newcomer %d got %d after %s, want %s", i, got, time.Since(began), want)
			}
			if b, took := until(open[i]); b != "" || took != 0 {
				t.Errorf("idle connection %d is still open: %q for %s", i, b, took)
			}
			io.WriteString(c, "POST / HTTP/1.1\r\n") // from now on it is busy
			synctest.Wait()
		}
	})
}

// TestNewcomersWait fills the server with requests: newcomers are neither
// refused nor forgotten.
func TestNewcomersWait(t *testing.T) {
	handler := func(ctx context.Context, r *http1.Request) *http1.Response {
		<-time.After(time.Second) // virtual
		return echo(ctx, r)
	}
	virtual(t, &http1.Server{MaxConns: 2, Handler: handler}, func(t *testing.T, p *pipes) {
		began := time.Now()
		var herd sync.WaitGroup
		for i := range 20 {
			herd.Go(func() {
				c := <-p.knock(fmt.Sprintf("10.42.0.%d:1", i))
				defer c.Close()
				if got := ask(t, c, "/"); got != 200 {
					t.Errorf("peer %d got %d", i, got)
				}
			})
		}
		herd.Wait()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("20 requests of a second, two at a time, took %s", took)
		}
	})
}

// TestEndWithNewcomerWaiting: neither does one that waits keep Serve.
func TestEndWithNewcomerWaiting(t *testing.T) {
	virtual(t, &http1.Server{MaxConns: 1}, func(t *testing.T, p *pipes) {
		busy := p.dial("10.42.0.1:1")
		defer busy.Close()
		io.WriteString(busy, "GET / HT")
		waiting := p.dial("10.42.0.2:1")
		defer waiting.Close()
	})
}

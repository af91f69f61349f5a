package http1_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/wire/http1"
)

// doneServer returns the times at which Done is called.
func doneServer(header textproto.MIMEHeader, size int) (*http1.Server, <-chan time.Time) {
	calls := make(chan time.Time, 10)
	return &http1.Server{Handler: func(context.Context, *http1.Request) *http1.Response {
		return &http1.Response{Status: 200, Header: header, Body: make([]byte, size), Done: func() { calls <- time.Now() }}
	}}, calls
}

// wantOneCall wants Done to have been called once, at a time.
func wantOneCall(t *testing.T, calls <-chan time.Time, want time.Time) {
	t.Helper()
	synctest.Wait()
	if len(calls) != 1 {
		t.Fatalf("Done was called %d times", len(calls))
	}
	if at := <-calls; !at.Equal(want) {
		t.Errorf("Done was called %s after it should", at.Sub(want))
	}
}

const plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

func TestDoneWhenClientNeverCloses(t *testing.T) {
	s, calls := doneServer(nil, 3)
	virtual(t, s, func(t *testing.T, p *pipes) {
		c := p.dial(someone)
		io.WriteString(c, plain)
		r := bufio.NewReader(c)
		a, err := readAnswer(r)
		if err != nil || !a.closes {
			t.Fatalf("got %+v, %v", a, err)
		}
		answered := time.Now()
		synctest.Wait()
		if len(calls) != 0 {
			t.Error("Done was called before the client closed")
		}
		if _, took := until(c); took != http1.DoneTimeout {
			t.Errorf("closed after %s", took)
		}
		wantOneCall(t, calls, answered.Add(http1.DoneTimeout))
	})
}

func TestDoneWhenClientCloses(t *testing.T) {
	s, calls := doneServer(nil, 3)
	virtual(t, s, func(t *testing.T, p *pipes) {
		c := p.dial(someone)
		began := time.Now()
		io.WriteString(c, plain)
		if _, err := readAnswer(bufio.NewReader(c)); err != nil {
			t.Fatal(err)
		}
		c.Close()
		wantOneCall(t, calls, began)
	})
}

func TestDoneWhenWriteFails(t *testing.T) {
	s, calls := doneServer(nil, 1<<20)
	virtual(t, s, func(t *testing.T, p *pipes) {
		c := p.dial(someone)
		began := time.Now()
		io.WriteString(c, plain)
		io.ReadFull(c, make([]byte, 100))
		c.Close()
		wantOneCall(t, calls, began)
	})
}

// TestDoneOfResponseThatCannotBeSent: what Done does has been decided already.
func TestDoneOfResponseThatCannotBeSent(t *testing.T) {
	s, calls := doneServer(textproto.MIMEHeader{"Bad Name": {""}}, 0)
	virtual(t, s, func(t *testing.T, p *pipes) {
		c := p.dial(someone)
		io.WriteString(c, plain)
		if a, err := readAnswer(bufio.NewReader(c)); err != nil || a.status != 500 || !a.closes {
			t.Errorf("got %+v, %v", a, err)
		}
		c.Close()
		wantOneCall(t, calls, time.Now())
	})
}

func TestDoneMayPanic(t *testing.T) {
	var log recorder
	s := &http1.Server{Log: log.logger(), Handler: func(context.Context, *http1.Request) *http1.Response {
		return &http1.Response{Status: 204, Done: func() { panic("done for") }}
	}}
	virtual(t, s, func(t *testing.T, p *pipes) {
		for range 2 {
			c := p.dial(someone)
			io.WriteString(c, plain)
			if a, err := readAnswer(bufio.NewReader(c)); err != nil || a.status != 204 {
				t.Errorf("got %+v, %v", a, err)
			}
			c.Close()
			synctest.Wait()
		}
	})
	if log.String() == "" {
		t.Error("nothing was logged")
	}
}

// TestDoneWithOurClient: the client closes its half as soon as it has the
// response, so neither waits for the other's patience to end.
func TestDoneWithOurClient(t *testing.T) {
	s, calls := doneServer(nil, 3)
	virtual(t, s, func(t *testing.T, p *pipes) {
		c := &http1.Client{Dial: func(context.Context) (net.Conn, error) {
			near, far := halfPipe()
			p.conns <- far
			return near, nil
		}}
		began := time.Now()
		resp, err := c.Do(t.Context(), &http1.Request{Method: "GET", Path: "/"})
		if err != nil || len(resp.Body) != 3 {
			t.Errorf("got %+v, %v", resp, err)
		}
		wantOneCall(t, calls, began)
	})
}

// TestDoneLetsTheClientCloseFirst: the server's end tells a client that its own
// has arrived, so it does not come before; to one that never closes it comes
// after DoneTimeout.
func TestDoneLetsTheClientCloseFirst(t *testing.T) {
	for _, closes := range []bool{true, false} {
		s, calls := doneServer(nil, 3)
		virtual(t, s, func(t *testing.T, p *pipes) {
			near, far := halfPipe()
			defer near.Close()
			p.conns <- far
			began := time.Now()
			io.WriteString(near, plain)
			want := http1.DoneTimeout
			if closes {
				want = 300 * time.Millisecond
				<-time.After(want) // virtual
				near.(interface{ CloseWrite() error }).CloseWrite()
			}
			if got, _ := until(near); time.Since(began) != want || !strings.HasSuffix(got, "\r\n\r\n\x00\x00\x00") {
				t.Errorf("got %q after %s, want the end after %s", got, time.Since(began), want)
			}
			wantOneCall(t, calls, began.Add(want))
		})
	}
}

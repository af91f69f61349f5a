package http1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/wire/http1"
)

// until reads c to its end and returns what came and the virtual time it took.
func until(c net.Conn) (string, time.Duration) {
	began := time.Now()
	b, _ := io.ReadAll(c)
	return string(b), time.Since(began)
}

func TestSilentClients(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		if got, took := until(p.dial(someone)); got != "" || took != 10*time.Second {
			t.Errorf("a fresh connection: %q after %s", got, took)
		}
		c := p.dial(someone)
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if _, err := readAnswer(bufio.NewReader(c)); err != nil {
			t.Fatal(err)
		}
		if got, took := until(c); got != "" || took != 30*time.Second {
			t.Errorf("an idle connection: %q after %s", got, took)
		}
	})
}

func TestSlowClients(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("y", 100)
	body := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
	for name, test := range map[string]struct {
		raw, slow string
		want      time.Duration // from the first slow byte to the answer
	}{
		"head": {"", head, 10 * time.Second},
		"body": {body, strings.Repeat("b", 100), 20 * time.Second},
		"rest": {body + strings.Repeat("b", 50000), strings.Repeat("b", 100), 20 * time.Second},
		"none": {body, "", 20 * time.Second},
	} {
		virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
			c := p.dial(someone)
			io.WriteString(c, test.raw)
			var slow sync.WaitGroup
			slow.Go(func() { trickle(c, test.slow, time.Second) })
			began := time.Now()
			r := bufio.NewReader(c)
			a, err := readAnswer(r)
			if took := time.Since(began); err != nil || a.status != 408 || took < test.want-time.Second || took > test.want+time.Second {
				t.Errorf("%s: got %+v, %v after %s", name, a, err, took)
			}
			c.Close()
			slow.Wait()
		})
	}
}

// TestSlowHeadOfLaterRequest: neither the patience with an idle connection nor
// that with the request before counts for a head that has begun.
func TestSlowHeadOfLaterRequest(t *testing.T) {
	handler := func(ctx context.Context, r *http1.Request) *http1.Response {
		<-time.After(5 * time.Second) // virtual
		return echo(ctx, r)
	}
	for _, begun := range []string{"", "GET"} { // after the answer before, or with the request before
		virtual(t, &http1.Server{Handler: handler}, func(t *testing.T, p *pipes) {
			c := p.dial(someone)
			r := bufio.NewReader(c)
			io.WriteString(c, plain+begun)
			if a, err := readAnswer(r); err != nil || a.status != 200 {
				t.Fatalf("got %+v, %v", a, err)
			}
			began := time.Now()
			var slow sync.WaitGroup
			slow.Go(func() { trickle(c, "PRETTYLONGMETHOD", time.Second) })
			if a, err := readAnswer(r); err != nil || a.status != 408 || time.Since(began) != 10*time.Second {
				t.Errorf("got %+v, %v after %s", a, err, time.Since(began))
			}
			c.Close()
			slow.Wait()
		})
	}
}

// TestSteadySlowBody makes progress enough in every step and is served.
func TestSteadySlowBody(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		c := p.dial(someone)
		defer c.Close()
		var slow sync.WaitGroup
		slow.Go(func() {
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
			for range 60 {
				io.WriteString(c, strings.Repeat("b", 1000))
				<-time.After(2 * time.Second)
			}
		})
		if a, err := readAnswer(bufio.NewReader(c)); err != nil || a.status != 200 {
			t.Errorf("got %d, %v", a.status, err)
		}
		slow.Wait()
	})
}

// TestClientThatDoesNotRead holds no connection longer than a write's time.
func TestClientThatDoesNotRead(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		c := p.dial(someone)
		defer c.Close()
		io.WriteString(c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
		began := time.Now()
		_, err := c.Write(make([]byte, 1<<20)) // fails when the server closes
		if took := time.Since(began); err == nil || took != 20*time.Second {
			t.Errorf("got %v after %s", err, took)
		}
	})
}

func TestPassingAcceptErrors(t *testing.T) {
	var log recorder
	virtual(t, &http1.Server{Log: log.logger()}, func(t *testing.T, p *pipes) {
		for range 5 {
			p.errs <- errTooManyFiles
		}
		c := p.dial(someone)
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if a, err := readAnswer(bufio.NewReader(c)); err != nil || a.status != 200 {
			t.Errorf("got %+v, %v", a, err)
		}
	})
	if n := strings.Count(log.String(), "too many open files"); n != 1 {
		t.Errorf("logged %d times: %s", n, &log)
	}
}

func TestServeReturnsLastingAcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		end := make(chan error, 1)
		go func() { end <- (&http1.Server{Handler: echo}).Serve(t.Context(), p) }()
		c := p.dial(someone)
		broken := errors.New("listener broke")
		p.errs <- broken
		if err := <-end; !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		if got, _ := until(c); got != "" {
			t.Errorf("the open connection got %q", got)
		}
		if _, err := p.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Error("the listener is still open")
		}
	})
}

// TestServeEnds ends a server with one connection idle, one whose request is
// finished within the grace and one whose handler waits for its context.
func TestServeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := func(ctx context.Context, r *http1.Request) *http1.Response {
			if r.Path == "/stuck" {
				<-ctx.Done()
			} else {
				<-time.After(time.Second)
			}
			return http1.JSON(200, r.Path)
		}
		p := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan error, 1)
		go func() { end <- (&http1.Server{Handler: handler}).Serve(ctx, p) }()
		idle, slow, stuck := p.dial(someone), p.dial(someone), p.dial(someone)
		io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
		io.WriteString(stuck, "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n")
		synctest.Wait()
		began := time.Now()
		cancel()
		if got, took := until(idle); got != "" || took != 0 {
			t.Errorf("idle: %q after %s", got, took)
		}
		a, err := readAnswer(bufio.NewReader(slow))
		if err != nil || a.body != `"/slow"` || !a.closes || time.Since(began) != time.Second {
			t.Errorf("slow: %+v, %v after %s", a, err, time.Since(began))
		}
		slow.Close()
		if got, _ := until(stuck); got != "" {
			t.Errorf("stuck: %q", got)
		}
		if err := <-end; err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("ended with %v after %s", err, time.Since(began))
		}
	})
}

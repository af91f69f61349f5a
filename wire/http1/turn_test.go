package http1_test

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/wire/http1"
)

// TestHostileSlowReaders: eight peers take what they asked for in time in every
// step, and in small ones, to keep all turns for long.
func TestHostileSlowReaders(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		var slow sync.WaitGroup
		for i := range answersAtOnce {
			c := p.dial(from(i/answersOfOne, i))
			io.WriteString(c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
			slow.Go(func() {
				defer c.Close()
				for err := error(nil); err == nil; _, err = io.CopyN(io.Discard, c, 32<<10) {
					<-time.After(1900 * time.Millisecond) // virtual
				}
			})
		}
		synctest.Wait()
		p.served(t, pressedAnswer)
		slow.Wait()
	})
}

// TestNewcomerTakesThePlaceOfOneWhoWaits: a request that waits for its turn and
// loses its place to a newcomer ends at once.
func TestNewcomerTakesThePlaceOfOneWhoWaits(t *testing.T) {
	handler := func(ctx context.Context, r *http1.Request) *http1.Response {
		<-ctx.Done()
		return echo(ctx, r)
	}
	virtual(t, &http1.Server{Handler: handler, MaxConns: 4}, func(t *testing.T, p *pipes) {
		for i := range 4 { // of one peer: two are answered, two wait
			c := p.dial(from(1, i))
			defer c.Close()
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			<-time.After(time.Millisecond) // virtual
		}
		for i := range 2 { // these take the places of those that are answered
			defer p.dial(from(2+i, 0)).Close()
		}
		before := runtime.NumGoroutine()
		defer p.dial(from(4, 0)).Close() // and this that of one who waits
		if after := runtime.NumGoroutine(); after != before {
			t.Errorf("%d goroutines, there were %d: who lost its place waits on", after, before)
		}
	})
}

// TestOneReaderHurriesNobody: an address that waits for its own turns has no
// others lose theirs.
func TestOneReaderHurriesNobody(t *testing.T) {
	virtual(t, &http1.Server{Burst: 1000}, func(t *testing.T, p *pipes) {
		slow := p.dial(from(1, 0)) // 32 KiB every 15 s: slow, not hostile
		defer slow.Close()
		io.WriteString(slow, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
		for i := range http1.DefaultMaxPerAddr {
			c := p.dial(from(2, i))
			defer c.Close()
			io.WriteString(c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
		}
		var got int
		for got < 1<<20 {
			<-time.After(15 * time.Second) // virtual
			n, err := io.CopyN(io.Discard, slow, 32<<10)
			if got += int(n); err != nil {
				t.Fatalf("%v after %d bytes", err, got)
			}
		}
	})
}

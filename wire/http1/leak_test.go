package http1_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"ginnel/wire/http1"
)

// eventually waits for a condition, with a deadline.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(generous)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in %s: %s", generous, what)
		}
	}
}

// TestNothingIsLeft runs a server through every kind of ending on real sockets.
func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			l := listen(t, network)
			start(t, &http1.Server{}, l)
			c := client(l)
			for _, path := range []string{"/", "/big", "/done", "/panic", "/problem"} {
				if _, err := c.Do(within(t), &http1.Request{Method: "GET", Path: path}); err != nil {
					t.Error(err)
				}
			}
			over, cancel := context.WithCancel(t.Context())
			cancel()
			c.Do(over, &http1.Request{Method: "GET", Path: "/"})
			talk(t, l, "nonsense\r\n\r\n")
			io.WriteString(dial(t, l), "GET / HT") // left open, as is the next
			dial(t, l)
		})
	}
	eventually(t, "all goroutines gone", func() bool { return runtime.NumGoroutine() <= before })
}

// TestIdleConnectionsAreSmall keeps the promise of the package's comment, with
// room for what a busy test process adds.
func TestIdleConnectionsAreSmall(t *testing.T) {
	const n, promised = 200, 4 << 10
	before := runtime.NumGoroutine()
	l := listen(t, "unix")
	start(t, &http1.Server{MaxConns: n}, l)
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = dial(t, l)
	}
	use := func() int64 {
		for _, c := range conns {
			io.WriteString(c, plain)
			if _, err := c.Read(make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	with := use()
	for _, c := range conns {
		c.Close()
	}
	conns = nil
	eventually(t, "connections gone", func() bool { return runtime.NumGoroutine() <= before+10 }) // the server has some of its own
	each := (with - use()) / n
	t.Logf("an idle connection, with the test's own half of it, has %d bytes", each)
	if each > 3*promised {
		t.Errorf("an idle connection has %d bytes, promised are %d", each, promised)
	}
}

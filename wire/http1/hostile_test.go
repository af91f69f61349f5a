package http1_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ginnel/wire/http1"
)

// The numbers of the package comment that are not the Server's fields.
const (
	answersAtOnce = 16
	answersOfOne  = 2
	pressed       = 2 * time.Second
	pressedAnswer = 5 * time.Second
	perSecond     = 20
)

// from is the overlay address of a hostile peer, with a port.
func from(peer, port int) string { return fmt.Sprintf("10.42.66.%d:%d", peer, 1000+port) }

// fill takes every place of the server for connections of so many peers, each
// of which sends raw and then nothing.
func (p *pipes) fill(t *testing.T, peers int, raw string) {
	for i := range http1.DefaultMaxConns {
		c := p.dial(from(i%peers, i))
		t.Cleanup(func() { c.Close() })
		io.WriteString(c, raw)
	}
	synctest.Wait()
}

// served checks that an honest peer's request is answered within a time.
func (p *pipes) served(t *testing.T, within time.Duration) {
	t.Helper()
	began := time.Now()
	c := p.dial(someone)
	defer c.Close()
	if got := ask(t, c, "/"); got != 200 || time.Since(began) > within {
		t.Errorf("another peer got %d after %s, want 200 within %s", got, time.Since(began), within)
	}
}

// slowRequests are beginnings of requests that never end.
var slowRequests = map[string]string{
	"head":  "GET / HTTP/1.1\r\nHost: a\r\nX: ",
	"body":  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + strings.Repeat("b", 20000),
	"first": "G",
}

// TestHostileSlowRequests: eight peers hold every place with requests that do
// not end. Whoever has fewer places gets one of theirs at once.
func TestHostileSlowRequests(t *testing.T) {
	for name, raw := range slowRequests {
		t.Run(name, func(t *testing.T) {
			virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
				p.fill(t, http1.DefaultMaxConns/http1.DefaultMaxPerAddr, raw)
				for range 10 {
					p.served(t, 0)
				}
			})
		})
	}
}

// TestHostileConspiracy: as many peers as there are places hold one each. A
// newcomer waits no longer than a request may take then.
func TestHostileConspiracy(t *testing.T) {
	for name, raw := range slowRequests {
		t.Run(name, func(t *testing.T) {
			virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
				p.fill(t, http1.DefaultMaxConns, raw)
				p.served(t, pressed)
			})
		})
	}
}

// TestHostileQueue: those who conspire stand before a newcomer as well, each with
// several connections more. They are not waited for.
func TestHostileQueue(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		p.fill(t, http1.DefaultMaxConns, "G")
		for i := range 5 * http1.DefaultMaxConns {
			taken := p.knock(from(i%http1.DefaultMaxConns, 1000+i))
			go func() {
				if c, ok := <-taken; ok {
					go io.WriteString(c, "G")
					until(c)
				}
			}()
			synctest.Wait()
		}
		p.served(t, pressed)
	})
}

// TestHostileReaders: eight peers ask for something big and do not read it.
func TestHostileReaders(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		for i := range answersAtOnce {
			c := p.dial(from(i/answersOfOne, i))
			defer c.Close()
			io.WriteString(c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
		}
		synctest.Wait()
		p.served(t, pressed)
	})
}

// TestHostileFlood: of a peer's 10,000 requests so many are answered as its
// pace allows, and others' come between them.
func TestHostileFlood(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		began := time.Now()
		var c net.Conn
		var r *bufio.Reader
		answered := 0
		for i := range 10_000 {
			if c == nil {
				c = p.dial(from(1, i))
				r = bufio.NewReader(c)
			}
			go io.WriteString(c, plain)
			a, err := readAnswer(r)
			switch {
			case err == nil && a.status == 200:
				answered++
				continue
			case err != nil || a.status != 429 || !a.closes:
				t.Fatalf("request %d: %+v, %v", i, a, err)
			}
			if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds != 1 {
				t.Fatalf("request %d: Retry-After is %q", i, a.header.Get("Retry-After"))
			}
			c.Close()
			c = nil
			if i%100 == 0 {
				p.served(t, 0)
			}
			<-time.After(time.Millisecond) // virtual: no machine is infinitely fast
		}
		allowed := http1.DefaultBurst + int(time.Since(began)*perSecond/time.Second)
		if answered < allowed-1 || answered > allowed {
			t.Errorf("%d requests were answered within %s, want %d", answered, time.Since(began), allowed)
		}
	})
}

// TestHostileBigAnswers: asking for what is large uses a peer's pace up, and
// waiting makes it good.
func TestHostileBigAnswers(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		get := func(path string) answer {
			c := p.dial(from(1, 1))
			defer c.Close()
			go fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
			a, err := readAnswer(bufio.NewReader(c))
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		if a, b := get("/big"), get("/big"); a.status != 200 || b.status != 200 {
			t.Fatalf("got %d, %d", a.status, b.status)
		}
		a := get("/") // 1 MiB counts as 64 more: 100 - 2 × 65 = -30
		if a.status != 429 || a.header.Get("Retry-After") != "2" {
			t.Fatalf("got %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
		}
		<-time.After(2 * time.Second) // virtual
		if a := get("/"); a.status != 200 {
			t.Errorf("after as long as it was told the answer is %d", a.status)
		}
	})
}

// TestHostilePipelining: requests sent all at once have no other pace.
func TestHostilePipelining(t *testing.T) {
	l := listen(t, "tcp")
	start(t, &http1.Server{}, l)
	answers := talk(t, l, strings.Repeat(plain, 10_000))
	last := len(answers) - 1
	for i, a := range answers {
		if want := 200; i < last && a.status != want {
			t.Fatalf("answer %d of %d is %d", i, last+1, a.status)
		}
	}
	if last < http1.DefaultBurst || last > http1.DefaultBurst*2 || answers[last].status != 429 || !answers[last].closes {
		t.Errorf("after %d answers comes %+v", last, answers[last])
	}
}

// TestHostileConnections: one peer opens 500. It has its share of places, and
// others have theirs.
func TestHostileConnections(t *testing.T) {
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		refused := 0
		for i := range 500 {
			c := p.dial(from(1, i))
			defer c.Close()
			if i < http1.DefaultMaxPerAddr {
				io.WriteString(c, "GET / HT")
				continue
			}
			a, err := readAnswer(bufio.NewReader(c))
			if err != nil || a.status != 429 || a.header.Get("Retry-After") != "1" {
				t.Fatalf("connection %d: %+v, %v", i, a, err)
			}
			refused++
		}
		if want := 500 - http1.DefaultMaxPerAddr; refused != want {
			t.Errorf("%d were refused, want %d", refused, want)
		}
		p.served(t, 0)
	})
}

// TestHostileHeads: heads that are too large are refused as soon as that is
// known, however they go on.
func TestHostileHeads(t *testing.T) {
	for name, head := range map[string]string{
		"one line":    "X: " + strings.Repeat("y", 1<<20),
		"many lines":  strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 1000),
		"many fields": strings.Repeat("X:y\r\n", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
				c := p.dial(from(1, 1))
				defer c.Close()
				var sending sync.WaitGroup
				sent := make(chan int, 1)
				sending.Go(func() {
					n, _ := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n"+head) // and no end
					sent <- n
				})
				if a, err := readAnswer(bufio.NewReader(c)); err != nil || a.status != 431 || !a.closes {
					t.Errorf("got %+v, %v", a, err)
				}
				c.Close()
				sending.Wait()
				if n := <-sent; n > 64<<10 {
					t.Errorf("%d bytes of it were read", n)
				}
			})
		})
	}
}

// TestAnswersAtOnce counts the requests that are handled at the same time while
// every place is taken by one that is.
func TestAnswersAtOnce(t *testing.T) {
	var mu sync.Mutex
	now, most, mostOfOne := 0, 0, 0
	of := map[netip.Addr]int{}
	handler := func(_ context.Context, r *http1.Request) *http1.Response {
		a := r.Remote.Addr()
		mu.Lock()
		now, of[a] = now+1, of[a]+1
		most, mostOfOne = max(most, now), max(mostOfOne, of[a])
		mu.Unlock()
		<-time.After(time.Second) // virtual
		mu.Lock()
		now, of[a] = now-1, of[a]-1
		mu.Unlock()
		return http1.JSON(200, nil)
	}
	for _, test := range []struct{ peers, most, ofOne int }{{8, answersAtOnce, answersOfOne}, {64, answersAtOnce, 1}, {1, answersOfOne, answersOfOne}} {
		most, mostOfOne = 0, 0
		virtual(t, &http1.Server{Handler: handler, MaxPerAddr: 64}, func(t *testing.T, p *pipes) {
			p.fill(t, test.peers, plain)
			<-time.After(time.Minute) // virtual
		})
		if most != test.most || mostOfOne != test.ofOne {
			t.Errorf("%d peers: %d requests were handled at once, %d of one peer, want %d, %d", test.peers, most, mostOfOne, test.most, test.ofOne)
		}
	}
}

// TestRequestsOfNobody: a request that waited for its turn when its connection
// was closed for another is not kept.
func TestRequestsOfNobody(t *testing.T) {
	var mu sync.Mutex
	var handled []string
	release := map[string]chan struct{}{}
	handler := func(_ context.Context, r *http1.Request) *http1.Response {
		mu.Lock()
		handled = append(handled, r.Path)
		mu.Unlock()
		<-release[r.Path]
		return http1.JSON(200, nil)
	}
	synctest.Test(t, func(t *testing.T) {
		for _, path := range []string{"/1", "/2", "/3", "/4"} {
			release[path] = make(chan struct{})
		}
		p := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan error, 1)
		go func() { end <- (&http1.Server{MaxConns: 4, Handler: handler}).Serve(ctx, p) }()
		var open []net.Conn
		dial := func(peer int, raw string) {
			c := p.dial(from(peer, len(open)))
			open = append(open, c)
			io.WriteString(c, raw)
			<-time.After(100 * time.Millisecond) // virtual: who came first is to be told
		}
		for path := range 4 {
			dial(1, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", path+1))
		}
		open[0].Close()
		close(release["/1"]) // its turn is for one of those that wait
		<-time.After(100 * time.Millisecond)
		for peer := range 3 {
			dial(2+peer, "G") // a place that is free, that of /2, and that of the one that waits still
		}
		close(release["/2"])
		close(release["/3"])
		close(release["/4"])
		synctest.Wait()
		cancel()
		if err := <-end; err != nil {
			t.Error(err)
		}
		for _, c := range open {
			c.Close()
		}
	})
	if len(handled) != 3 {
		t.Errorf("%q were handled, want 3", handled)
	}
}

// TestMemoryUnderAttack: all places hold the largest head and nearly all of the
// largest body there may be.
func TestMemoryUnderAttack(t *testing.T) {
	const bound = 160 << 10 // of each
	virtual(t, &http1.Server{}, func(t *testing.T, p *pipes) {
		raw := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n" + strings.Repeat("X: "+strings.Repeat("y", 240)+"\r\n", 60) + "\r\n" + strings.Repeat("b", 65000)
		before := heap()
		p.fill(t, http1.DefaultMaxConns/http1.DefaultMaxPerAddr, raw)
		used := heap() - before
		t.Logf("%d connections with %d bytes each use %d kB", http1.DefaultMaxConns, len(raw), used>>10)
		if used > http1.DefaultMaxConns*bound {
			t.Errorf("%d bytes are in use, want at most %d", used, http1.DefaultMaxConns*bound)
		}
	})
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

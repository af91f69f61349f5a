package local_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/key"
	"ginnel/wire"
	"ginnel/wire/http1"
)

// stub is a daemon of which a test decides what it answers.
type stub struct {
	status    local.Status
	err       error
	reloads   int
	network   string         // of the last call of Coordinator
	request   *http1.Request // its request
	pins      []local.Pin
	forgotten []netip.Addr
	taken     key.PublicKey
	answer    *http1.Response
}

func (s *stub) Status(context.Context) (*local.Status, error) { return &s.status, s.err }

func (s *stub) Reload(context.Context) error {
	s.reloads++
	return s.err
}

func (s *stub) Running(network string) (local.Running, error) {
	s.network = network
	return s, s.err
}

func (s *stub) Fetch(context.Context) (*local.Network, error) { return &s.status.Networks[0], nil }

func (s *stub) Pins(context.Context) ([]local.Pin, error) { return s.pins, nil }

func (s *stub) Forget(_ context.Context, a netip.Addr, k key.PublicKey) error {
	s.forgotten, s.taken = append(s.forgotten, a), k
	return nil
}

func (s *stub) Coordinator(_ context.Context, network string, r *http1.Request) (*http1.Response, error) {
	s.network, s.request = network, r
	return s.answer, s.err
}

// serve serves the local API of d on a socket and returns its path.
func serve(t *testing.T, d local.Daemon) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		s := http1.Server{Handler: local.Handler(d)}
		if err := s.Serve(ctx, l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	return path
}

func TestStatus(t *testing.T) {
	public := key.NewPrivate([32]byte{1: 1}).Public()
	self := wire.Member{Address: netip.MustParseAddr("10.42.1.1"), Name: "ann", CIDR: "servers", PublicKey: public, Admin: true}
	d := &stub{status: local.Status{Version: "1", Networks: []local.Network{
		{
			Name: "home", State: local.Up, Role: "peer", Root: netip.MustParsePrefix("10.42.0.0/16"), PublicKey: public,
			Backend: "kernel", ListenPort: 7, Self: self, Revision: 8, LastContact: time.Unix(9, 0).UTC(), Problems: []string{"p"},
			Peers: []local.Peer{{Member: self, Endpoint: netip.MustParseAddrPort("192.0.2.1:7"), LastHandshake: time.Unix(5, 0).UTC(), Rx: 1, Tx: 2, Connected: true}},
		},
		{Name: "work", State: local.Down, Role: "peer", Peers: []local.Peer{}},
	}}}
	got, err := local.NewClient(serve(t, d)).Status(t.Context())
	if err != nil || !reflect.DeepEqual(got, &d.status) {
		t.Errorf("status is %+v, %v; want %+v", got, err, d.status)
	}
}

func TestReload(t *testing.T) {
	d := &stub{}
	c := local.NewClient(serve(t, d))
	if err := c.Reload(t.Context()); err != nil || d.reloads != 1 {
		t.Errorf("%d reloads, %v", d.reloads, err)
	}
	d.err = wire.Errorf(wire.StatusUnprocessable, "line 3 is wrong")
	wantProblem(t, c.Reload(t.Context()), wire.StatusUnprocessable, "line 3 is wrong")
	d.err = errors.New("out of memory")
	wantProblem(t, c.Reload(t.Context()), wire.StatusInternal, "out of memory")
	_, err := c.Status(t.Context())
	wantProblem(t, err, wire.StatusInternal, "out of memory")
}

// TestRunning: what is asked of one network reaches that one, and what it says
// comes back; why it does not run is told.
func TestRunning(t *testing.T) {
	public := key.NewPrivate([32]byte{1: 1}).Public()
	d := &stub{
		status: local.Status{Networks: []local.Network{{Name: "a b", State: local.Up, Peers: []local.Peer{}}}},
		pins: []local.Pin{
			{Address: netip.MustParseAddr("10.42.0.2"), Name: "bob", PublicKey: public, InMap: true},
			{Address: netip.MustParseAddr("10.42.0.3"), PublicKey: public, Presented: key.NewPrivate([32]byte{1: 2}).Public()},
		},
	}
	c := local.NewClient(serve(t, d))
	if n, err := c.Fetch(t.Context(), "a b"); err != nil || !reflect.DeepEqual(*n, d.status.Networks[0]) || d.network != "a b" {
		t.Errorf("fetch of %q: %+v, %v", d.network, n, err)
	}
	if pins, err := c.Pins(t.Context(), "home"); err != nil || !reflect.DeepEqual(pins, d.pins) || d.network != "home" {
		t.Errorf("pins of %q: %+v, %v", d.network, pins, err)
	}
	for _, s := range []string{"10.42.0.2", "fd00::2"} {
		d.network, d.forgotten = "", nil
		a := netip.MustParseAddr(s)
		for _, k := range []key.PublicKey{public, {}} {
			d.forgotten = nil
			if err := c.Forget(t.Context(), "home", a, k); err != nil || !slices.Equal(d.forgotten, []netip.Addr{a}) || d.network != "home" || d.taken != k {
				t.Errorf("forgotten in %q are %v for %s, %v", d.network, d.forgotten, d.taken, err)
			}
		}
	}
	d.err = wire.Errorf(wire.StatusConflict, "network home is down")
	_, err := c.Fetch(t.Context(), "home")
	wantProblem(t, err, wire.StatusConflict, "network home is down")
	_, err = c.Pins(t.Context(), "home")
	wantProblem(t, err, wire.StatusConflict, "network home is down")
	wantProblem(t, c.Forget(t.Context(), "home", netip.MustParseAddr("10.42.0.2"), key.PublicKey{}), wire.StatusConflict, "network home is down")
}

// TestCoordinator: names are escaped on the way there, the path and the query
// reach the daemon as they are, and the answer comes back.
func TestCoordinator(t *testing.T) {
	for _, network := range []string{"home", "coordinator", "v1", "a b%2F"} {
		d := &stub{answer: http1.JSON(wire.StatusCreated, wire.Rename{Name: "done"})}
		var got wire.Rename
		err := local.NewClient(serve(t, d)).Coordinator(t.Context(), network, "PATCH", "/v1/peers/x%2Fcoordinator%3F?a=b%26c", wire.Rename{Name: "y"}, &got)
		if err != nil || got.Name != "done" {
			t.Fatalf("%s: answer is %+v, %v", network, got, err)
		}
		r := d.request
		if d.network != network || r.Method != "PATCH" || r.Path != "/v1/peers/x%2Fcoordinator%3F" || r.Query.Get("a") != "b&c" || string(r.Body) != `{"name":"y"}` {
			t.Errorf("network %q: %s %s %v %s", d.network, r.Method, r.Path, r.Query, r.Body)
		}
	}
}

func TestCoordinatorRefuses(t *testing.T) {
	d := &stub{answer: http1.Fail(wire.Errorf(wire.StatusConflict, "the name is taken"))}
	c := local.NewClient(serve(t, d))
	wantProblem(t, c.Coordinator(t.Context(), "home", "GET", wire.PathPeers, nil, nil), wire.StatusConflict, "the name is taken")
	d.err = wire.Errorf(wire.StatusBadGateway, "it cannot be reached")
	wantProblem(t, c.Coordinator(t.Context(), "home", "GET", wire.PathPeers, nil, nil), wire.StatusBadGateway, "it cannot be reached")
}

// TestOlderCoordinator: where a coordinator does not know a request at all, the
// likely cause is told; where it only has no such thing, it is not.
func TestOlderCoordinator(t *testing.T) {
	const hint = ": the coordinator may be older than this program, then upgrade it first"
	for detail, status := range map[string]int{
		`there is nothing at "/v1/peers/x/invitation"`: wire.StatusNotFound,
		"PATCH does not work at /v1/network, only GET": wire.StatusMethod,
		`unknown parameter "preview"`:                  wire.StatusBadRequest,
		`the body has the unknown field "endpoints"`:   wire.StatusBadRequest,
		`no peer is called "there"`:                    wire.StatusNotFound,
		"the name has a space":                         wire.StatusBadRequest,
	} {
		want := detail + hint
		if strings.HasPrefix(detail, "no peer") || strings.HasPrefix(detail, "the name") {
			want = detail
		}
		d := &stub{answer: http1.Fail(wire.Errorf(status, "%s", detail))}
		wantProblem(t, local.NewClient(serve(t, d)).Coordinator(t.Context(), "home", "GET", wire.PathPeers, nil, nil), status, want)
	}
}

// TestPaths: whatever is no path of the API, or is asked with another method,
// reaches nothing.
func TestPaths(t *testing.T) {
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"POST", local.PathStatus, wire.StatusMethod, "GET"},
		{"GET", local.PathReload, wire.StatusMethod, "POST"},
		{"GET", "/", wire.StatusNotFound, ""},
		{"GET", "/v1/status/", wire.StatusNotFound, ""},
		{"GET", "/v2/status", wire.StatusNotFound, ""},
		{"GET", "/v1/networks/home/fetch", wire.StatusMethod, "POST"},
		{"POST", "/v1/networks/home/pins", wire.StatusMethod, "GET"},
		{"GET", "/v1/networks/home/pins/10.42.0.1", wire.StatusMethod, "DELETE"},
		{"DELETE", "/v1/networks/home/pins/10.42", wire.StatusBadRequest, ""},
		{"DELETE", "/v1/networks/home/pins/10.42.0.1?key=short", wire.StatusBadRequest, ""},
		{"DELETE", "/v1/networks/home/pins/", wire.StatusNotFound, ""},
		{"DELETE", "/v1/networks/home/pins/a/b", wire.StatusNotFound, ""},
		{"GET", "/v1/networks", wire.StatusNotFound, ""},
		{"GET", "/v1/networks/", wire.StatusNotFound, ""},
		{"GET", "/v1/networks/home", wire.StatusNotFound, ""},
		{"GET", "/v1/networks/home/coordinator", wire.StatusNotFound, ""},
		{"GET", "/v1/networks/home/coordinators/v1/peers", wire.StatusNotFound, ""},
		{"GET", "/v1/networks//coordinator/v1/peers", wire.StatusNotFound, ""},
		{"GET", "/v1/networks/a/b/coordinator/v1/peers", wire.StatusNotFound, ""},
		{"GET", "/v1/networks/a%2Fb/coordinator/v1/peers", wire.StatusNotFound, ""},
		{"GET", "/v1/networks/%zz/coordinator/v1/peers", wire.StatusNotFound, ""},
	} {
		d := &stub{answer: http1.JSON(wire.StatusOK, nil)}
		resp := local.Handler(d)(t.Context(), &http1.Request{Method: test.method, Path: test.path})
		if resp.Status != test.status || resp.Header.Get("Allow") != test.allow || resp.Header.Get("Content-Type") != wire.ProblemType {
			t.Errorf("%s %s: %d %v", test.method, test.path, resp.Status, resp.Header)
		}
		if d.reloads > 0 || d.request != nil || d.network != "" {
			t.Errorf("%s %s reached the daemon", test.method, test.path)
		}
	}
}

// TestNotRunning: no socket, and one that a dead daemon left, say how to start
// the daemon and nothing else.
func TestNotRunning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	check := func(what string) {
		t.Helper()
		c := local.NewClient(path)
		_, err := c.Status(t.Context())
		if !errors.Is(err, local.ErrNotRunning) || !strings.HasPrefix(err.Error(), "the daemon is not running: start it with") {
			t.Errorf("%s: error is %v", what, err)
		}
		if err := c.Coordinator(t.Context(), "home", "GET", wire.PathPeers, nil, nil); !errors.Is(err, local.ErrNotRunning) {
			t.Errorf("%s: error is %v", what, err)
		}
	}
	check("no socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	check("a dead daemon's socket")
}

// TestNotPermitted dials as a user without rights: the test's own are dropped
// on a thread that ends with it.
func TestNotPermitted(t *testing.T) {
	path := serve(t, &stub{})
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(path); dir != os.TempDir() && len(dir) > 1; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	result := make(chan error, 1)
	go func() { result <- asNobody(path) }()
	err := <-result
	if !errors.Is(err, local.ErrNotPermitted) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "group ginnel") {
		t.Errorf("error is %v", err)
	}
}

// TestInterrupted: a daemon that hangs is not waited for longer than the caller
// wants.
func TestInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		if c, err := l.Accept(); err == nil {
			defer c.Close()
			c.Read(make([]byte, 1)) // the request has begun
			cancel()
			io.Copy(io.Discard, c) // the client hangs up first
		}
	}()
	if _, err := local.NewClient(path).Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that it was cancelled", err)
	}
}

// nobody is the user and group without rights.
const nobody = 65534

// asNobody asks for the status from a thread that may open nothing.
func asNobody(path string) error {
	runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
	for _, call := range [][4]uintptr{
		{syscall.SYS_SETGROUPS},
		{syscall.SYS_SETRESGID, nobody, nobody, nobody},
		{syscall.SYS_SETRESUID, nobody, nobody, nobody},
	} {
		// A RawSyscall is for this thread alone.
		if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
			return errno
		}
	}
	_, err := local.NewClient(path).Status(context.Background())
	return err
}

func wantProblem(t *testing.T, err error, status int, detail string) {
	t.Helper()
	var p *wire.Problem
	if !errors.As(err, &p) || p.Status != status || p.Detail != detail {
		t.Errorf("error is %v, want problem %d %q", err, status, detail)
	}
}

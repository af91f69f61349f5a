package kernel_test

import (
	"errors"
	"io"

	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/journal"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/platform/link"
	"ginnel/platform/platformtest"
	"ginnel/platform/wireguard"
	"ginnel/platform/wireguard/kernel"
	"ginnel/platform/wireguard/userspace"
)

// quiet is a log that nobody reads.
var quiet *journal.Logger

// TestForeignKinds: a link of another kind is not adopted, and nothing is done
// to it; not by the choice between kernel and userspace either.
func TestForeignKinds(t *testing.T) {
	platformtest.Namespace(t)
	tun, err := userspace.New(quiet).Open("wg0", 1400)
	if err != nil {
		t.Fatal(err)
	}
	defer tun.Close()
	for _, name := range []string{"lo", "wg0"} {
		var before, after platform.NetState
		if err := link.New().Observe(name, &before); err != nil {
			t.Fatal(err)
		}
		for _, ts := range []platform.Tunnels{kernel.New(), wireguard.New("", quiet)} {
			_, err := ts.Open(name, mtu)
			wantErr(t, err, platform.ErrExist)
		}
		if err := link.New().Observe(name, &after); err != nil || after.MTU != before.MTU {
			t.Errorf("%s has MTU %d now (%v)", name, after.MTU, err)
		}
	}
}

// TestKernelFirst: where the kernel has WireGuard, it is the kernel's.
func TestKernelFirst(t *testing.T) {
	platformtest.Namespace(t)
	tn, err := wireguard.New("", quiet).Open("wg0", mtu)
	if err != nil {
		t.Fatal(err)
	}
	defer tn.Close()
	var s platform.TunnelState
	if err := tn.Observe(&s); err != nil || s.Backend != platform.Kernel {
		t.Errorf("it is of the %s (%v)", s.Backend, err)
	}
}

// TestAdoptSetsMTU: the MTU is what the last to open it wanted.
func TestAdoptSetsMTU(t *testing.T) {
	platformtest.Namespace(t)
	open(t, "wg0")
	for _, want := range []int{1300, 1420, mtu} {
		tn, err := kernel.New().Open("wg0", want)
		if err != nil {
			t.Fatal(err)
		}
		tn.Close()
		var s platform.NetState
		if err := link.New().Observe("wg0", &s); err != nil || s.MTU != want || s.Up {
			t.Errorf("MTU %d, up %v, %v; want %d", s.MTU, s.Up, err, want)
		}
	}
}

// TestPortOfStranger checks the conflict with a socket that is no tunnel's, of
// either family.
func TestPortOfStranger(t *testing.T) {
	platformtest.Namespace(t)
	tn := up(t, "wg0")
	tn.apply(t, platform.TunnelChange{Set: platform.SetListenPort, ListenPort: 40001})
	for _, network := range []string{"udp4", "udp6"} {
		c, err := net.ListenUDP(network, nil)
		if err != nil {
			t.Fatal(err)
		}
		port := c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		change := platform.TunnelChange{Set: platform.SetListenPort | platform.SetPrivateKey, ListenPort: port, PrivateKey: private(int(port))}
		err = tn.Apply(&change)
		wantErr(t, err, platform.ErrInUse)
		if s := tn.observe(t); s.ListenPort != 40001 || !s.PrivateKey.Equal(change.PrivateKey) {
			t.Errorf("%s: port %d (%v), want 40001 and the new key", network, s.ListenPort, err)
		}
		// A link that is down takes any port, and cannot come up with it.
		down := open(t, "wg1")
		down.apply(t, change)
		err = link.New().Apply("wg1", &platform.NetChange{SetUp: true})
		wantErr(t, err, platform.ErrInUse)
		c.Close()
		if err := link.New().Apply("wg1", &platform.NetChange{SetUp: true}); err != nil {
			t.Error(err)
		}
		if err := down.Delete(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDeletedByStranger: a link that was deleted is told of, and one that got
// its name is another's, which never hears our key.
func TestDeletedByStranger(t *testing.T) {
	platformtest.Namespace(t)
	secret := platform.TunnelChange{Set: platform.SetPrivateKey, PrivateKey: private(1)}
	for _, again := range []bool{false, true} {
		ours := open(t, "wg0")
		ours.apply(t, secret)
		if err := open(t, "wg0").Delete(); err != nil {
			t.Fatal(err)
		}
		var theirs *tunnel
		if again {
			theirs = open(t, "wg0")
		}
		for _, c := range []platform.TunnelChange{{}, secret} {
			wantErr(t, ours.Apply(&c), platform.ErrNotExist)
		}
		wantErr(t, ours.Observe(new(platform.TunnelState)), platform.ErrNotExist)
		wantErr(t, ours.Delete(), platform.ErrNotExist)
		if err := ours.Close(); err != nil {
			t.Error(err)
		}
		if again && !theirs.observe(t).PrivateKey.IsZero() {
			t.Error("the key went to another link of that name")
		}
	}
}

// TestOpenUnprivileged takes CAP_NET_ADMIN from its thread, which ends with it.
func TestOpenUnprivileged(t *testing.T) {
	platformtest.Namespace(t)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
	caps[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	if err := unix.Capset(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
	for _, ts := range []platform.Tunnels{kernel.New(), wireguard.New("", quiet)} {
		_, err := ts.Open("wg0", mtu)
		wantErr(t, err, platform.ErrPermission)
	}
}

// childVariable tells the test binary to be the process that is killed.
const childVariable = "GINNEL_TEST_CHILD"

// TestKilled: what a killed process had made goes on, with sessions and all,
// and the next process finds it.
func TestKilled(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		beKilled(t)
	}
	platformtest.Namespace(t)
	child := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.v")
	child.Env = append(os.Environ(), childVariable+"=1")
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 0, 1<<16)
	for !strings.Contains(string(said), ready) {
		n, err := out.Read(said[len(said):cap(said)])
		if err != nil {
			t.Fatalf("the child said %q (%v)", said, err)
		}
		said = said[:len(said)+n]
	}
	child.Process.Kill()
	child.Wait()
	a, b := open(t, "wg0"), open(t, "wg1")
	before := a.observe(t)
	if len(before.Peers) != 1 || before.Peers[0].LastHandshake.IsZero() || before.ListenPort != 40001 || !before.PrivateKey.Equal(private(1)) {
		t.Fatalf("what is left is %+v", before)
	}
	rx := before.Peers[0].Rx
	b.apply(t, platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: private(1).Public(), Update: true, Set: platform.SetKeepalive, Keepalive: 1}}})
	after := await(t, a, "a packet", func(p *platform.Peer) bool { return p.Rx > rx })
	if !after.LastHandshake.Equal(before.Peers[0].LastHandshake) {
		t.Error("there was another handshake")
	}
}

const ready = "ready to be killed"

// beKilled makes two tunnels with a session, and waits.
func beKilled(t *testing.T) {
	a, b := pair(t)
	await(t, a, "handshake", func(p *platform.Peer) bool { return !p.LastHandshake.IsZero() })
	await(t, b, "handshake", func(p *platform.Peer) bool { return !p.LastHandshake.IsZero() })
	os.Stdout.WriteString(ready + "\n")
	io.Copy(io.Discard, os.Stdin)
	t.Fatal("nobody killed this process")
}

// pair makes two tunnels that know each other; the first initiates.
func pair(t *testing.T) (a, b *tunnel) {
	t.Helper()
	a, b = up(t, "wg0"), up(t, "wg1")
	const both = platform.SetPrivateKey | platform.SetListenPort
	b.apply(t, platform.TunnelChange{Set: both, PrivateKey: private(2), ListenPort: 40002, Peers: []platform.PeerChange{{PublicKey: private(1).Public()}}})
	a.apply(t, platform.TunnelChange{Set: both, PrivateKey: private(1), ListenPort: 40001, Peers: []platform.PeerChange{{PublicKey: private(2).Public(),
		Set: platform.SetEndpoint | platform.SetKeepalive, Endpoint: netip.MustParseAddrPort("127.0.0.1:40002"), Keepalive: 25}}})
	return a, b
}

// patience is how long a test waits for what must come.
const patience = time.Minute

// await waits until ok holds for tn's only peer.
func await(t *testing.T, tn *tunnel, what string, ok func(*platform.Peer) bool) platform.Peer {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	var s platform.TunnelState
	for end := time.Now().Add(patience); time.Now().Before(end); <-again.C {
		if err := tn.Observe(&s); err != nil {
			t.Fatal(err)
		}
		if len(s.Peers) == 1 && ok(&s.Peers[0]) {
			return s.Peers[0]
		}
	}
	t.Fatalf("waited in vain for: %s", what)
	return platform.Peer{}
}

// TestSession reads what there is to observe of a session.
func TestSession(t *testing.T) {
	platformtest.Namespace(t)
	start := time.Now()
	a, b := pair(t)
	await(t, b, "keepalive", func(p *platform.Peer) bool { return p.Rx > 148 })
	p := await(t, a, "handshake", func(p *platform.Peer) bool { return !p.LastHandshake.IsZero() })
	// The kernel's clock for it is a few milliseconds behind.
	if since := p.LastHandshake.Sub(start); since < -time.Second || since > time.Since(start)+time.Second {
		t.Errorf("the handshake was %v after the start", since)
	}
	const initiation, response, keepalive = 148, 92, 32
	if p.Tx < initiation+keepalive || p.Rx < response || p.Rx%4 != 0 {
		t.Errorf("sent %d, received %d", p.Tx, p.Rx)
	}
	if e := b.observe(t).Peers[0].Endpoint; e != netip.MustParseAddrPort("127.0.0.1:40001") {
		t.Errorf("the other side sees %v", e)
	}
}

// TestTorn reads while another changes: what is not called torn is whole, and
// some is.
func TestTorn(t *testing.T) {
	enter := platformtest.Namespace(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	const n = 1000
	want := peers(n)
	tn := open(t, "wg0")
	tn.converge(t, want)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() { stopped <- disturb(enter, want.Peers[0].PublicKey, stop) }()
	var s platform.TunnelState
	torn, whole := 0, 0
	for end := time.Now().Add(patience); torn == 0 && time.Now().Before(end); {
		switch err := tn.Observe(&s); {
		case errors.Is(err, platform.ErrTorn):
			torn++
		case err != nil:
			t.Fatal(err)
		default:
			whole++
			if len(s.Peers) != n {
				t.Errorf("%d peers are said to be all", len(s.Peers))
			}
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d dumps were whole before one was torn", whole)
	if torn == 0 {
		t.Error("no dump was torn")
	}
	tn.want(t, want)
}

// disturb updates a peer again and again, through a tunnel of its own.
func disturb(enter func(), k key.PublicKey, stop chan struct{}) error {
	enter()
	tn, err := kernel.New().Open("wg0", mtu)
	if err != nil {
		return err
	}
	defer tn.Close()
	c := platform.TunnelChange{Peers: []platform.PeerChange{{PublicKey: k, Update: true, Set: platform.SetKeepalive}}}
	for {
		select {
		case <-stop:
			return nil
		default:
			if err := tn.Apply(&c); err != nil {
				return err
			}
		}
	}
}

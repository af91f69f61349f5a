// Package pair_test is one half of two machines that talk to each other: one
// runs TestCoordinator, the other TestPeer. When each has had an answer from
// the other it says so, and goes on until its machine is ended.
package pair_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/local"
	"ginnel/netlab"
)

// The environment of the tests, and where the parts are.
const (
	binary             = "/bin/ginnel"
	endpointVariable   = "PAIR_ENDPOINT"   // the coordinator's, on the cable
	invitationVariable = "PAIR_INVITATION" // for the peer
)

// The overlay's addresses that follow from how the network is made.
var (
	coordinator = netip.MustParseAddr("10.42.0.1")
	peer        = netip.MustParseAddr("10.42.1.1")
)

const patience = 2 * time.Minute

func TestCoordinator(t *testing.T) {
	end := startDaemon(t)
	ginnel(t, "network", "create", "home", "10.42.0.0/16", "--endpoint", os.Getenv(endpointVariable))
	ginnel(t, "cidr", "add", "machines", "10.42.1.0/24")
	fmt.Println("invitation:", strings.TrimSpace(ginnel(t, "peer", "invite", "other", "--cidr", "machines")))
	talk(t, coordinator, peer)
	<-end
}

func TestPeer(t *testing.T) {
	end := startDaemon(t)
	ginnel(t, "join", os.Getenv(invitationVariable))
	talk(t, peer, coordinator)
	<-end
}

// startDaemon starts the daemon, and returns what is closed when it ends.
func startDaemon(t *testing.T) (end <-chan struct{}) {
	t.Helper()
	daemon := exec.Command(binary, "daemon")
	daemon.Stdout, daemon.Stderr = os.Stdout, os.Stderr
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = daemon.Wait() // it does not end before the machine, or what waits for it fails
	}()
	netlab.Eventually(t, patience, "the daemon answers", func() error { return exec.Command(binary, "status").Run() })
	return ended
}

func ginnel(t *testing.T, args ...string) string {
	t.Helper()
	var problem bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ginnel %s: %v\n%s", args[0], err, &problem)
	}
	return string(out)
}

// talk answers what the other machine sends, sends it something, and says that
// it has seen the same come back.
func talk(t *testing.T, own, other netip.Addr) {
	t.Helper()
	const port = 4242
	var listener net.Listener
	netlab.Eventually(t, patience, "the overlay address is there", func() (err error) {
		listener, err = net.Listen("tcp", netip.AddrPortFrom(own, port).String())
		return err
	})
	answered := make(chan error, 1)
	go func() { answered <- echo(listener) }()
	netlab.Eventually(t, patience, "the other machine answers", func() error {
		return exchange(netip.AddrPortFrom(other, port))
	})
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	carriedByKernel(t)
	fmt.Println("talked")
}

// echo answers the first who comes.
func echo(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	_, err = io.Copy(conn, conn)
	return errors.Join(err, conn.Close())
}

// exchange sends a few hundred kilobytes and wants them back.
func exchange(to netip.AddrPort) error {
	conn, err := net.DialTimeout("tcp", to.String(), 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	sent := bytes.Repeat([]byte("a peer's address never changes. "), 8<<10)
	wrote := make(chan error, 1)
	go func() {
		_, err := conn.Write(sent)
		wrote <- errors.Join(err, conn.(*net.TCPConn).CloseWrite())
	}()
	got, err := io.ReadAll(conn)
	if err = errors.Join(err, <-wrote); err != nil {
		return err
	}
	if !bytes.Equal(got, sent) {
		return fmt.Errorf("%d bytes came back for %d, or others", len(got), len(sent))
	}
	return nil
}

// carriedByKernel fails unless the kernel's WireGuard carries the tunnel, with
// one peer that is connected by its address on the cable.
func carriedByKernel(t *testing.T) {
	t.Helper()
	var s local.Status
	if err := json.Unmarshal([]byte(ginnel(t, "status", "--json")), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Networks) != 1 || s.Networks[0].Backend != "kernel" || len(s.Networks[0].Peers) != 1 || !s.Networks[0].Peers[0].Connected {
		t.Fatalf("status: %+v", s.Networks)
	}
}

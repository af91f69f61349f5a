package userspace

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"

	"ginnel/platform/platformtest"
)

// to is where a bind listens at the address.
func to(t *testing.T, address string, port uint16) conn.Endpoint {
	t.Helper()
	return parse(t, netip.AddrPortFrom(netip.MustParseAddr(address), port).String())
}

// TestRemovedAddress: answers come from the address that was spoken to while
// it is there, then from another, and the endpoint does not go back to it.
func TestRemovedAddress(t *testing.T) {
	platformtest.Namespace(t)
	for i, addresses := range [][2]string{{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}} {
		for _, a := range addresses {
			addAddress(t, a)
		}
		near, atNear, _ := opened(t)
		far, atFar, port := opened(t)
		first, second := netip.MustParseAddr(addresses[0]), netip.MustParseAddr(addresses[1])
		give(t, near, newEndpoint(netip.AddrPortFrom(second, port), arrival{local: first}), "hello")
		_, from := take(t, atFar[i])
		give(t, far, from, "yes")
		if _, answer := take(t, atNear[i]); answer.DstIP() != second || from.SrcIP() != second {
			t.Errorf("the answer came from %s, want %s", answer.DstIP(), second)
		}
		ip(t, "address", "delete", addresses[1], "dev", "lo")
		give(t, far, from, "moved")
		if got, answer := take(t, atNear[i]); got != "moved" || answer.DstIP() == second || from.SrcIP().IsValid() {
			t.Errorf("%q came from %s, its source is kept as %s", got, answer.DstIP(), from.SrcIP())
		}
	}
}

// TestMark: packets of both families carry the mark from when it is set until
// it is taken away. What has it is prohibited here.
func TestMark(t *testing.T) {
	platformtest.Namespace(t)
	for _, network := range []string{"198.51.100.0/24", "2001:db8:1::/64"} {
		ip(t, "route", "add", network, "dev", "lo")
	}
	b, _, _ := opened(t)
	for _, family := range []struct{ option, host string }{{"-4", "198.51.100.2"}, {"-6", "2001:db8:1::2"}} {
		ip(t, family.option, "rule", "add", "fwmark", "0x80000007", "prohibit")
		for _, step := range []struct {
			mark uint32
			want error
		}{{7, nil}, {0x80000007, unix.EACCES}, {0, nil}} {
			if err := b.SetMark(step.mark); err != nil {
				t.Fatal(err)
			}
			if err := b.Send([][]byte{{1}}, to(t, family.host, 9)); !errors.Is(err, step.want) {
				t.Errorf("mark %#x to %s: error is %v, want %v", step.mark, family.host, err, step.want)
			}
		}
	}
}

// TestLinkLocal: the link a packet came from is named in its endpoint, and the
// answer goes there.
func TestLinkLocal(t *testing.T) {
	platformtest.Namespace(t)
	addAddress(t, "fe80::1/64")
	near, atNear, _ := opened(t)
	far, atFar, port := opened(t)
	give(t, near, parse(t, fmt.Sprintf("[fe80::1%%lo]:%d", port)), "hello")
	_, from := take(t, atFar[1])
	if zone := from.DstIP().Zone(); zone != "lo" {
		t.Errorf("it came from %s, want zone lo", from.DstToString())
	}
	give(t, far, parse(t, from.DstToString()), "yes")
	if got, _ := take(t, atNear[1]); got != "yes" {
		t.Errorf("the answer is %q", got)
	}
}

// TestReceivesAfterError: an error of a socket that stays open is none that
// ends the device's receiving for good, which those of package net do.
func TestReceivesAfterError(t *testing.T) {
	platformtest.Namespace(t)
	const port = 40001 // given: one that was chosen would be lost with the error below
	b := &bind{}
	receive, _, err := b.Open(port)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	kill := exec.Command("ss", "--kill", "--udp", "--all", "--numeric", fmt.Sprintf("sport = %d", port))
	if out, err := kill.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i, host := range []string{"127.0.0.1", "::1"} {
		_, err := receive[i]([][]byte{make([]byte, 64)}, []int{0}, []conn.Endpoint{nil})
		if _, final := err.(net.Error); final || !errors.Is(err, unix.ECONNABORTED) {
			t.Errorf("%s: error is %v (%T), want ECONNABORTED and no net.Error", host, err, err)
		}
		give(t, b, to(t, host, port), host)
		if got, _ := take(t, receive[i]); got != host {
			t.Errorf("got %q, want %s", got, host)
		}
	}
}

// addAddress gives loopback an address and waits until it is this machine's,
// which the kernel sees to later.
func addAddress(t *testing.T, address string) {
	t.Helper()
	ip(t, "address", "add", address, "dev", "lo", "nodad")
	bare, _, _ := strings.Cut(address, "/")
	family := "-4"
	if strings.Contains(bare, ":") {
		family = "-6"
	}
	await(t, address+" to be this machine's", func() bool {
		out, err := exec.Command("ip", family, "route", "show", "table", "local").Output()
		return err == nil && strings.Contains(string(out), "local "+bare+" ")
	})
}

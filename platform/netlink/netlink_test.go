package netlink

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/platform/platformtest"
)

// about asks for the link called name.
func about(name string) Body {
	b := make(Body, unix.SizeofIfInfomsg)
	b.Text(unix.IFLA_IFNAME, name)
	return b
}

func dial(t *testing.T) *Conn {
	t.Helper()
	c, err := Dial(unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// name is a link's, of an answer.
func name(t *testing.T, b []byte) (name string) {
	t.Helper()
	err := Each(b[unix.SizeofIfInfomsg:], func(a Attribute) {
		if a.Type == unix.IFLA_IFNAME {
			name = a.Text()
		}
	})
	if err != nil {
		t.Error(err)
	}
	return name
}

// TestConn asks one thing after the other on one socket: a refusal leaves
// nothing behind that the next answer would be mixed with.
func TestConn(t *testing.T) {
	platformtest.Namespace(t)
	c := dial(t)
	for range 2 {
		one, err := c.Do(unix.RTM_GETLINK, 0, about("lo"))
		if err != nil || len(one.Bodies) != 1 || name(t, one.Bodies[0]) != "lo" {
			t.Errorf("lo: %d answers, %v", len(one.Bodies), err)
		}
		var refusal *Refusal
		if none, err := c.Do(unix.RTM_GETLINK, 0, about("none")); !errors.As(err, &refusal) || !errors.Is(err, unix.ENODEV) || len(none.Bodies) != 0 {
			t.Errorf("no such link: %d answers, %v", len(none.Bodies), err)
		}
		all, err := c.Dump(unix.RTM_GETLINK, make(Body, unix.SizeofIfInfomsg))
		if err != nil || len(all.Bodies) == 0 || all.Torn || name(t, all.Bodies[0]) != "lo" {
			t.Errorf("all links: %d answers, torn %v, %v", len(all.Bodies), all.Torn, err)
		}
	}
}

// TestExplanation has the kernel say why it refuses.
func TestExplanation(t *testing.T) {
	platformtest.Namespace(t)
	b := make(Body, unix.SizeofIfInfomsg)
	b[0] = unix.AF_INET6 // strictly, a dump of links asks for none
	b.Uint32(unix.IFLA_MTU, 1)
	c := dial(t)
	if err := c.CheckStrictly(true); err != nil {
		t.Fatal(err)
	}
	var refusal *Refusal
	if _, err := c.Dump(unix.RTM_GETLINK, b); !errors.As(err, &refusal) || refusal.Text == "" || !strings.HasPrefix(err.Error(), refusal.Text+": ") {
		t.Errorf("refused with %v", err)
	}
}

func TestDialWhatThereIsNot(t *testing.T) {
	if c, err := Dial(31); !errors.Is(err, unix.EPROTONOSUPPORT) {
		t.Errorf("got %v, %v", c, err)
	}
	if f, err := Listen(31, 0); !errors.Is(err, unix.EPROTONOSUPPORT) {
		t.Errorf("got %v, %v", f, err)
	}
}

// TestListen hears that a link has changed, nothing before that, and the end.
func TestListen(t *testing.T) {
	platformtest.Namespace(t)
	f, err := Listen(unix.NETLINK_ROUTE, 1<<(unix.RTNLGRP_LINK-1))
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	if err := f.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes, %v, though nothing happened", n, err)
	}
	change := about("lo")
	change.Uint32(unix.IFLA_MTU, 1500)
	if _, err := dial(t).Do(unix.RTM_NEWLINK, 0, change); err != nil {
		t.Fatal(err)
	}
	if err := f.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Read(b); err != nil || binary.NativeEndian.Uint16(b[4:]) != unix.RTM_NEWLINK {
		t.Errorf("read %d bytes, %v", n, err)
	}
	ended := make(chan error)
	go func() {
		for {
			if _, err := f.Read(b); err != nil {
				ended <- err
				return
			}
		}
	}()
	f.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("ended with %v", err)
	}
}

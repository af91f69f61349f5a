// Package netlink speaks netlink with the kernel: requests and their answers,
// the attributes that both are made of, and a socket that listens. It is for
// what asks now and then; WireGuard's thousands of peers have package
// wireguard/kernel, which allocates nothing.
//
// A [Conn] is blocking and past the runtime's poller: the kernel does what a
// request says before write returns, so read never waits. Connected, it takes
// messages from the kernel alone.
package netlink

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// datagram is what one read takes, in bytes: no kernel makes an answer larger
// than that, or than the reader's largest read.
const datagram = 32 << 10

// Patience is how long the kernel may take to answer. It answers before write
// returns, so this is for kernels that do not answer at all.
const Patience = 5 * time.Second

// Conn is a socket for some requests, one after the other. It is not safe for
// concurrent use. An error that is no [*Refusal] may leave something unread
// behind: then close it.
type Conn struct {
	fd       int
	sequence uint32 // of the last request
	in       []byte
}

// Dial connects to the kernel's side of a protocol (NETLINK_*). Errors are those
// of Connect.
func Dial(protocol int) (*Conn, error) {
	fd, err := Connect(protocol)
	if err != nil {
		return nil, err
	}
	return &Conn{fd: fd, in: make([]byte, datagram)}, nil
}

// Connect returns the descriptor of a socket that is connected to the kernel's
// side of a protocol, so that nobody else can send to it. A read fails with
// EAGAIN after [Patience]. The caller closes it. An error wraps the errno.
func Connect(protocol int) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, fmt.Errorf("open a netlink socket: %w", err)
	}
	timeout := unix.NsecToTimeval(Patience.Nanoseconds())
	err = errors.Join(
		unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
	)
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("connect a netlink socket: %w", err)
	}
	// Explanations with errors, and no copy of what was asked, which may hold
	// keys: since Linux 4.12 and 4.3.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return fd, nil
}

// Close closes the socket.
func (c *Conn) Close() { unix.Close(c.fd) }

// CheckStrictly tells whether the kernel is to refuse, and to keep to, what the
// bodies of dumps ask for. Kernels before 4.20 cannot and return an error.
func (c *Conn) CheckStrictly(strict bool) error {
	value := 0
	if strict {
		value = 1
	}
	return unix.SetsockoptInt(c.fd, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, value)
}

// Do sends a request of a type, with flags beside those that every request has,
// and returns what the kernel says to it beside its consent. The error is a
// [*Refusal] where it refuses.
func (c *Conn) Do(typ, flags uint16, body []byte) (Answer, error) {
	return c.exchange(typ, flags|unix.NLM_F_ACK, body)
}

// Dump asks for all objects of a kind. Errors are those of Do.
func (c *Conn) Dump(typ uint16, body []byte) (Answer, error) {
	return c.exchange(typ, unix.NLM_F_DUMP, body)
}

func (c *Conn) exchange(typ, flags uint16, body []byte) (a Answer, err error) {
	c.sequence++
	if _, err := retry(func() (int, error) { return unix.Write(c.fd, request(typ, flags, c.sequence, body)) }); err != nil {
		return a, fmt.Errorf("send a request: %w", err)
	}
	for done := false; !done; {
		n, err := retry(func() (int, error) { return unix.Read(c.fd, c.in) })
		if err != nil {
			return a, fmt.Errorf("read an answer: %w", err)
		}
		if done, err = a.take(append([]byte(nil), c.in[:n]...), c.sequence); err != nil {
			return a, err
		}
	}
	return a, nil
}

// retry repeats a call that the runtime's own signals interrupted.
func retry(call func() (int, error)) (n int, err error) {
	for n, err = call(); err == unix.EINTR; {
		n, err = call()
	}
	return n, err
}

// Listen returns a socket that hears what the kernel tells some groups, a mask
// of 1<<(RTNLGRP_*-1) and their like: each read takes one datagram, or what the
// buffer has room for. A read fails with ENOBUFS once when news were lost. It has
// deadlines, and may be closed while a read waits.
func Listen(protocol int, groups uint32) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listen on a netlink socket: %w", err)
	}
	return os.NewFile(uintptr(fd), "netlink"), nil
}

// Refusal is the kernel's answer to a request that it did not do.
type Refusal struct {
	Errno syscall.Errno
	Text  string // the kernel's own explanation; empty where it gave none
}

// Error implements error, in the kernel's words alone.
func (r *Refusal) Error() string {
	if r.Text == "" {
		return r.Errno.Error()
	}
	return r.Text + ": " + r.Errno.Error()
}

// Unwrap returns the errno.
func (r *Refusal) Unwrap() error { return r.Errno }

package kernel

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/platform/wireguard/kernel/message"
)

// datagramSize is what one read takes, in bytes. The kernel makes a dump's
// first datagram as large as a page, at most 8 KiB, and the later ones as large
// as the reader's largest read: fewer, and fewer gaps for a change to slip in.
const datagramSize = 16 << 10

// patience is how long the kernel may take to answer. It answers before write
// returns, so this is for kernels that do not answer at all.
const patience = 5 * time.Second

// socket speaks netlink to the kernel: one request at a time, in blocking
// system calls, without the runtime's poller. It is not safe for concurrent
// use.
type socket struct {
	fd       int
	sequence uint32 // of the last request
	in       []byte // datagrams; cleared after reading: dumps hold keys
	broken   bool   // an answer was not read to its end, and what is left of it may still come
}

// dial connects to the kernel: nobody else can then send to the socket.
func dial(protocol int) (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", translate(err))
	}
	timeout := unix.NsecToTimeval(patience.Nanoseconds())
	err = errors.Join(
		unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
	)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connect a netlink socket: %w", translate(err))
	}
	// Explanations with errors, and no copy of our keys; since Linux 4.12 and
	// 4.3. Older kernels have no WireGuard, but a backport may.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return &socket{fd: fd, in: make([]byte, datagramSize)}, nil
}

func (s *socket) close() { unix.Close(s.fd) }

// exchange sends a request and reads its answer to the end. What the kernel
// says beside its verdict goes to sink, which may be nil. Torn tells that it
// changed meanwhile. An error wraps the kernel's errno, or breaks the socket.
func (s *socket) exchange(request []byte, sink message.Sink) (torn bool, err error) {
	s.sequence++
	message.Number(request, s.sequence)
	if err := s.write(request); err != nil {
		s.broken = true
		return false, fmt.Errorf("send a request: %w", translate(err))
	}
	answer := message.Answer{Sequence: s.sequence}
	for !answer.Done {
		n, err := s.read()
		if err == nil {
			err = answer.Take(s.in[:n], sink)
		}
		clear(s.in[:n])
		if err != nil {
			s.broken = !answer.Done
			return false, translate(err)
		}
	}
	return answer.Torn, nil
}

func (s *socket) write(b []byte) error {
	for {
		_, err := unix.Write(s.fd, b)
		if err != unix.EINTR {
			return err
		}
	}
}

// read reads one datagram. It is interrupted by the runtime's own signals.
func (s *socket) read() (int, error) {
	for {
		n, err := unix.Read(s.fd, s.in)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, fmt.Errorf("the kernel did not answer within %v", patience)
		default:
			return 0, fmt.Errorf("read an answer: %w", err)
		}
	}
}

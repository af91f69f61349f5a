package kernel

import (
	"fmt"

	"golang.org/x/sys/unix"

	"ginnel/platform/netlink"
	"ginnel/platform/wireguard/kernel/message"
)

// datagramSize is what one read takes, in bytes. The kernel makes a dump's
// first datagram as large as a page, at most 8 KiB, and the later ones as large
// as the reader's largest read: fewer, and fewer gaps for a change to slip in.
const datagramSize = 16 << 10

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
	fd, err := netlink.Connect(protocol)
	if err != nil {
		return nil, translate(err)
	}
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
			return 0, fmt.Errorf("the kernel did not answer within %v", netlink.Patience)
		default:
			return 0, fmt.Errorf("read an answer: %w", err)
		}
	}
}

package uapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// How long another program has for one operation: most are answered within
// milliseconds, and the daemon waits for it.
const (
	answerTime = 5 * time.Second
	// byteTime is for each byte of the question besides: a new peer takes some
	// 200, and the slowest machines 20 ms to agree on a secret with it.
	byteTime = 100 * time.Microsecond
)

// socket is the device that answers on a unix socket. It implements Device.
type socket struct{ path string }

// Set implements Device. What the device refuses it stops to read, so that it
// may have answered though the writing failed.
func (s socket) Set(text []byte) error {
	answer, err := s.ask(nil, []byte("set=1\n"), text, []byte{'\n'})
	clear(answer)
	return err
}

// Get implements Device.
func (s socket) Get(dst []byte) ([]byte, error) { return s.ask(dst, []byte("get=1\n\n")) }

// ask sends a question, in parts, and appends the answer to dst.
func (s socket) ask(dst []byte, question ...[]byte) ([]byte, error) {
	conn, err := s.dial()
	if err != nil {
		return dst, err
	}
	defer conn.Close()
	long := 0
	for _, part := range question {
		long += len(part)
	}
	err = conn.SetDeadline(time.Now().Add(answerTime + time.Duration(long)*byteTime))
	for _, part := range question {
		if err == nil {
			_, err = conn.Write(part)
		}
	}
	dst, answered := readAnswer(dst, conn)
	if answered != nil {
		return dst, errors.Join(answered, err)
	}
	return dst, nil
}

// dial connects to the device. A socket that nobody answers on is what a
// program that was killed leaves.
func (s socket) dial() (net.Conn, error) {
	conn, err := net.DialTimeout("unix", s.path, answerTime)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ECONNREFUSED):
		return nil, fmt.Errorf("a program that answers at %s %w", s.path, platform.ErrNotExist)
	case errors.Is(err, unix.EACCES):
		return nil, fmt.Errorf("%s: %v: let this user read and write it", s.path, unix.EACCES)
	case err != nil:
		return nil, fmt.Errorf("connect to the interface's program: %w", err)
	}
	return conn, nil
}

const (
	answerEnd = "\n\n"
	errnoName = "errno="
	room      = 4096 // bytes, at least, to read into
)

// readAnswer appends an answer to dst, and returns the error that its last line
// tells. What outgrows its memory leaves no copy of a key behind.
func readAnswer(dst []byte, r io.Reader) ([]byte, error) {
	begin := len(dst)
	for {
		if cap(dst)-len(dst) < room {
			old := dst
			dst = append(make([]byte, 0, 2*len(old)+2*room), old...)
			clear(old)
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if text := dst[begin:]; bytes.HasSuffix(text, []byte(answerEnd)) {
			return dst, parseErrno(text)
		}
		if err != nil {
			return dst, fmt.Errorf("the interface's program does not answer to the end: %w", err)
		}
	}
}

// parseErrno reads the last line of an answer. wireguard-go's numbers are
// negative.
func parseErrno(answer []byte) error {
	line := bytes.TrimSuffix(answer, []byte(answerEnd))
	line, found := bytes.CutPrefix(line[bytes.LastIndexByte(line, '\n')+1:], []byte(errnoName))
	n, err := strconv.Atoi(string(line))
	switch {
	case !found || err != nil:
		return errors.New("the interface's program answers in another language than WireGuard's")
	case n == 0:
		return nil
	}
	return fmt.Errorf("the interface's program refuses: %w", unix.Errno(max(n, -n)))
}

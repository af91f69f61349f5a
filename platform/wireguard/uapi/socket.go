package uapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// answerTime is how long another program has for one operation: it answers
// within milliseconds, and the daemon waits for it.
const answerTime = 5 * time.Second

// socket is the device that answers on a unix socket. It implements Device.
type socket struct{ path string }

// IpcSetOperation implements Device. What the device refuses it stops to read,
// so that it may have answered though the writing failed.
func (s socket) IpcSetOperation(r io.Reader) error {
	conn, err := s.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte("set=1\n"))
	if err == nil {
		_, err = io.Copy(conn, r)
	}
	if err == nil {
		_, err = conn.Write([]byte{'\n'})
	}
	if answered := answer(conn, io.Discard); answered != nil {
		return errors.Join(answered, err)
	}
	return nil
}

// IpcGetOperation implements Device.
func (s socket) IpcGetOperation(w io.Writer) error {
	conn, err := s.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("get=1\n\n")); err != nil {
		return err
	}
	return answer(conn, w)
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
	return conn, conn.SetDeadline(time.Now().Add(answerTime))
}

const (
	answerEnd = "\n\n"
	errnoName = "errno="
	errnoLine = len(errnoName) + 20 + len(answerEnd) // bytes at most
)

// answer copies an answer to w, and returns the error that its last line
// tells.
func answer(r io.Reader, w io.Writer) error {
	var b [4096]byte
	defer clear(b[:]) // a private key may have passed
	tail := make([]byte, 0, errnoLine+len(b))
	defer func() { clear(tail[:cap(tail)]) }()
	for {
		n, err := r.Read(b[:])
		if _, err := w.Write(b[:n]); err != nil {
			return err
		}
		tail = append(tail, b[:n]...)
		if bytes.HasSuffix(tail, []byte(answerEnd)) {
			return parseErrno(string(tail[max(0, len(tail)-errnoLine):]))
		}
		if err != nil {
			return fmt.Errorf("the interface's program does not answer to the end: %w", err)
		}
		tail = append(tail[:0], tail[max(0, len(tail)-errnoLine):]...)
	}
}

// parseErrno reads the end of an answer. wireguard-go's numbers are negative.
func parseErrno(end string) error {
	_, text, found := strings.Cut(strings.TrimSuffix(end, answerEnd), errnoName)
	n, err := strconv.Atoi(text)
	switch {
	case !found || err != nil:
		return errors.New("the interface's program answers in another language than WireGuard's")
	case n == 0:
		return nil
	}
	return fmt.Errorf("the interface's program refuses: %w", unix.Errno(max(n, -n)))
}

package terminal

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Input returns a reader of f, a terminal or a pipe, that fails with ctx's
// error once ctx has ended: a plain read would wait for the next line first.
func Input(ctx context.Context, f *os.File) io.Reader { return &input{ctx, f} }

type input struct {
	ctx context.Context
	f   *os.File
}

// Read waits until there is something to read, or ctx ends.
func (in *input) Read(b []byte) (int, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return 0, fmt.Errorf("wait for input: %w", err)
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(in.ctx, func() {
		defer close(woken)
		unix.Write(wake, []byte{7: 1, 0: 1}) // not zero in either byte order; it cannot fail: the counter is zero
	})
	err = in.wait(wake)
	if !stop() {
		<-woken // it writes to wake, which is ours until then
	}
	unix.Close(wake)
	if err != nil {
		return 0, err
	}
	return in.f.Read(b)
}

func (in *input) wait(wake int) error {
	fds := []unix.PollFd{{Fd: int32(in.f.Fd()), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case in.ctx.Err() != nil:
			return in.ctx.Err()
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("wait for input: %w", err)
		default:
			return nil
		}
	}
}

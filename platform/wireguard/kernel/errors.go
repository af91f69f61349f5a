package kernel

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/wireguard/kernel/message"
)

// errUnknownFamily is the kernel's answer when it has no WireGuard, any more.
const errUnknownFamily = unix.ENOENT

// translate puts an error of a system call or of the kernel's answer behind
// the sentinel that fits, and keeps the errno in it.
func translate(err error) error {
	var refusal *message.Refusal
	if errors.As(err, &refusal) {
		err = unix.Errno(refusal.Errno)
		if refusal.Text != "" {
			err = fmt.Errorf("%s: %w", refusal.Text, err)
		}
	}
	if s := sentinel(err); s != nil {
		return fmt.Errorf("%w: %w", s, err)
	}
	return err
}

// sentinel returns what platform calls err; nil where it has no name for it.
func sentinel(err error) error {
	for _, s := range []struct {
		errno unix.Errno
		is    error
	}{
		{unix.ENODEV, platform.ErrNotExist},
		{unix.EEXIST, platform.ErrExist},
		{unix.EPERM, platform.ErrPermission},
		{unix.EADDRINUSE, platform.ErrInUse},
		{unix.EOPNOTSUPP, platform.ErrUnsupported},
		{unix.EAFNOSUPPORT, platform.ErrUnsupported},
		{unix.EPROTONOSUPPORT, platform.ErrUnsupported},
	} {
		if errors.Is(err, s.errno) {
			return s.is
		}
	}
	return nil
}

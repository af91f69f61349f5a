package link

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// netlinkError puts err, an answer of the kernel, behind the sentinel that
// fits. EACCES is how the kernel refuses an IPv6 address or route on a link
// where IPv6 is switched off; it is no matter of permission.
func netlinkError(err error) error {
	if errors.Is(err, unix.EACCES) {
		return fmt.Errorf("%w: %w", platform.ErrUnsupported, err)
	}
	return translate(err)
}

// socketError is netlinkError for what socket, bind and setsockopt return.
// EACCES is a port below 1024 without CAP_NET_BIND_SERVICE.
func socketError(err error) error {
	if errors.Is(err, unix.EACCES) {
		return fmt.Errorf("%w: %w", platform.ErrLowPort, err)
	}
	return translate(err)
}

func translate(err error) error {
	if s := sentinel(err); s != nil && !errors.Is(err, s) {
		return fmt.Errorf("%w: %w", s, err)
	}
	return err
}

// sentinel returns what platform calls err; nil where it has no name for it.
func sentinel(err error) error {
	switch {
	case isAny(err, unix.ENODEV, unix.ENXIO, unix.ESRCH, unix.EADDRNOTAVAIL):
		return platform.ErrNotExist
	case isAny(err, unix.EEXIST):
		return platform.ErrExist
	case isAny(err, unix.EPERM):
		return platform.ErrPermission
	case isAny(err, unix.EOPNOTSUPP, unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT):
		return platform.ErrUnsupported
	case isAny(err, unix.EADDRINUSE, unix.EBUSY):
		return platform.ErrInUse
	}
	return nil
}

// isAny tells whether err is one of errnos.
func isAny(err error, errnos ...error) bool {
	return slices.ContainsFunc(errnos, func(errno error) bool { return errors.Is(err, errno) })
}

// checkName refuses names the kernel would cut short, and the empty one, which
// makes SO_BINDTODEVICE bind to no link at all.
func checkName(link string) error {
	if link == "" || len(link) >= unix.IFNAMSIZ {
		return fmt.Errorf("%w: a link's name has 1 to %d characters", platform.ErrNotExist, unix.IFNAMSIZ-1)
	}
	return nil
}

package userspace

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/tun"

	"ginnel/platform"
)

const tunPath = "/dev/net/tun"

// tunLink is a TUN interface of ours, as wireguard-go wants to see it. It is
// monitored by nobody: see the package comment.
type tunLink struct {
	tun.Device
	name   string       // as it was made
	mtu    atomic.Int32 // bytes, as last seen by sync
	mu     sync.Mutex   // guards events against being closed
	events chan tun.Event
	closed bool
}

// openTUN makes the interface, down.
func openTUN(name string, mtu int) (*tunLink, error) {
	fd, err := unix.Open(tunPath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, openError(err)
	}
	if err := makeTUN(fd, name, mtu); err != nil {
		unix.Close(fd)
		return nil, err
	}
	d, _, err := tun.CreateUnmonitoredTUNFromFD(fd) // fd is its own from here, whatever it returns
	if err != nil {
		return nil, fmt.Errorf("set up the TUN interface: %w", err)
	}
	l := &tunLink{Device: d, name: name, events: make(chan tun.Event, 1)}
	l.mtu.Store(int32(mtu))
	return l, nil
}

func openError(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%s: %w; load the tun module (OpenWrt: install kmod-tun; kernel option CONFIG_TUN)", tunPath, platform.ErrUnsupported)
	case errors.Is(err, unix.EACCES): // its mode or owner; no capability of ours is missing
		return fmt.Errorf("%s: %w: let this user read and write it", tunPath, err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%s: %w (%w)", tunPath, platform.ErrPermission, err)
	}
	return fmt.Errorf("%s: %w", tunPath, err)
}

// makeTUN gives fd an interface that did not exist before (IFF_TUN_EXCL: a
// persistent TUN of that name is somebody else's).
func makeTUN(fd int, name string, mtu int) error {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("name %q: %w", name, err)
	}
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR | unix.IFF_TUN_EXCL)
	switch err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); {
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("a link of that name %w: delete it, or choose another name", platform.ErrExist)
	case errors.Is(err, unix.EPERM):
		return platform.ErrPermission
	case err != nil:
		return fmt.Errorf("make a TUN interface: %w", err)
	}
	if err := ioctlMTU(unix.SIOCSIFMTU, name, &mtu); err != nil {
		return fmt.Errorf("set MTU %d: %w", mtu, err)
	}
	return nil
}

// ioctlMTU gets or sets a link's MTU.
func ioctlMTU(op uint, name string, mtu *int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	ifr.SetUint32(uint32(*mtu))
	err = unix.IoctlIfreq(fd, op, ifr)
	*mtu = int(int32(ifr.Uint32()))
	return err
}

// sync makes the device follow the link's MTU. It returns
// platform.ErrNotExist when the link is gone.
func (l *tunLink) sync() error {
	name, err := l.currentName()
	var mtu int
	if err == nil {
		err = ioctlMTU(unix.SIOCGIFMTU, name, &mtu)
	}
	switch {
	case errors.Is(err, unix.EBADFD), errors.Is(err, unix.ENODEV), l.isClosed():
		return fmt.Errorf("tunnel %s %w: somebody deleted it", l.name, platform.ErrNotExist)
	case err != nil:
		return fmt.Errorf("tunnel %s: read its MTU: %w", l.name, err)
	}
	if int(l.mtu.Swap(int32(mtu))) != mtu {
		l.tell(tun.EventMTUUpdate)
	}
	return nil
}

// currentName asks the TUN itself: a link that has the name may be another.
func (l *tunLink) currentName() (name string, err error) {
	raw, err := l.File().SyscallConn()
	if err != nil {
		return "", err
	}
	ifr, err := unix.NewIfreq("")
	if err != nil {
		return "", err
	}
	ctl := raw.Control(func(fd uintptr) { err = unix.IoctlIfreq(int(fd), unix.TUNGETIFF, ifr) })
	return ifr.Name(), errors.Join(ctl, err)
}

// isClosed tells whether the device closed l: it does when the link vanishes.
func (l *tunLink) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

func (l *tunLink) tell(e tun.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	select {
	case l.events <- e:
	default: // one is waiting already
	}
}

// MTU implements tun.Device; the device reads it after EventMTUUpdate.
func (l *tunLink) MTU() (int, error) { return int(l.mtu.Load()), nil }

// Events implements tun.Device.
func (l *tunLink) Events() <-chan tun.Event { return l.events }

// Close implements tun.Device. The device calls it too, when the link vanishes
// under it.
func (l *tunLink) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return os.ErrClosed
	}
	l.closed = true
	close(l.events)
	return l.Device.Close()
}

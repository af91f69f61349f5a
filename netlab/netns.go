package netlab

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// namespaces are one node's namespaces, which live as long as these files are
// open and no process is in them. A switch has only net; its others are nil.
type namespaces struct{ net, mnt, uts *os.File }

// newNamespaces makes the namespaces that flags (CLONE_NEW...) name, and runs
// setup inside them.
func newNamespaces(flags int, setup func() error) (*namespaces, error) {
	ns := new(namespaces)
	err := onThread(func() error {
		if err := unix.Unshare(flags); err != nil {
			return fmt.Errorf("make namespaces: %w", err)
		}
		if err := setup(); err != nil {
			return err
		}
		return ns.open(flags)
	})
	if err != nil {
		ns.close()
		return nil, err
	}
	return ns, nil
}

// open keeps the calling thread's namespaces.
func (ns *namespaces) open(flags int) (err error) {
	for _, n := range []struct {
		flag int
		name string
		file **os.File
	}{
		{unix.CLONE_NEWNET, "net", &ns.net}, {unix.CLONE_NEWNS, "mnt", &ns.mnt}, {unix.CLONE_NEWUTS, "uts", &ns.uts},
	} {
		if flags&n.flag == 0 {
			continue
		}
		if *n.file, err = os.Open("/proc/thread-self/ns/" + n.name); err != nil {
			return fmt.Errorf("keep namespace: %w", err)
		}
	}
	return nil
}

func (ns *namespaces) close() {
	for _, f := range []*os.File{ns.net, ns.mnt, ns.uts} {
		_ = f.Close() // of a nil file too: there is nothing to be done about either
	}
}

// do runs f on a thread of its own that is inside the namespaces.
func (ns *namespaces) do(f func() error) error {
	return onThread(func() error {
		// The root and working directory are shared by all threads, and a mount
		// namespace may be entered only by a thread that has its own.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("leave the shared working directory: %w", err)
		}
		for _, file := range []*os.File{ns.net, ns.uts, ns.mnt} {
			if file == nil {
				continue
			}
			if err := unix.Setns(int(file.Fd()), 0); err != nil {
				return fmt.Errorf("enter %s: %w", file.Name(), err)
			}
		}
		return f()
	})
}

// onThread runs f on a thread that ends with it, so that f may change the
// thread's namespaces.
func onThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: that is what ends the thread
		err := errors.New("function did not return (t.FailNow must not be called inside a host)")
		defer func() { result <- err }()
		err = f()
	}()
	return <-result
}

// rtnl runs f with a route netlink connection into the network namespace.
func (ns *namespaces) rtnl(f func(*rtnetlink.Conn) error) error {
	c, err := rtnetlink.Dial(&netlink.Config{NetNS: int(ns.net.Fd())})
	if err != nil {
		return fmt.Errorf("connect to route netlink: %w", err)
	}
	defer func() { _ = c.Close() }() // everything was acknowledged already
	return f(c)
}

// writeSysctls sets kernel settings, given as path below /proc/sys and value,
// in the calling thread's network namespace.
func writeSysctls(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := os.WriteFile("/proc/sys/"+pairs[i], []byte(pairs[i+1]), 0); err != nil {
			return fmt.Errorf("set kernel setting: %w", err)
		}
	}
	return nil
}

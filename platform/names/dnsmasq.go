package names

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"ginnel/platform"
)

// hostsDir is where OpenWrt's dnsmasq reads every file for more hosts. It is in
// memory.
const hostsDir = "/tmp/hosts"

// Dnsmasq gives names to the dnsmasq of this machine, which answers for them to
// its whole LAN: a file in the directory of hosts that it reads, and a signal to
// read it again. The file is a network's alone; it is written as hosts files
// are. Its methods are not safe for concurrent use.
type Dnsmasq struct {
	dir  string
	proc string // where the kernel tells of processes
	owed bool   // dnsmasq has not heard of what was written last
}

var _ platform.Names = (*Dnsmasq)(nil)

// NewDnsmasq returns this machine's dnsmasq, which need not run yet.
func NewDnsmasq() *Dnsmasq { return &Dnsmasq{dir: hostsDir, proc: "/proc"} }

// Set implements platform.Names. Without entries the file is removed. That no
// dnsmasq runs is an error, but not where there is nothing to know; the next
// call tells it then, though nothing has changed.
func (d *Dnsmasq) Set(network string, entries []platform.HostEntry) error {
	body, err := format(network, entries)
	if err == nil {
		err = d.write(filepath.Join(d.dir, "ginnel-"+network), body)
	}
	if err == nil && d.owed {
		err = d.hangUp(len(body) == 0)
	}
	if err != nil {
		return fmt.Errorf("names of network %s for dnsmasq: %w", network, err)
	}
	return nil
}

// write makes body the content of the file, or removes it. Whatever else is in
// its place is replaced and never followed: the directory is in one that is
// everybody's.
func (d *Dnsmasq) write(path string, body []byte) error {
	if err := d.checkDir(len(body) > 0); err != nil {
		if len(body) == 0 && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	_, err := os.Lstat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !missing:
		return err
	case missing && len(body) == 0, !missing && len(body) > 0 && says(path, body):
		return nil
	case len(body) == 0:
		err = os.Remove(path)
	default:
		err = writeBeside(path, nil, body)
	}
	d.owed = d.owed || err == nil
	return err
}

// checkDir refuses a directory that somebody has made who may not say what names
// mean here, and one in which anybody can replace our files. Create makes one
// that is missing.
func (d *Dnsmasq) checkDir(create bool) error {
	if create {
		if err := os.MkdirAll(d.dir, 0o755); err != nil {
			return err
		}
	}
	var st unix.Stat_t
	if err := unix.Lstat(d.dir, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: d.dir, Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("%s is no directory: remove it, and restart dnsmasq", d.dir)
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s is of user %d and not root's: remove it, and restart dnsmasq", d.dir, st.Uid)
	case st.Mode&0o002 != 0 && st.Mode&unix.S_ISVTX == 0:
		return fmt.Errorf("everybody may replace files in %s: take that away (chmod o-w)", d.dir)
	}
	return nil
}

// says tells whether the file at path is a regular one with the content body.
func says(path string, body []byte) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) // a FIFO has nobody who writes
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(body)) {
		return false
	}
	have := make([]byte, len(body))
	_, err = io.ReadFull(f, have)
	return err == nil && bytes.Equal(have, body)
}

// hangUp has every dnsmasq read its hosts again.
func (d *Dnsmasq) hangUp(idle bool) error {
	pids, err := d.pids()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGHUP); err != nil && err != unix.ESRCH {
			return fmt.Errorf("signal dnsmasq (process %d): %w: as this user CAP_KILL is needed", pid, err)
		}
	}
	if len(pids) == 0 && !idle {
		return errors.New("no dnsmasq runs on this machine: start it, or set option hosts to a file or none")
	}
	d.owed = false
	return nil
}

// pids finds dnsmasq among the processes. The files that it writes its number
// into tell another one where it runs in a jail.
func (d *Dnsmasq) pids() (pids []int, err error) {
	all, err := os.ReadDir(d.proc)
	if err != nil {
		return nil, fmt.Errorf("look for dnsmasq: %w", err)
	}
	for _, p := range all {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		name, err := os.ReadFile(filepath.Join(d.proc, p.Name(), "comm"))
		if err == nil && string(name) == "dnsmasq\n" {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

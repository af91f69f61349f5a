// Package names makes names of the overlay known to a machine: [Hosts] puts them
// into a hosts file, one block per network between two marker lines, and
// [Dnsmasq] gives them to dnsmasq. Everything else in a hosts file is others'
// and keeps every byte.
//
// Decisions about hosts files:
//
//   - A new block goes to the end of the file; one that is there is replaced
//     where it stands, so lines somebody added below it stay below it.
//   - Removing a block gives the file as it was before the block was added. A
//     file whose last line has no end gets one, which the begin marker notes.
//   - A marker without its counterpart is removed, and after a begin the lines
//     that directly follow and are just as ours are: they would name peers for
//     good. All others around it stay: they may be somebody's.
//   - The file is replaced by rename, with owner, permissions and extended
//     attributes (the SELinux label) kept. Where that is impossible, as for a
//     file that is a mount point in a container or lies in a directory we may
//     not write to, it is written in place, from the first byte that differs.
//     A power cut in these milliseconds can leave a mixture of the old content
//     and the new one from there on. What stands before is safe (most often
//     everything of others', because a block is at the end), and the file is
//     never cut before its new content is on the disk.
//   - Lines end in LF also in a file with CRLF, because resolvers take a CR
//     for a part of the name.
package names

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"ginnel/platform"
	"ginnel/platform/dirlock"
)

// Hosts is a hosts file. Any number of them, in any number of processes, may
// be set for the same file at once: each waits for its turn.
type Hosts struct{ path string }

var _ platform.Names = (*Hosts)(nil)

// New returns the hosts file at path, usually /etc/hosts. It need not exist:
// the first name creates it with permissions 0644. Its directory must exist. A
// path that is a symbolic link means the file it leads to.
func New(path string) *Hosts { return &Hosts{path: path} }

// Set implements platform.Names. Entries keep their order; one without names
// is left out. A file that says the same already is not touched. A network,
// address or name that would not survive in a hosts file is refused. After an
// error the file is as it was, but for a crash while it is written in place.
func (h *Hosts) Set(network string, entries []platform.HostEntry) error {
	body, err := format(network, entries)
	if err != nil {
		return fmt.Errorf("hosts of network %q: %w", network, err)
	}
	if err := h.update(func(text []byte) []byte { return replace(text, network, body) }); err != nil {
		return fmt.Errorf("hosts of network %s: %w", network, advise(err))
	}
	return nil
}

// advise says what can be done where this user may not write.
func advise(err error) error {
	switch {
	case errors.Is(err, unix.EROFS): // as in the service's sandbox, which knows the file that was there when it started
		return fmt.Errorf("%w: where another program has replaced the file, `systemctl restart ginnel`", err)
	case !errors.Is(err, fs.ErrPermission):
		return err
	}
	return fmt.Errorf("%w: let the daemon's user write the file, or set option hosts to another one or none", err)
}

// update gives the file the content that change makes of its own.
func (h *Hosts) update(change func(text []byte) []byte) error {
	path := h.target()
	dir, err := dirlock.Lock(filepath.Dir(path), lockWait)
	if err != nil {
		return err
	}
	defer dir.Close() // and with it the lock
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := change(old)
	if bytes.Equal(text, old) {
		return nil
	}
	return write(path, old, text)
}

// target is where the file really lies: renaming onto a link would replace
// the link.
func (h *Hosts) target() string {
	if path, err := filepath.EvalSymlinks(h.path); err == nil {
		return path
	}
	return h.path
}

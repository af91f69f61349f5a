package machine

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// archive writes a cpio archive as the kernel reads it for an initramfs (the
// "newc" format of Documentation/driver-api/early-userspace/buffer-format.rst).
// Directories are made as they are needed. An error sticks until close.
type archive struct {
	w    io.Writer
	n    int64 // bytes written
	made []string
	err  error
}

// File types of cpio.
const (
	typeDir  = 0o040000
	typeFile = 0o100000
	typeChar = 0o020000
	typeLink = 0o120000
)

// The longest file that the format's length has room for.
const maxFile = 1<<32 - 1

// file adds a file, and the directories above it.
func (a *archive) file(name string, mode uint32, content []byte) {
	if int64(len(content)) > maxFile && a.err == nil {
		a.err = fmt.Errorf("%s is too long for an initramfs", name)
	}
	a.dir(path.Dir(path.Clean("/" + name)))
	a.entry(name, typeFile|mode, content, 0, 0)
}

// dir adds a directory and those above it, unless they are there.
func (a *archive) dir(name string) {
	name = path.Clean("/" + name)
	if name == "/" || slices.Contains(a.made, name) {
		return
	}
	a.dir(path.Dir(name))
	a.made = append(a.made, name)
	a.entry(name, typeDir|0o755, nil, 0, 0)
}

// char adds a character device.
func (a *archive) char(name string, major, minor int) {
	a.dir(path.Dir(path.Clean("/" + name)))
	a.entry(name, typeChar|0o600, nil, major, minor)
}

// link adds a symbolic link.
func (a *archive) link(name, target string) {
	a.dir(path.Dir(path.Clean("/" + name)))
	a.entry(name, typeLink|0o777, []byte(target), 0, 0)
}

// close ends the archive.
func (a *archive) close() error {
	a.entry("TRAILER!!!", 0, nil, 0, 0)
	return a.err
}

func (a *archive) entry(name string, mode uint32, content []byte, major, minor int) {
	name = strings.TrimPrefix(name, "/")
	inode := 0 // every file is its own: links are counted, not found
	links := 1
	a.print("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		inode, mode, 0, 0, links, 0, len(content), 0, 0, major, minor, len(name)+1, 0, name)
	a.pad()
	a.write(content)
	a.pad()
}

// pad goes on to the next multiple of four bytes.
func (a *archive) pad() { a.write(make([]byte, -a.n&3)) }

func (a *archive) print(format string, args ...any) { a.write(fmt.Appendf(nil, format, args...)) }

func (a *archive) write(b []byte) {
	if a.err != nil {
		return
	}
	n, err := a.w.Write(b)
	a.n += int64(n)
	a.err = err
}

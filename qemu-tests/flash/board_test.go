package flash

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ginnel/qemu-tests/machine"
)

// The machine's memory. The kernel is told that there is none where the flash
// is; the emulator puts the initramfs at the end.
const (
	memory     = 128 // MB
	flashStart = 64  // MB
	flashEnd   = 96  // MB
	eraseBlock = 64 << 10
)

// patience is how long a machine may take to get somewhere: one whose host has
// other work is very slow, and one that hangs does so for ever.
const patience = 5 * time.Minute

// board is an emulated machine with flash, or a disk, which stay when its power
// is cut.
type board struct {
	t     testing.TB
	arch  machine.Arch
	kind  kind
	size  int          // of the flash, in MB
	ram   string       // the file with its memory
	disk  string       // the file with its disk, if it has one
	plug  machine.Plug // of the cable that it is on, if it is on one
	files map[string]string
}

// newBoard is one whose flash, of size MB, or disk, is empty.
func newBoard(t testing.TB, k kind, size int) *board {
	t.Helper()
	dir := t.TempDir()
	b := &board{t: t, arch: machine.Find(t, "mipsle"), kind: k, size: size, ram: filepath.Join(dir, "memory")}
	b.files = map[string]string{
		"/bin/flash.test": machine.TestBinary(t, b.arch, "./qemu-tests/flash"),
		ginnel:            machine.Ginnel(t, b.arch),
	}
	b.erase()
	if k.flash {
		b.files[driverFile] = b.driver(filepath.Join(dir, "phram.ko"))
	}
	if k.disk {
		b.disk = filepath.Join(dir, "disk")
		b.format()
	}
	return b
}

// erase makes the flash as it comes from the factory.
func (b *board) erase() {
	b.t.Helper()
	f, err := os.Create(b.ram)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(memory << 20); err != nil {
		b.t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, b.size<<20), flashStart<<20); err != nil {
		b.t.Fatal(err)
	}
}

// format makes a file system on the disk.
func (b *board) format() {
	b.t.Helper()
	if err := os.WriteFile(b.disk, nil, 0o600); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Truncate(b.disk, 16<<20); err != nil {
		b.t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", b.disk).CombinedOutput(); err != nil {
		b.t.Fatalf("mkfs.ext4, of Debian's package e2fsprogs: %v %s", err, out)
	}
}

// spec is the board with commands to run, each as the arguments of this test
// binary without the kind.
func (b *board) spec(commands ...[]string) machine.Spec {
	s := machine.Spec{
		Arch: b.arch, Memory: memory, RAMFile: b.ram, Append: fmt.Sprintf("mem=%dM@0 mem=%dM@%dM", flashStart, memory-flashEnd, flashEnd),
		Timeout: 2*patience + *idle, Files: b.files, Modules: []string{"wireguard", "tun"},
	}
	if b.kind.flash {
		s.Env = append(s.Env, fmt.Sprintf("%s=phram=flash,%#x,%dMi,%d", driverParameters, flashStart<<20, b.size, eraseBlock))
	}
	if b.disk != "" {
		s.Disks = []string{b.disk}
	}
	if b.plug != (machine.Plug{}) {
		s.Net = []machine.Plug{b.plug}
	}
	s.Modules = append(s.Modules, b.kind.modules...)
	for _, c := range commands {
		s.Run = append(s.Run, append([]string{"/bin/flash.test", c[0], b.kind.name}, c[1:]...))
	}
	return s
}

// driver makes a copy of the kernel's module phram at path that UBI takes. UBI
// wants to know how much a chip takes at once (mtd_info.writebufsize), and
// phram, which has no limit, leaves that zero. Its register_device ends in
//
//	li v0,1; sb v0,type(s0); li v0,1; ...; sw v0,writesize(s0)
//
// of which the second li is superfluous: in its place comes sw v0,writebufsize(s0).
func (b *board) driver(path string) string {
	b.t.Helper()
	module, err := os.ReadFile(machine.Module(b.t, b.arch, "phram"))
	if err != nil {
		b.t.Fatal(err)
	}
	code := func(words ...uint32) (b []byte) {
		for _, w := range words {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
		return b
	}
	have, want := code(0x24020001, 0xa2020000, 0x24020001), code(0x24020001, 0xa2020000, 0xae020018)
	if n := bytes.Count(module, have); n != 1 {
		b.t.Fatalf("this kernel's phram was compiled otherwise: %d places have the instructions to replace, want 1", n)
	}
	// A wrong signature is refused, none is not.
	module, _ = bytes.CutSuffix(module, []byte("~Module signature appended~\n"))
	if err := os.WriteFile(path, bytes.Replace(module, have, want, 1), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path
}

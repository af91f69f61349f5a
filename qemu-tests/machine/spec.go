package machine

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Spec says what machine to boot and what it is to do.
type Spec struct {
	Arch    Arch
	Memory  int               // MB; zero is 256
	Modules []string          // kernel modules, each "name parameter=value...", loaded in this order with what they need
	Files   map[string]string // paths in the guest, and of the files on the host; all may be executed
	Run     [][]string        // commands with full paths, in order, until one fails
	Env     []string          // NAME=VALUE for the commands
	Disks   []string          // raw images on the host, in the guest /dev/vda, /dev/vdb...; what the guest was told is written survives Kill
	Net     []Plug            // network cards, in the guest eth0, eth1...
	Append  string            // more of the kernel's command line
	// Timeout is how long the machine may run: one that is not off by then is
	// killed and fails the test. Zero is five minutes.
	Timeout time.Duration
	// RAMFile, if it is not empty, is the file on the host that is the machine's
	// memory, made if it is not there. The content of memory that the kernel
	// leaves alone (command line "memmap=" or "mem=") survives Kill.
	RAMFile string
	// Emulator are more arguments for it.
	Emulator []string
}

// The values that zero means.
const (
	defaultMemory  = 256
	defaultTimeout = 5 * time.Minute
)

// memory is the machine's memory in MB.
func (s Spec) memory() int {
	if s.Memory == 0 {
		return defaultMemory
	}
	return s.Memory
}

// timeout is how long it may run.
func (s Spec) timeout() time.Duration {
	if s.Timeout == 0 {
		return defaultTimeout
	}
	return s.Timeout
}

// modules are those the machine's devices need, and then those asked for.
func (s Spec) modules() []string {
	var all []string
	if len(s.Disks) > 0 {
		all = append(all, "virtio_pci", "virtio_blk")
	}
	if len(s.Net) > 0 {
		all = append(all, s.Arch.Drivers...)
	}
	return append(all, s.Modules...)
}

// arguments are the emulator's.
func (s Spec) arguments(kernel, initrd string) []string {
	memory := strconv.Itoa(s.memory())
	// -no-reboot: a panic, which reboots, ends the emulator.
	args := append(slices.Clone(s.Arch.Model), "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
		"-kernel", kernel, "-initrd", initrd, "-append", strings.TrimSpace("console="+s.Arch.Console+" quiet panic=-1 "+s.Append),
		"-m", memory)
	if s.RAMFile != "" {
		args = append(args, "-machine", "memory-backend=ram",
			"-object", "memory-backend-file,id=ram,share=on,size="+memory+"M,mem-path="+quote(s.RAMFile))
	}
	for i, disk := range s.Disks {
		id := fmt.Sprintf("disk%d", i)
		args = append(args, "-drive", "if=none,format=raw,id="+id+",file="+quote(disk), "-device", "virtio-blk-pci,drive="+id)
	}
	for i, plug := range s.Net {
		id := fmt.Sprintf("net%d", i)
		args = append(args, "-netdev", plug.backend(id), "-device", fmt.Sprintf("%s,netdev=%s,mac=%s,romfile=", s.Arch.NIC, id, plug.mac)) // nothing boots from it
	}
	return append(args, s.Emulator...)
}

// quote is a path as the emulator's options have it: a comma is doubled.
func quote(path string) string { return strings.ReplaceAll(filepath.Clean(path), ",", ",,") }

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"ginnel/qemu-tests/guest"
)

// mountAll mounts what every Linux program takes for granted. The directories
// are in the initramfs.
func mountAll() error {
	for _, m := range []struct{ kind, at, options string }{
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"devtmpfs", "/dev", ""},
		{"tmpfs", "/tmp", "mode=1777"},
		{"tmpfs", "/run", "mode=0755"},
	} {
		err := unix.Mount(m.kind, m.at, m.kind, 0, m.options)
		if err != nil && !errors.Is(err, unix.EBUSY) { // the kernel may have mounted /dev
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	return nil
}

// prepare does the parts of the plan that come before its commands.
func prepare(plan guest.Plan) error {
	if err := setClock(plan.Time); err != nil {
		return err
	}
	if err := seedRandom(plan.Seed); err != nil {
		return err
	}
	for _, m := range plan.Modules {
		if err := load(m); err != nil {
			return err
		}
	}
	if err := bringUp("lo", netip.Prefix{}); err != nil {
		return err
	}
	for i, address := range plan.Addresses {
		if !address.IsValid() {
			continue
		}
		if err := bringUp(fmt.Sprintf("eth%d", i), address); err != nil {
			return err
		}
	}
	return nil
}

// setClock sets a clock forward that started in the past: not every machine has
// one that runs while it is off.
func setClock(seconds int64) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &now); err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	if int64(now.Sec) >= seconds {
		return nil
	}
	then := unix.NsecToTimespec(seconds * 1e9)
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &then); err != nil {
		return fmt.Errorf("set clock: %w", err)
	}
	return nil
}

// seedRandom lets the kernel have random numbers at once: an emulated machine
// has few sources of its own.
func seedRandom(seed []byte) error {
	if len(seed) == 0 {
		return nil
	}
	f, err := os.OpenFile("/dev/urandom", os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("seed random numbers: %w", err)
	}
	defer f.Close()
	// struct rand_pool_info, linux/random.h: bits, bytes, the bytes
	info := struct {
		bits, bytes int32
		seed        [64]byte
	}{}
	n := copy(info.seed[:], seed)
	info.bits, info.bytes = int32(n*8), int32(n)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&info))); errno != 0 {
		return fmt.Errorf("seed random numbers: %w", errno)
	}
	return nil
}

// load loads a module, unless it is there.
func load(m guest.Module) error {
	f, err := os.Open(m.Path)
	if err != nil {
		return fmt.Errorf("load module: %w", err)
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), m.Parameters, 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("load module %s %q: %w", m.Path, m.Parameters, err)
	}
	return nil
}

// bringUp sets a link up, after giving it an IPv4 address unless that is zero.
func bringUp(link string, address netip.Prefix) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring %s up: %w", link, err)
	}
	defer unix.Close(fd)
	if address.IsValid() {
		mask := ^uint32(0) << (32 - address.Bits())
		err := errors.Join(
			setAddress(fd, link, unix.SIOCSIFADDR, address.Addr().As4()),
			setAddress(fd, link, unix.SIOCSIFNETMASK, [4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}))
		if err != nil {
			return fmt.Errorf("give %s the address %s: %w", link, address, err)
		}
	}
	ifr, err := unix.NewIfreq(link)
	if err != nil {
		return fmt.Errorf("bring %s up: %w", link, err)
	}
	ifr.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("bring %s up: %w", link, err)
	}
	return nil
}

func setAddress(fd int, link string, request uint, address [4]byte) error {
	ifr, err := unix.NewIfreq(link)
	if err != nil {
		return err
	}
	if err := ifr.SetInet4Addr(address[:]); err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, request, ifr)
}

package flash

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// kind is a file system that a router may have its state on.
type kind struct {
	name    string
	modules []string // of the kernel
	flash   bool     // on the machine's flash; otherwise in memory, or on a disk
	disk    bool     // on the first disk, where the host has made the file system
	refuses bool     // a writable descriptor cannot be mapped
	skip    string   // of the suites; a regular expression
	mount   func(at string) error
}

var kinds = []kind{
	{name: "jffs2", modules: []string{"jffs2", "overlay"}, flash: true, refuses: true, skip: "^$", mount: mountJFFS2},
	{name: "overlay", modules: []string{"jffs2", "overlay"}, flash: true, refuses: true, skip: "TestOverlay", mount: mountOverlay},
	{name: "ubifs", modules: []string{"lzo", "deflate", "zstd", "ubi", "ubifs"}, flash: true, mount: mountUBIFS},
	{name: "ext4", modules: []string{"ext4"}, disk: true, mount: func(at string) error { return mount("/dev/vda", at, "ext4", "") }},
	{name: "tmpfs", mount: func(at string) error { return mount("tmpfs", at, "tmpfs", "size=8m") }},
}

// On flash, the guest loads the driver itself, with parameters from its
// environment.
const (
	driverFile       = "/lib/phram.ko"
	driverParameters = "PHRAM"
)

// begin mounts the file system, after its device is there.
func (k kind) begin() error {
	if k.flash {
		if err := loadDriver(); err != nil {
			return err
		}
	}
	return k.mount(mountPoint)
}

// loadDriver makes the flash appear, unless it is there.
func loadDriver() error {
	f, err := os.Open(driverFile)
	if err != nil {
		return err
	}
	defer f.Close()
	err = unix.FinitModule(int(f.Fd()), os.Getenv(driverParameters), 0)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("load the flash's driver: %w", err)
	}
	return nil
}

func findKind(name string) (kind, error) {
	for _, k := range kinds {
		if k.name == name {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("no file system %q", name)
}

// Where the guest has the file system, and what else a mount needs.
const (
	mountPoint = "/flash"
	below      = "/below" // jffs2 under the overlay
	rom        = "/rom"   // the overlay's lower directory
)

func mount(what, at, kind, options string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(what, at, kind, unix.MS_NOATIME, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", kind, at, err)
	}
	return nil
}

func mountJFFS2(at string) error { return mount("mtd0", at, "jffs2", "") }

// mountOverlay mounts what OpenWrt has for its root: jffs2 over what the
// firmware brought.
func mountOverlay(at string) error {
	if err := mountJFFS2(below); err != nil {
		return err
	}
	for _, dir := range []string{rom, below + "/upper", below + "/work"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return mount("overlay", at, "overlay", fmt.Sprintf("lowerdir=%s,upperdir=%[2]s/upper,workdir=%[2]s/work", rom, below))
}

// unmount undoes k.mount.
func (k kind) unmount() error {
	err := unix.Unmount(mountPoint, 0)
	if err == nil && k.name == "overlay" {
		err = unix.Unmount(below, 0)
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", k.name, err)
	}
	return nil
}

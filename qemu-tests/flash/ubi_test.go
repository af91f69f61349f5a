package flash

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The requests of include/uapi/mtd/ubi-user.h, native byte order.
type (
	// attachRequest is struct ubi_attach_req. What is zero is the default.
	attachRequest struct {
		device, mtd, headerOffset int32
		reserve                   int16
		_                         [10]int8
	}
	// volumeRequest is struct ubi_mkvol_req.
	volumeRequest struct {
		id, alignment int32
		bytes         int64
		kind          int8
		flags         uint8
		nameLength    int16
		_             [4]int8
		name          [128]byte
	}
)

const (
	dynamicVolume = 3  // UBI_DYNAMIC_VOLUME
	anyVolume     = -1 // UBI_VOL_NUM_AUTO
)

// mountUBIFS attaches the flash, which formats it when it is empty, and makes
// the volume when there is none.
func mountUBIFS(at string) error {
	if _, err := os.Stat("/sys/class/ubi/ubi0"); errors.Is(err, os.ErrNotExist) {
		request := attachRequest{}
		if err := ioctl("/dev/ubi_ctrl", 64, unsafe.Pointer(&request), unsafe.Sizeof(request)); err != nil { // UBI_IOCATT
			return fmt.Errorf("attach the flash to UBI: %w", err)
		}
	}
	if _, err := os.Stat("/sys/class/ubi/ubi0_0"); errors.Is(err, os.ErrNotExist) {
		if err := makeVolume(); err != nil {
			return fmt.Errorf("make a UBI volume: %w", err)
		}
	}
	return mount("ubi0_0", at, "ubifs", "")
}

// makeVolume makes a volume "state" of all the space there is.
func makeVolume() error {
	blocks, err := readNumber("/sys/class/ubi/ubi0/avail_eraseblocks")
	if err != nil {
		return err
	}
	size, err := readNumber("/sys/class/ubi/ubi0/eraseblock_size")
	if err != nil {
		return err
	}
	request := volumeRequest{id: anyVolume, alignment: 1, bytes: blocks * size, kind: dynamicVolume}
	request.nameLength = int16(copy(request.name[:], "state"))
	return ioctl("/dev/ubi0", 0, unsafe.Pointer(&request), unsafe.Sizeof(request)) // UBI_IOCMKVOL
}

// ioctl is UBI's request of that number, _IOW('o', number, size), which MIPS
// encodes otherwise.
func ioctl(path string, number uintptr, request unsafe.Pointer, size uintptr) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	write := uintptr(1 << 30)
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		write = 4 << 29
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), write|size<<16|'o'<<8|number, uintptr(request)); errno != 0 {
		return errno
	}
	return nil
}

func readNumber(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// Package memory keeps the program small on machines that have little memory.
//
// Go's collector lets garbage grow to as much as what is in use, and to 4 MB at
// least; [Economize] makes that less. What a burst of work leaves behind, a map
// of a thousand peers that was read for example, [Release] gives back.
//
// It gives back pages of the program's own file as well. The kernel maps the 16
// pages around each that is touched, so a start brings in nearly all of the
// file, and pages that a process has mapped and used are among the last ones
// that the kernel takes when memory gets short. Unmapped they are ordinary
// cache: there as long as nobody needs the room, and back at the first touch.
package memory

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Economize has the collector keep at most this much garbage, in percent of what
// is in use, and work harder from limit bytes on. 0 is a limit that suits the
// machine: half of its memory. The environment variables GOGC and GOMEMLIMIT
// count for more. It may be called again.
func Economize(getenv func(string) string, garbage int, limit int64) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(orHalf(limit))
	}
}

// orHalf returns limit, or half of the machine's memory when it is 0.
func orHalf(limit int64) int64 {
	var machine unix.Sysinfo_t
	if limit != 0 || unix.Sysinfo(&machine) != nil {
		return cmp.Or(limit, math.MaxInt64)
	}
	return int64(uint64(machine.Totalram) * uint64(machine.Unit) / 2)
}

// Release gives back what is free, and the pages of the program's file. It
// takes about as long as a collection: some 10 ms on a small router. Errors are
// of the second part.
func Release() error {
	debug.FreeOSMemory()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("list mappings: %w", err)
	}
	defer f.Close()
	list, err := parse(f, program)
	if err != nil {
		return fmt.Errorf("list mappings: %w", err)
	}
	for _, m := range list {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("give pages back: %w", errno)
		}
	}
	return nil
}

// mapping is a range of addresses.
type mapping struct{ from, to uintptr }

// parse finds in /proc/self/smaps (proc_pid_smaps(5)) the mappings of the file
// program that can be read again from there: those that nobody can write to,
// and that have no page of their own. A page that was relocated would be lost.
func parse(r io.Reader, program string) (list []mapping, err error) {
	var m mapping
	var ours bool
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		switch {
		case err == io.EOF:
			return list, nil
		case err != nil:
			return nil, err
		}
		words := strings.Fields(line)
		switch {
		case len(words) >= 5 && len(words[1]) == 4 && strings.Contains(words[0], "-"):
			_, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "/")
			ours = "/"+path == program && words[1][1] == '-' && words[1][3] == 'p'
			if m, err = parseRange(words[0]); err != nil {
				return nil, err
			}
		case ours && len(words) == 3 && words[0] == "Anonymous:" && words[1] == "0":
			list = append(list, m)
		}
	}
}

// parseRange reads "00010000-0039c000".
func parseRange(s string) (m mapping, err error) {
	a, b, _ := strings.Cut(s, "-")
	from, err := strconv.ParseUint(a, 16, strconv.IntSize)
	if err != nil {
		return m, fmt.Errorf("mapping %q: %w", s, err)
	}
	to, err := strconv.ParseUint(b, 16, strconv.IntSize)
	if err != nil || to <= from {
		return m, fmt.Errorf("mapping %q is no range of addresses", s)
	}
	return mapping{uintptr(from), uintptr(to)}, nil
}

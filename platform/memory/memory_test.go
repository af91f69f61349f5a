package memory

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const smaps = `00010000-0039c000 r-xp 00000000 00:02 5          /usr/bin/ginnel
Size:               3632 kB
Rss:                3504 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me dw
003a0000-00654000 r--p 00390000 00:02 5          /usr/bin/ginnel
Anonymous:             0 kB
00654000-00656000 r--p 00390000 00:02 5          /usr/bin/ginnel
Anonymous:             4 kB
00660000-0068c000 rw-p 00650000 00:02 5          /usr/bin/ginnel
Anonymous:             0 kB
0068c000-026ad000 rw-p 00000000 00:00 0 
Anonymous:             0 kB
77c0e000-77c2e000 r--s 00000000 00:02 21         /usr/bin/ginnel
Anonymous:             0 kB
77c2e000-77c3e000 r--p 00000000 00:02 21         /etc/ginnel/home.state
Anonymous:             0 kB
`

func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader(smaps), "/usr/bin/ginnel")
	if want := []mapping{{0x10000, 0x39c000}, {0x3a0000, 0x654000}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
	for _, bad := range []string{"1000-x r-xp 0 0 0 /p\n", "2000-1000 r-xp 0 0 0 /p\n", "-10000000000000000000000000 r-xp 0 0 0 /p\n"} {
		if got, err := parse(strings.NewReader(bad), "/p"); err == nil {
			t.Errorf("%q is read as %x", bad, got)
		}
	}
}

// TestReleaseGivesPagesBack counts resident pages: the program goes on with
// fewer, and what it held is given back.
func TestReleaseGivesPagesBack(t *testing.T) {
	text, err := os.ReadFile("/proc/self/exe") // something to hold
	if err != nil {
		t.Fatal(err)
	}
	before := resident(t)
	length := len(text)
	text = nil
	if err := Release(); err != nil {
		t.Fatal(err)
	}
	if after := resident(t); after+length/2 > before {
		t.Errorf("%d bytes were resident and %d are, though %d are free", before, after, length)
	}
}

// resident is this process's, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm") // in pages: all, resident...
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return n * os.Getpagesize()
}

// TestEconomize looks at what the runtime was told, and leaves it as it was.
func TestEconomize(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	for _, c := range []struct {
		env     map[string]string
		percent int
		limit   int64
		want    [2]int64
	}{
		{nil, 50, 32 << 20, [2]int64{50, 32 << 20}},
		{nil, 70, math.MaxInt64, [2]int64{70, math.MaxInt64}},
		{map[string]string{"GOGC": "100"}, 50, 32 << 20, [2]int64{100, 32 << 20}},
		{map[string]string{"GOMEMLIMIT": "1GiB"}, 50, 32 << 20, [2]int64{50, 1 << 30}},
		{nil, 50, 0, [2]int64{50, memTotal(t) / 2}},
	} {
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(1 << 30)
		Economize(func(name string) string { return c.env[name] }, c.percent, c.limit)
		if got := [2]int64{int64(debug.SetGCPercent(100)), debug.SetMemoryLimit(-1)}; got != c.want {
			t.Errorf("%v, %d, %d: percent and limit are %d, want %d", c.env, c.percent, c.limit, got, c.want)
		}
	}
}

// memTotal is the machine's memory in bytes, as the kernel tells it elsewhere.
func memTotal(t *testing.T) (kB int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kB); err != nil {
		t.Fatal(err)
	}
	return kB << 10
}

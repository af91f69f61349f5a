// Package bench compares Ginnel's WireGuard with others, through real kernels
// on emulated machines: package guest measures inside of them, package table
// prints. README.md keeps the last comparison.
package bench

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ginnel/bench/table"
	"ginnel/qemu-tests/machine"
)

var (
	update = flag.Bool("update", false, "measure everything, and write the tables into README.md")
	seed   = flag.Uint64("seed", rand.Uint64(), "of the random peers")
)

// machines are those that README.md has tables of. The largest interface is of
// as many peers as a machine of its kind would have.
var machines = []struct {
	arch    string
	largest int // peers
}{
	{"amd64", 10000},
	{"mipsle", 1000},
}

// TestPromises keeps what the product promises, measured in one run on the
// kernel of a small router: an update of 100 peers in a 20th of the other
// library's time, a reading of 1,000 in a 6th, nothing allocated. Before, it is
// the differential test of our encoder and decoder against that library's.
func TestPromises(t *testing.T) {
	promised := "^(" + table.Update100 + "|" + table.Read1000 + ")$"
	r := measure(t, "mipsle", nil, "-operations", promised, "-rounds", "5", "-differential", "1000")
	for operation, least := range map[string]float64{table.Update100: 20, table.Read1000: 6} {
		theirs, _ := r.Of(operation, table.Wgctrl)
		ours, _ := r.Of(operation, table.Ginnel)
		t.Logf("%s: %v with %d allocations; with wgctrl-go %v with %d: %.1f times as long",
			operation, ours.Median, ours.Allocs, theirs.Median, theirs.Allocs, r.Ratio(operation, table.Wgctrl))
		if got := r.Ratio(operation, table.Wgctrl); got < least {
			t.Errorf("%s takes wgctrl-go %.1f times as long as us, want at least %.0f", operation, got, least)
		}
		if ours.Allocs != 0 {
			t.Errorf("%s allocates %d times, %d bytes", operation, ours.Allocs, ours.Bytes)
		}
		if theirs.Allocs == 0 { // counting works
			t.Errorf("%s allocates nothing with wgctrl-go: %+v", operation, theirs)
		}
	}
}

// TestReadme looks whether the tables of README.md have every operation, of
// both machines. With -update it makes them first.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		replaced, err := table.Insert(string(text), measureAll(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("README.md", []byte(replaced), 0o644); err != nil {
			t.Fatal(err)
		}
		text = []byte(replaced)
	}
	tables, err := table.Extract(string(text))
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(tables, "### ")[1:]
	if len(sections) != len(machines) {
		t.Fatalf("README.md has tables of %d machines, want %d: run make bench", len(sections), len(machines))
	}
	for i, m := range machines {
		if !strings.HasPrefix(sections[i], m.arch+",") {
			t.Errorf("the tables of %s are of %.10q: run make bench", m.arch, sections[i])
		}
		for _, op := range table.Catalogue() {
			if op.Size <= m.largest && strings.Count(sections[i], "\n| "+op.Name+" | ") != 2 {
				t.Errorf("the tables of %s are without %q: run make bench", m.arch, op.Name)
			}
		}
	}
}

// measureAll compares everything on every machine, and prints it.
func measureAll(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, m := range machines {
		r := measure(t, m.arch, wgFiles(t, m.arch), "-largest", strconv.Itoa(m.largest), "-wg", "/usr/bin/wg", "-differential", "1000")
		text := r.Markdown()
		fmt.Println(text)
		all.WriteString(text + "\n")
	}
	return all.String()
}

// measure runs the guest program in a machine that has files besides.
func measure(t *testing.T, name string, files map[string]string, args ...string) table.Report {
	t.Helper()
	arch := machine.Find(t, name)
	all := map[string]string{"/bin/guest": machine.Binary(t, arch, "./guest")}
	maps.Copy(all, files)
	t.Logf("%s: seed %d", name, *seed)
	result := machine.Run(t, machine.Spec{
		Arch:    arch,
		Modules: append([]string{"nlmon"}, machine.WireGuard...),
		Files:   all,
		Run:     [][]string{append([]string{"/bin/guest", "-seed", strconv.FormatUint(*seed, 10)}, args...)},
		Timeout: 20 * time.Minute,
	})
	if t.Failed() {
		t.FailNow()
	}
	r, err := table.Parse(result.Commands[0].Output)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wgFiles are the paths in the guest, and on the host, of what the script wg
// put into the cache.
func wgFiles(t *testing.T, arch string) map[string]string {
	t.Helper()
	cache, err := machine.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(cache, "wg", arch)
	files := map[string]string{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		in, err := filepath.Rel(root, path)
		files["/"+filepath.ToSlash(in)] = path
		return err
	})
	if err != nil {
		t.Fatalf("no wg for %s: run bench/wg %s (%v)", arch, arch, err)
	}
	return files
}

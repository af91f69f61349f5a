package netlab

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// World is one test's internet. Its parts are made by its methods and removed
// when the test ends. It must not outlive the test.
type World struct {
	t        testing.TB
	dir      string // the hosts' private files
	logs     string // the processes' logs
	nodes    []*namespaces
	hosts    map[string]*Host
	switches map[string]*Switch
	procs    []*Process
	cables   int // made so far: names the switches' ports
}

// ArtifactsVariable is the environment variable that names a directory to keep
// the processes' logs in. Unset, they are removed when the test ends.
const ArtifactsVariable = "NETLAB_ARTIFACTS"

// New returns an empty world, which is removed, with all processes in it, when
// t ends. If t failed by then, the last lines of each process's log are shown.
func New(t testing.TB) *World {
	t.Helper()
	if _, err := os.Stat(baseDir); err != nil || os.Getenv(initPIDVariable) == "" {
		t.Fatal("netlab: not inside a world: the package's TestMain must call netlab.Main")
	}
	if _, err := patienceFactor(); err != nil {
		t.Fatalf("netlab: %v", err)
	}
	w := &World{t: t, hosts: map[string]*Host{}, switches: map[string]*Switch{}}
	w.dir = t.TempDir()
	w.logs = w.dir
	if dir := os.Getenv(ArtifactsVariable); dir != "" {
		w.logs = filepath.Join(dir, filepath.Clean("/"+t.Name()))
		w.must(os.MkdirAll(w.logs, 0o755), "artifacts")
	}
	t.Cleanup(w.remove)
	return w
}

// remove ends the world's processes and lets go of its namespaces.
func (w *World) remove() {
	for _, p := range w.procs {
		p.Kill()
		if w.t.Failed() {
			w.t.Logf("%s: last lines of %s:\n%s", p, p.path, p.tail())
		}
	}
	for _, h := range w.hosts {
		if err := h.killAll(); err != nil {
			w.t.Errorf("netlab: %s: end processes: %v", h.name, err)
		}
	}
	for _, ns := range w.nodes {
		ns.close()
	}
}

// must fails the test if err is not nil. What says what was tried.
func (w *World) must(err error, format string, args ...any) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("netlab: %s: %v", fmt.Sprintf(format, args...), err)
	}
}

// prefixes parses CIDRs, failing the test on a malformed one.
func (w *World) prefixes(cidrs []string) []netip.Prefix {
	w.t.Helper()
	var ps []netip.Prefix
	for _, s := range cidrs {
		p, err := netip.ParsePrefix(s)
		if err == nil && p != p.Masked() {
			err = fmt.Errorf("%s has host bits set: %s is probably meant", s, p.Masked())
		}
		w.must(err, "prefix")
		ps = append(ps, p)
	}
	return ps
}

// portName names a switch's next port.
func (w *World) portName() string {
	w.cables++
	return "port" + strconv.Itoa(w.cables)
}

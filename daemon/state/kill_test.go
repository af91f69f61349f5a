package state_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/wire"
)

// saverEnv names the file that the test binary, started again as a child,
// saves maps into until it is killed.
const saverEnv = "GINNEL_TEST_SAVER"

func TestMain(m *testing.M) {
	if path := os.Getenv(saverEnv); path != "" {
		fmt.Println("error:", saveForever(path))
		os.Exit(1)
	}
	if path := os.Getenv(fullEnv); path != "" {
		if err := upgradeOnFull(path); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// saveForever saves one generation after another, starting behind the saved
// one, and says so after each.
func saveForever(path string) error {
	s, err := state.Open(path)
	if err != nil {
		return err
	}
	m, err := s.Map()
	if err != nil {
		return err
	}
	for g := int(m.Position.Revision) + 1; ; g++ {
		if err := s.Save(generation(g)); err != nil {
			return err
		}
		fmt.Println(g)
	}
}

// generation makes a map whose every record says g, and as many pins; g decides
// who is in it.
func generation(g int) core.Save {
	m := &core.Map{Position: wire.Position{Revision: uint64(g)}, Self: member("10.42.0.9", g)}
	var pins []core.Pin
	a := netip.MustParseAddr("10.42.1.0")
	for i := range 60 {
		if (i+g)%7 != 0 {
			m.Members = append(m.Members, member(a.String(), g))
			pins = append(pins, core.Pin{Address: a, PublicKey: private(byte(g)).Public()})
		}
		a = a.Next()
	}
	return core.Save{Map: m, Pins: pins}
}

// TestKill kills a process in the middle of saving maps. Each time the file
// opens and has a whole map: the last that was acknowledged or the one after.
func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := create(t, identity())
	s := open(t, path)
	if err := s.Save(generation(0)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for range 25 {
		acknowledged = killSaver(t, path, 1+random.IntN(10))
		if got := wholeGeneration(t, path); got != acknowledged && got != acknowledged+1 {
			t.Fatalf("generation %d is saved, %d was acknowledged", got, acknowledged)
		}
	}
	if files, err := filepath.Glob(filepath.Dir(path) + "/*"); len(files) != 1 || err != nil {
		t.Errorf("files %v, %v", files, err)
	}
}

// killSaver lets a child save for some rounds, kills it, and returns the last
// generation it acknowledged.
func killSaver(t *testing.T, path string, rounds int) (last int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), saverEnv+"="+path)
	child.Stderr = os.Stderr
	pipe, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	for i := 0; ; i++ {
		if i == rounds {
			child.Process.Kill()
		}
		line, err := out.ReadString('\n')
		if err == io.EOF && i >= rounds {
			break
		}
		if last, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
			t.Errorf("the child says %q, %v", line, err)
			child.Process.Kill()
			break
		}
	}
	child.Wait() // its error is that it was killed
	return last
}

// wholeGeneration returns the generation of the map in the file.
func wholeGeneration(t *testing.T, path string) int {
	t.Helper()
	s := open(t, path)
	defer s.Close()
	m, err := s.Map()
	if err != nil {
		t.Fatal(err)
	}
	g := int(m.Position.Revision)
	want := generation(g).Map
	if pins, err := s.Pins(); err != nil || !slices.Equal(pins, generation(g).Pins) {
		t.Fatalf("generation %d has the pins %+v, %v", g, pins, err)
	}
	if len(m.Members) != len(want.Members) {
		t.Fatalf("generation %d has %d members, want %d", g, len(m.Members), len(want.Members))
	}
	for i := range want.Members {
		if m.Members[i].Address != want.Members[i].Address || m.Members[i].Name != want.Members[i].Name {
			t.Fatalf("generation %d has %+v", g, m.Members[i])
		}
	}
	return g
}

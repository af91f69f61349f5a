package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ginnel/coordinator/commandtest"
	"ginnel/network"
)

// Set, they make the test binary a child that commits commands until it is
// killed, or until the disk is full.
const (
	crashEnv = "GINNEL_STORE_CRASH" // "PATH SEED"
	fullEnv  = "GINNEL_STORE_FULL"  // a directory to mount on
	oldEnv   = "GINNEL_STORE_OLD"   // likewise; the book is of schema 1
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(crashEnv) != "":
		exitWith(commitForever(os.Getenv(crashEnv)))
	case os.Getenv(fullEnv) != "":
		exitWith(fillDisk(os.Getenv(fullEnv)))
	case os.Getenv(oldEnv) != "":
		exitWith(upgradeOnFull(os.Getenv(oldEnv)))
	}
	os.Exit(m.Run())
}

func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// commitForever commits random commands and acknowledges each by its revision.
func commitForever(args string) error {
	path, seed, _ := strings.Cut(args, " ")
	n, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return err
	}
	s, book, _, err := Open(path)
	if err != nil {
		return err
	}
	for src := commandtest.New(n); ; {
		next, change, err := book.Apply(now, src.Next(book, now))
		if err != nil || change.Revision == 0 {
			continue
		}
		if err := s.Commit(change); err != nil {
			return err
		}
		book = next
		fmt.Println(change.Revision)
	}
}

// TestKilledAtRandomMoments kills a writing process and looks at what it left:
// everything it acknowledged is there, and at most one more.
func TestKilledAtRandomMoments(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	path, _ := create(t, commandtest.New(seed), t.TempDir(), "10.0.0.0/8")
	for round := range 12 {
		acknowledged := killChild(t, path, seed+uint64(round), rnd.IntN(60), time.Duration(rnd.IntN(2000))*time.Microsecond)
		s, book, tail, err := Open(path)
		if err != nil {
			t.Fatalf("seed %d, round %d: %v", seed, round, err)
		}
		s.Close()
		if r := book.Revision(); acknowledged > 0 && (r < acknowledged || r > acknowledged+1) {
			t.Fatalf("seed %d, round %d: the book is at %d, acknowledged was %d", seed, round, r, acknowledged)
		}
		if last := tail[len(tail)-1].Revision; last != book.Revision() {
			t.Fatalf("seed %d, round %d: the tail ends at %d, the book is at %d", seed, round, last, book.Revision())
		}
	}
}

// killChild runs a child, kills it a moment after some acknowledgements, and
// returns the last revision it acknowledged; 0: none.
func killChild(t *testing.T, path string, seed uint64, after int, moment time.Duration) uint64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", crashEnv, path, seed))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var last uint64
	lines := bufio.NewScanner(out)
	for seen := 0; lines.Scan(); seen++ {
		if last, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		if seen == after {
			time.AfterFunc(moment, func() { cmd.Process.Kill() })
		}
	}
	err = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("seed %d: the child ended by itself: %v", seed, err)
	}
	return last
}

// TestFullDisk has a child fill a tiny tmpfs, in a mount namespace of its own.
func TestFullDisk(t *testing.T) {
	apart(t, fullEnv)
}

// apart runs a child with a directory and a mount namespace of its own.
func apart(t *testing.T, env string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// fillDisk commits until the disk is full, and then compares the file with
// what was acknowledged.
func fillDisk(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=192k,mode=0700"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	src := commandtest.New(1)
	book, change, err := network.New("home", prefix("10.0.0.0/8"), "hub", src.Key())
	if err != nil {
		return err
	}
	path := dir + "/home.book"
	if err := Create(path, book, change); err != nil {
		return err
	}
	s, _, _, err := Open(path)
	if err != nil {
		return err
	}
	commit := func(cmd network.Command) error {
		next, change, err := book.Apply(now, cmd)
		if err != nil || change.Revision == 0 {
			return nil
		}
		if err := s.Commit(change); err != nil {
			return err
		}
		book = next
		return nil
	}
	var full error
	for tries := 0; full == nil; tries++ {
		if tries == 20000 {
			return fmt.Errorf("the disk does not fill up")
		}
		full = commit(network.Invite{Name: fmt.Sprintf("peer%d", tries), CIDR: "home", Key: src.Key(), Expires: now.Add(time.Hour)})
	}
	if err := s.Close(); err != nil {
		return err
	}
	_, reopened, _, err := Open(path)
	if err != nil {
		return fmt.Errorf("reopen after %q: %w", full, err)
	}
	if reopened.Revision() != book.Revision() || len(reopened.Peers()) != len(book.Peers()) {
		return fmt.Errorf("the file is at %d with %d peers, acknowledged was %d with %d", reopened.Revision(), len(reopened.Peers()), book.Revision(), len(book.Peers()))
	}
	_, err = io.WriteString(os.Stdout, full.Error())
	return err
}

func TestCommitAfterCloseFails(t *testing.T) {
	src := commandtest.New(1)
	path, book := create(t, src, t.TempDir(), "10.0.0.0/8")
	s, _, _ := mustOpen(t, path)
	s.Close()
	_, change, err := book.Apply(now, network.AddCIDR{Name: "lan", Prefix: prefix("10.1.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(change); err == nil {
		t.Error("a commit to a closed store was accepted")
	}
	_, reopened, _ := mustOpen(t, path)
	sameBook(t, reopened, book)
}

// TestCommitOutOfOrderFails: a store that is not where the book is takes
// nothing, and of several changes all or none.
func TestCommitOutOfOrderFails(t *testing.T) {
	src := commandtest.New(1)
	path, first := create(t, src, t.TempDir(), "10.0.0.0/8")
	s, _, _ := mustOpen(t, path)
	second, one, err := first.Apply(now, network.AddCIDR{Name: "lan", Prefix: prefix("10.1.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	_, two, err := second.Apply(now, network.RenameCIDR{Name: "lan", NewName: "house"})
	if err != nil {
		t.Fatal(err)
	}
	for _, changes := range [][]network.Change{{two}, {one, one}, {two, one}} {
		if err := s.Commit(changes...); !errors.Is(err, ErrOutOfStep) {
			t.Errorf("commit of %d changes out of order gave %v", len(changes), err)
		}
	}
	s.Close()
	_, reopened, _ := mustOpen(t, path)
	sameBook(t, reopened, first)
}

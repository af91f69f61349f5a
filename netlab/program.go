package netlab

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// Program is Main for a plain program, a demonstration for example: it runs f
// inside a world and exits, with status 1 if f failed the "test" it is given.
// That one's Context ends when the program is asked to end (SIGINT, SIGTERM).
// It has no subtests, and only what a world needs of testing.TB: any other
// method panics.
func Program(name string, f func(t testing.TB)) {
	os.Exit(enter(func() int { return runProgram(name, f) }))
}

func runProgram(name string, f func(t testing.TB)) int {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	t := &program{name: name, ctx: ctx}
	t.run(func() { f(t) })
	for len(t.cleanups) > 0 {
		last := len(t.cleanups) - 1
		g := t.cleanups[last]
		t.cleanups = slices.Delete(t.cleanups, last, last+1)
		t.run(g)
	}
	if t.Failed() {
		return 1
	}
	return 0
}

// program is a testing.TB outside of go test. The embedded interface is nil: it
// only stands for the methods that are not implemented.
type program struct {
	testing.TB
	name     string
	ctx      context.Context
	failed   atomic.Bool
	cleanups []func()
}

// run calls f so that FailNow ends f and nothing else.
func (p *program) run(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

func (p *program) Name() string             { return p.name }
func (p *program) Context() context.Context { return p.ctx }
func (p *program) Helper()                  {}
func (p *program) Cleanup(f func())         { p.cleanups = append(p.cleanups, f) }
func (p *program) Failed() bool             { return p.failed.Load() }
func (p *program) Fail()                    { p.failed.Store(true) }
func (p *program) FailNow()                 { p.Fail(); runtime.Goexit() }

func (p *program) Log(args ...any)                 { fmt.Println(args...) }
func (p *program) Logf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (p *program) Error(args ...any)               { p.Log(args...); p.Fail() }
func (p *program) Errorf(format string, a ...any)  { p.Logf(format, a...); p.Fail() }
func (p *program) Fatal(args ...any)               { p.Log(args...); p.FailNow() }
func (p *program) Fatalf(format string, a ...any)  { p.Logf(format, a...); p.FailNow() }

// TempDir makes a directory in the world's tmpfs, which ends with the world.
func (p *program) TempDir() string {
	dir, err := os.MkdirTemp("", p.name+"-")
	if err != nil {
		p.Fatalf("make a temporary directory: %v", err)
	}
	return dir
}

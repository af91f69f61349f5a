// Command guest runs inside an emulated machine and compares ways to configure
// the WireGuard of its kernel: ours, wgctrl-go, and wg. It prints what package
// table parses, and fails when what was written is not what is read back.
package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"ginnel/bench/table"
)

func main() {
	var o options
	flag.StringVar(&o.operations, "operations", "", "compare the operations whose names match this regular `expression`")
	flag.IntVar(&o.largest, "largest", 10000, "leave out interfaces of more `peers`")
	flag.IntVar(&o.rounds, "rounds", 7, "take `n` samples for every median")
	flag.Uint64Var(&o.seed, "seed", 1, "of the random peers")
	flag.StringVar(&o.wg, "wg", "", "`path` of wg; none: it is left out")
	flag.IntVar(&o.differential, "differential", 0, "first write and read so many random `peers`")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	operations   string
	largest      int
	rounds       int
	seed         uint64
	wg           string
	differential int
}

// bench is one run.
type bench struct {
	rounds          int
	random          *rand.Rand
	ours            *ginnel
	library         *library
	program         *program // nil: without
	implementations []implementation
	populated       map[int]*populated // by number of peers
}

func run(o options) (err error) {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	machine, err := b.machine(o)
	if err != nil {
		return err
	}
	fmt.Println(machine.Line())
	if o.differential > 0 {
		if err := b.differential(o.differential); err != nil {
			return err
		}
	}
	matches, err := regexp.Compile(o.operations)
	if err != nil {
		return fmt.Errorf("-operations: %w", err)
	}
	for _, op := range table.Catalogue() {
		if op.Size > o.largest || !matches.MatchString(op.Name) {
			continue
		}
		if err := b.compare(op); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) compare(op table.Operation) error {
	measured, err := b.measure(op)
	for _, m := range measured {
		fmt.Println(m.Line())
	}
	return err
}

func newBench(o options) (*bench, error) {
	lib, err := newLibrary()
	if err != nil {
		return nil, err
	}
	b := &bench{
		rounds:  o.rounds,
		random:  rand.New(rand.NewPCG(o.seed, 0)),
		ours:    newGinnel(),
		library: lib, populated: map[int]*populated{},
	}
	b.implementations = []implementation{b.ours, b.library}
	if o.wg == "" {
		return b, nil
	}
	if b.program, err = newProgram(o.wg); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.implementations = append(b.implementations, b.program)
	return b, nil
}

func (b *bench) close() error {
	err := errors.Join(b.ours.close(), b.library.close())
	if b.program != nil {
		err = errors.Join(err, b.program.close())
	}
	return err
}

// machine tells what this run is of.
func (b *bench) machine(o options) (table.Machine, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return table.Machine{}, fmt.Errorf("ask for the kernel's release: %w", err)
	}
	m := table.Machine{
		Arch: runtime.GOARCH, Kernel: unix.ByteSliceToString(u.Release[:]), Go: runtime.Version(),
		Wgctrl: moduleVersion("golang.zx2c4.com/wireguard/wgctrl"), Rounds: o.rounds, Seed: o.seed,
	}
	if b.program == nil {
		return m, nil
	}
	var err error
	m.Wg, err = b.program.version()
	return m, err
}

// moduleVersion is the version of a module that this program was built with.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, d := range info.Deps {
		if d.Path == path {
			return d.Version
		}
	}
	return ""
}

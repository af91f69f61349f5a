package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ginnel/platform/uci"
)

// Daemon is the `config daemon` section: what is not about one network.
type Daemon struct {
	// GOGC is how much garbage may be kept, in percent of what is in use: option
	// gogc, 10–1000; default DefaultGOGC.
	GOGC int
	// MemoryLimit is how much memory the program may grow to, in bytes, before it
	// collects garbage however little there is: option gomemlimit, written as Go's
	// GOMEMLIMIT, at least leastMemory; math.MaxInt64: no limit ("off"). 0
	// (default): what suits the machine.
	MemoryLimit int64
}

// DefaultGOGC makes the program smaller than Go's own 100 would, at the price
// of twice as many collections.
const DefaultGOGC = 50

// leastMemory is what the program needs not to collect all the time.
const leastMemory = 8 << 20

// typeDaemon is the type of the section.
const typeDaemon = "daemon"

// daemonOptions are all that the section may have. None is a list.
var daemonOptions = []struct {
	name string
	read func(d *Daemon, value string) error
}{
	{"gogc", readGOGC},
	{"gomemlimit", readMemoryLimit},
}

func readGOGC(d *Daemon, s string) (err error) { d.GOGC, err = parseNumber(s, 10, 1000); return err }

// noMemoryLimit is the value of option gomemlimit that sets none.
const noMemoryLimit = "off"

func readMemoryLimit(d *Daemon, s string) error {
	if s == noMemoryLimit {
		d.MemoryLimit = math.MaxInt64
		return nil
	}
	v, ok := parseBytes(s)
	if !ok {
		return fmt.Errorf("%.40q is neither a number with B, KiB, MiB, GiB or TiB behind it, such as 32MiB, nor %q", s, noMemoryLimit)
	}
	if v < leastMemory {
		return fmt.Errorf("%s is too little to work in: %dMiB at least", s, leastMemory>>20)
	}
	d.MemoryLimit = v
	return nil
}

// parseBytes reads a number of bytes as Go reads GOMEMLIMIT: none behind it
// means bytes.
func parseBytes(s string) (int64, bool) {
	shift := 0
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			s, shift = number, 10*(i+1)
		}
	}
	if shift == 0 {
		s = strings.TrimSuffix(s, "B")
	}
	v, err := strconv.ParseUint(s, 10, 63)
	return int64(v << shift), err == nil && v <= math.MaxInt64>>shift
}

// daemon reads the section, of which there is one at most. Of one that is wrong
// nothing is taken.
func (r *reader) daemon(s *uci.Section) {
	if s.Place > 0 {
		r.report(s.Lines[0], "section %s: there is one of type %s already: put its options there", s, typeDaemon)
		return
	}
	d, before := r.config.Daemon, len(r.problems)
	for i := range s.Options {
		o := &s.Options[i]
		if err := d.read(o); err != nil {
			r.report(lastLine(o), "section %s, option %s: %w", s, o.Name, err)
		}
	}
	if len(r.problems) == before {
		r.config.Daemon = d
	}
}

// read reads an option into d.
func (d *Daemon) read(o *uci.Option) error {
	var names []string
	for _, known := range daemonOptions {
		names = append(names, known.name)
	}
	i := slices.Index(names, o.Name)
	if i < 0 {
		return unknown(names)
	}
	if err := checkForm(o, false); err != nil {
		return err
	}
	return daemonOptions[i].read(d, o.Values[0])
}

// Package guest is what the host and the init of an emulated machine agree on:
// the plan that init finds in its initramfs, and the marks it prints on the
// console. It is plain data without I/O.
package guest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Where things are in the guest.
const (
	InitPath = "/init"      // what the kernel starts
	PlanPath = "/plan.json" // what init reads
)

// Plan is what the machine does between its boot and its end.
type Plan struct {
	Time      int64          // seconds since 1970 on the host: the clock is set forward to it
	Seed      []byte         // for the kernel's random numbers, which else may take seconds to be ready
	Modules   []Module       // loaded in this order
	Addresses []netip.Prefix // of eth0, eth1...; IPv4. Zero: the link stays down
	Env       []string       // NAME=VALUE, added to PATH, HOME and TMPDIR
	Run       [][]string     // commands, in order, until one fails
}

// Module is a kernel module.
type Module struct {
	Path       string // in the guest
	Parameters string // as on modprobe's command line: "phram=flash,0x5000000,16Mi"
}

// Encode is the plan as the file PlanPath has it.
func (p Plan) Encode() ([]byte, error) { return json.Marshal(p) }

// DecodePlan reads what Encode made.
func DecodePlan(b []byte) (p Plan, err error) {
	if err := json.Unmarshal(b, &p); err != nil {
		return Plan{}, fmt.Errorf("decode plan: %w", err)
	}
	return p, nil
}

// Event is what a mark tells.
type Event string

// The events, in the order in which they happen.
const (
	Began  Event = "began"  // the command Number starts
	Ended  Event = "ended"  // it has ended with Status
	Failed Event = "failed" // init itself could not do something: Text
	Off    Event = "off"    // the machine is switched off
)

// Mark is a line of init's among those that the kernel and the commands print.
type Mark struct {
	Event  Event
	Number int    // of the command, from 0
	Status int    // exit status, or 128 and the signal's number, or 127 when it could not be started
	Text   string // one line
}

// sign starts a mark's line. A command would have to print it on purpose.
const sign = "\x02guest:"

// String is the mark's line, without its end.
func (m Mark) String() string {
	return fmt.Sprintf("%s %s %d %d %s", sign, m.Event, m.Number, m.Status, m.Text)
}

// ParseMark finds the mark in a line of the console. What stands before it, the
// end of a command's output that did not end its line, is returned too.
func ParseMark(line string) (before string, m Mark, ok bool) {
	before, rest, ok := strings.Cut(line, sign+" ")
	if !ok {
		return line, Mark{}, false
	}
	words := strings.SplitN(rest, " ", 4)
	if len(words) != 4 {
		return line, Mark{}, false
	}
	number, err := strconv.Atoi(words[1])
	status, err2 := strconv.Atoi(words[2])
	if err != nil || err2 != nil {
		return line, Mark{}, false
	}
	return before, Mark{Event: Event(words[0]), Number: number, Status: status, Text: words[3]}, true
}

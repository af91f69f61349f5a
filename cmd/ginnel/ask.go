package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"ginnel/daemon/local"
)

// client returns a client of this machine's daemon.
func (e *env) client() *local.Client { return local.NewClient(e.paths.socket) }

// pick returns the network that is meant: the named one, or the only one. The
// daemon tells which there are: whoever may ask it need not be able to read the
// configuration.
func (e *env) pick(ctx context.Context, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	st, err := e.client().Status(ctx)
	if err != nil {
		return "", err
	}
	names := make([]string, len(st.Networks))
	for i := range st.Networks {
		names[i] = st.Networks[i].Name
	}
	return e.theOnly(names, "say which with --network")
}

// theOnly returns the only one of this machine's networks; among several a
// terminal is asked, once in a command, and otherwise how tells what to do.
func (e *env) theOnly(names []string, how string) (string, error) {
	switch {
	case len(names) == 0:
		return "", errors.New(inNoNetwork)
	case len(names) == 1:
		return names[0], nil
	case slices.Contains(names, e.network):
		return e.network, nil
	case e.terminal:
		list := func(*asking) ([]choice, error) { return named(names), nil }
		err := (&asking{e: e}).ask(question{text: "Which network", list: list}, func(name string) error {
			e.network = name
			return nil
		})
		return e.network, err
	}
	return "", usagef("this machine is in several networks: %s: %s", how, strings.Join(names, ", "))
}

// inNoNetwork is what a machine without networks is told.
const inNoNetwork = "this machine is in no network: `ginnel network create` makes one, `ginnel join` joins one"

// coordinator sends a request to the coordinator of the network that is meant.
func (e *env) coordinator(ctx context.Context, network, method, path string, in, out any) error {
	name, err := e.pick(ctx, network)
	if err != nil {
		return err
	}
	return e.client().Coordinator(ctx, name, method, path, in, out)
}

// confirm asks a question, unless yes answers it. Without a terminal it fails,
// naming --yes.
func (e *env) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !e.terminal {
		return usagef("%q: there is no terminal to ask this on, so nothing was changed; --yes answers it", question)
	}
	if yes, err := e.yesOrNo(question); err != nil || yes {
		return err
	}
	return errUnchanged
}

// yesOrNo asks a question that anything but a yes denies.
func (e *env) yesOrNo(question string) (yes bool, err error) {
	line, err := e.line(question + " [y/N] ")
	answer := strings.ToLower(line)
	return answer == "y" || answer == "yes", err
}

// reconsider is confirm for what can be undone: without a terminal it goes on.
func (e *env) reconsider(yes bool, question string) error {
	return e.confirm(yes || !e.terminal, question)
}

// line asks on the terminal and reads a line. Whoever ends the input, or
// interrupts, wants nothing done: the error says that nothing is.
func (e *env) line(prompt string) (string, error) {
	fmt.Fprint(e.err, prompt)
	line, err := e.input().ReadString('\n')
	if err != nil {
		e.note("") // no answer ended the line
		return "", errUnchanged
	}
	return strings.TrimSpace(line), nil
}

// input is standard input for all that read from it: lines, or the rest.
func (e *env) input() *bufio.Reader {
	if e.lines == nil {
		e.lines = bufio.NewReader(e.in)
	}
	return e.lines
}

// unitLetters are the units of a duration on the command line; units has how long
// each is.
const unitLetters = "smhdw"

var units = [...]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}

// parseLife reads a duration such as 90s, 30m, 12h, 14d or 2w.
func parseLife(s string) (time.Duration, error) {
	if s == "" {
		return 0, usagef("a duration is a number and one of s, m, h, d, w, such as 14d")
	}
	unit := strings.IndexByte(unitLetters, s[len(s)-1])
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
	if unit < 0 || err != nil || n <= 0 || n > int64(math.MaxInt64/units[unit]) {
		return 0, usagef("%q is no duration: want a number and one of s, m, h, d, w, such as 14d", s)
	}
	return time.Duration(n) * units[unit], nil
}

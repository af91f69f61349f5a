package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
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
	return theOnly(names, "say which with --network")
}

// theOnly returns the only one of names; among several, how tells what to do.
func theOnly(names []string, how string) (string, error) {
	switch len(names) {
	case 0:
		return "", errors.New(inNoNetwork)
	case 1:
		return names[0], nil
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
	fmt.Fprintf(e.err, "%s [y/N] ", question)
	line, err := bufio.NewReader(e.in).ReadString('\n')
	if err != nil {
		e.note("") // no answer ended the line
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); err == nil && (answer == "y" || answer == "yes") {
		return nil
	}
	return errors.New("nothing was changed")
}

// units of a duration on the command line.
var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseLife reads a duration such as 90s, 30m, 12h, 14d or 2w.
func parseLife(s string) (time.Duration, error) {
	if s == "" {
		return 0, usagef("a duration is a number and one of s, m, h, d, w, such as 14d")
	}
	unit, known := units[s[len(s)-1]]
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
	if !known || err != nil || n <= 0 || n > int64(math.MaxInt64/unit) {
		return 0, usagef("%q is no duration: want a number and one of s, m, h, d, w, such as 14d", s)
	}
	return time.Duration(n) * unit, nil
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"ginnel/daemon/local"
)

// client returns a client of this machine's daemon.
func (e *env) client() *local.Client { return local.NewClient(e.paths.socket) }

// pick returns the network that is meant: the named one, or the only one.
func (e *env) pick(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	cfg, err := e.paths.readConfig()
	if err != nil {
		return "", err
	}
	switch len(cfg.Networks) {
	case 0:
		return "", fmt.Errorf("this machine is in no network: `ginnel network create` makes one, `ginnel join` joins one")
	case 1:
		return cfg.Networks[0].Name, nil
	}
	names := make([]string, len(cfg.Networks))
	for i := range cfg.Networks {
		names[i] = cfg.Networks[i].Name
	}
	return "", usagef("this machine is in several networks: say which with --network: %s", strings.Join(names, ", "))
}

// coordinator sends a request to the coordinator of the network that is meant.
func (e *env) coordinator(ctx context.Context, network, method, path string, in, out any) error {
	name, err := e.pick(network)
	if err != nil {
		return err
	}
	return e.client().Coordinator(ctx, name, method, path, in, out)
}

// confirm asks a question. Without a terminal it fails, naming --yes.
func (e *env) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !e.terminal {
		return fmt.Errorf("%s: there is no terminal to ask on, so say --yes", strings.TrimSuffix(question, "?"))
	}
	fmt.Fprintf(e.err, "%s [y/N] ", question)
	line, err := bufio.NewReader(e.in).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); err == nil && (answer == "y" || answer == "yes") {
		return nil
	}
	return fmt.Errorf("nothing was changed")
}

// printJSON prints v, indented, as the only output.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// printTable prints rows in columns; the first row is the heading. Cells must
// not hold tabs or newlines.
func (e *env) printTable(rows [][]string) error {
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// units of a duration on the command line.
var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseLife reads a duration such as 90s, 30m, 12h, 14d or 2w.
func parseLife(s string) (time.Duration, error) {
	if s == "" {
		return 0, usagef("a duration is a number and one of s, m, h, d, w, such as 14d")
	}
	unit, known := units[s[len(s)-1]]
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 32)
	if !known || err != nil || n <= 0 {
		return 0, usagef("%q is no duration: want a number and one of s, m, h, d, w, such as 14d", s)
	}
	return time.Duration(n) * unit, nil
}

// ago says how long ago t was, in words for a table.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return span(now.Sub(t)) + " ago"
}

// span writes a duration with its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// size writes a number of bytes with a binary unit.
func size(n uint64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/step, "KMGTPE"
	i := 0
	for ; v >= step && i < len(units)-1; i++ {
		v /= step
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}

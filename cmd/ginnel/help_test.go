package main

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// nouns are the first words of commands that have two.
func nouns() (list []string) {
	for _, c := range commands {
		if noun, _, found := strings.Cut(c.name, " "); found && !slices.Contains(list, noun) {
			list = append(list, noun)
		}
	}
	return list
}

// TestHelp keeps every page of help, so that a change of one is seen.
func TestHelp(t *testing.T) {
	m := newMachine(t)
	var all bytes.Buffer
	page := func(args ...string) {
		r := m.run(args...)
		if r.status != exitOK || r.err != "" {
			t.Errorf("%q: status %d, %q", args, r.status, r.err)
		}
		all.WriteString("$ ginnel " + strings.Join(args, " ") + "\n" + r.out + "\n")
		for _, line := range strings.Split(r.out, "\n") {
			if len(line) > plainColumns {
				t.Errorf("%q: line of %d characters: %s", args, len(line), line)
			}
		}
	}
	page("help")
	for _, noun := range nouns() {
		page(noun, "--help")
		sameHelp(t, m, []string{noun, "--help"}, []string{"help", noun}, []string{noun, "-h"})
	}
	for _, c := range commands {
		words := strings.Fields(c.name)
		page(append(words, "--help")...)
		sameHelp(t, m, append(words, "--help"), append([]string{"help"}, words...), append(words, "-h"), append(words, "x", "--help", "y"))
	}
	sameHelp(t, m, []string{"help"}, []string{"--help"}, []string{"-h"})
	golden(t, "help.golden", all.String())
}

// sameHelp checks that command lines print the same.
func sameHelp(t *testing.T, m *machine, first []string, others ...[]string) {
	t.Helper()
	want := m.run(first...)
	for _, args := range others {
		if got := m.run(args...); got != want {
			t.Errorf("%q prints %+v, want %+v", args, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	m := newMachine(t)
	want := m.run("version")
	if want.status != exitOK || !strings.HasPrefix(want.out, "ginnel "+version+" (go") {
		t.Errorf("%+v", want)
	}
	if got := m.run("--version"); got != want {
		t.Errorf("--version: %+v", got)
	}
	var v map[string]string
	m.json(&v, "version")
	if v["version"] != version || v["go"] == "" || v["platform"] == "" {
		t.Errorf("%v", v)
	}
}

// TestUsage: a command that is not called as it should be ends with 2 and says
// what would be right.
func TestUsage(t *testing.T) {
	m := newMachine(t)
	for _, test := range []struct{ line, says string }{
		{"", "a command is missing"},
		{"nonsense", `there is no command "nonsense": ` + "`ginnel help` lists them"},
		{"nonsense --help", `there is no command "nonsense"`},
		{"help nonsense", `there is no command "nonsense"`},
		{"help peer nonsense", `there is no command "peer nonsense"`},
		{"--json status", "unknown option --json before the command"},
		{"peer", "peer wants one of the commands above"},
		{"peer --json", "peer wants one of the commands above"},
		{"peer nonsense", `there is no command "peer nonsense": those above are all of peer`},
		{"peer list me", "peer list takes no arguments, not 1"},
		{"peer rename bob", "peer rename: NEW-NAME is missing"},
		{"peer remove", "peer remove: PEER is missing"},
		{"peer enable a b", "peer enable takes 1 argument, not 2"},
		{"peer rename", "peer rename: PEER and NEW-NAME are missing"},
		{"peer invite", "peer invite: NAME and --cidr CIDR or --address ADDRESS are missing"},
		{"status home work", "status takes at most 1 argument, not 2"},
		{"peer list --colour", "there is no option --colour"},
		{"peer list --network", "option --network wants a value: --network NETWORK"},
		{"join --listen-port 70000 x", `--listen-port takes a number from 0 to 65535, not "70000"`},
		{"cidr add servers 10.42.1", `"10.42.1" is no range of addresses: want one such as 10.42.1.0/24`},
		{"peer invite bob", "--cidr CIDR or --address ADDRESS is missing"},
		{"peer invite bob --address 10.42", `"10.42" is no address: want one such as 10.42.1.5`},
		{"peer invite bob --cidr servers --expires soon", `"soon" is no duration`},
		{"peer invite bob --cidr servers --json --output x", "leave one of them out"},
	} {
		m.refuses(exitUsage, []string{test.says}, strings.Fields(test.line)...)
	}
	if r := m.run("peer", "rename", "bob"); !strings.Contains(r.err, "usage: ginnel peer rename [OPTIONS] PEER NEW-NAME") {
		t.Errorf("no synopsis: %q", r.err)
	}
	if r := m.run("peer", "nonsense"); !strings.Contains(r.err, "peer list") {
		t.Errorf("the commands of peer are not shown: %q", r.err)
	}
}

// TestReadme: every command line in the documentation is one that the program
// takes.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, line := range commandLines(string(text)) {
		seen++
		words := strings.Fields(line)
		for i := range words {
			words[i] = strings.TrimSuffix(words[i], ".")
		}
		if words[0] == "help" {
			continue
		}
		c, rest := findCommand(words[0]), words[1:]
		if c == nil && len(words) > 1 {
			c, rest = findCommand(words[0]+" "+words[1]), words[2:]
		}
		if c == nil {
			t.Errorf("`ginnel %s`: there is no such command", line)
			continue
		}
		o, _ := c.prepare()
		if err := errors.Join(o.parse(rest), c.check(o)); err != nil {
			t.Errorf("`ginnel %s`: %v", line, err)
		}
	}
	if seen < 8 {
		t.Errorf("only %d command lines were found", seen)
	}
}

// commandLines returns the command lines of a text, without "ginnel": indented
// ones, and those in back quotes.
func commandLines(text string) (list []string) {
	for _, line := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(line, "    ginnel "); ok {
			rest, _, _ = strings.Cut(rest, "#")
			list = append(list, rest)
		}
		for i, part := range strings.Split(line, "`") {
			if rest, ok := strings.CutPrefix(part, "ginnel "); ok && i%2 == 1 {
				list = append(list, rest)
			}
		}
	}
	return list
}

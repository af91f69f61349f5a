package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"
)

// command is one row of the command table.
type command struct {
	name        string // "peer invite"
	args        string // the arguments as the help shows them
	needs       string // the options that must be given, likewise; empty: none
	least, most int    // how many there may be
	brief       string // one line
	about       string // the rest of the help; empty: none
	// setup adds the command's options and returns what it does once they and
	// the arguments are parsed.
	setup func(*pflag.FlagSet) action
}

// action does what a command is for.
type action func(ctx context.Context, e *env, args []string) error

// commands is the table, in the order of the help.
var commands []command

func init() {
	for _, noun := range [][]command{
		networkCommands, cidrCommands, associationCommands, peerCommands,
		backupCommands, membershipCommands, upDownCommands, statusCommands, daemonCommands, versionCommands,
	} {
		commands = append(commands, noun...)
	}
}

func findCommand(name string) *command {
	for i := range commands {
		if commands[i].name == name {
			return &commands[i]
		}
	}
	return nil
}

// commandsOf returns the commands of a noun.
func commandsOf(noun string) (list []*command) {
	for i := range commands {
		if strings.HasPrefix(commands[i].name, noun+" ") {
			list = append(list, &commands[i])
		}
	}
	return list
}

// prepare returns the command's options and its action.
func (c *command) prepare() (*pflag.FlagSet, action) {
	fs := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.SortFlags = false
	return fs, c.setup(fs)
}

// line is the command's synopsis.
func (c *command) line() string {
	line := "usage: ginnel " + c.name
	if c.needs != "" {
		line += " " + c.needs
	}
	if fs, _ := c.prepare(); fs.HasFlags() {
		line += " [OPTIONS]"
	}
	if c.args != "" {
		line += " " + c.args
	}
	return line
}

func (c *command) usage(w io.Writer) {
	fs, _ := c.prepare()
	fmt.Fprintf(w, "%s\n\n%s.\n", c.line(), c.brief)
	if c.about != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.about))
	}
	if fs.HasFlags() {
		fmt.Fprintf(w, "\nOptions:\n%s", fs.FlagUsages())
	}
}

// overview lists all commands, or those of a noun.
func overview(w io.Writer, noun string) {
	if noun == "" {
		fmt.Fprintf(w, "Ginnel joins machines into private networks over WireGuard.\n\nusage: ginnel COMMAND [OPTIONS] [ARGUMENTS]\n\n")
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range commands {
		if c := &commands[i]; noun == "" || strings.HasPrefix(c.name, noun+" ") {
			fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.brief)
		}
	}
	t.Flush()
	fmt.Fprintf(w, "\n`ginnel COMMAND --help` tells more.\n")
	if noun == "" {
		fmt.Fprint(w, pathsHelp)
	}
}

// The options that several commands share.

func networkOption(fs *pflag.FlagSet) *string {
	return fs.StringP("network", "n", "", "the `NETWORK`; may be left out where there is only one")
}

func jsonOption(fs *pflag.FlagSet) *bool { return fs.Bool("json", false, "print JSON") }

func yesOption(fs *pflag.FlagSet) *bool { return fs.BoolP("yes", "y", false, "do not ask") }

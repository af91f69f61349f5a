package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// command is one row of the command table.
type command struct {
	name   string // "peer invite"
	args   string // the arguments as the help shows them: see [command.arguments]
	brief  string // one line
	about  string // the rest of the help; empty: none
	hidden bool   // scripts call it: the help does not list it
	// setup adds the command's options and returns what it does once they and
	// the arguments are parsed and nothing is missing.
	setup func(*options) action
}

// action does what a command is for.
type action func(ctx context.Context, e *env, args []string) error

// commands is the table, in the order of the help.
var commands []command

func init() {
	for _, noun := range [][]command{
		networkCommands, cidrCommands, associationCommands, peerCommands,
		endpointCommands, overrideCommands, listenPortCommands, pinCommands,
		backupCommands, exportCommands, membershipCommands, upDownCommands, fetchCommands, clearCommands, firewallCommands, statusCommands,
		doctorCommands, daemonCommands, completionCommands, versionCommands,
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
func (c *command) prepare() (*options, action) {
	o := &options{}
	return o, c.setup(o)
}

// line is the command's synopsis.
func (c *command) line() string {
	line := "usage: ginnel " + c.name
	o, _ := c.prepare()
	for _, group := range o.needs {
		line += " " + o.groupLine(group)
	}
	if len(o.all) > 0 {
		line += " [OPTIONS]"
	}
	if c.args != "" {
		line += " " + c.args
	}
	return line
}

func (c *command) usage(w io.Writer) {
	o, _ := c.prepare()
	p := &page{columns: plainColumns}
	p.paragraph(ordinary, 0, "%s", c.line())
	fmt.Fprintf(w, "%s\n%s", p, reflow(c.brief+".", plainColumns))
	if c.about != "" {
		fmt.Fprintf(w, "\n%s", reflow(c.about, plainColumns))
	}
	if len(o.all) > 0 {
		fmt.Fprintf(w, "\nOptions:\n%s", o.usage())
	}
}

// overview lists all commands, or those of a noun.
func overview(w io.Writer, noun string) {
	if noun == "" {
		fmt.Fprintf(w, "Ginnel joins machines into private networks over WireGuard.\n\nusage: ginnel COMMAND [OPTIONS] [ARGUMENTS]\n\n")
	}
	var rows [][2]string
	for i := range commands {
		if c := &commands[i]; !c.hidden && (noun == "" || strings.HasPrefix(c.name, noun+" ")) {
			rows = append(rows, [2]string{"  " + strings.TrimSpace(c.name+" "+c.args), c.brief})
		}
	}
	fmt.Fprintf(w, "%s\n`ginnel COMMAND --help` tells more.\n", columns(rows, 2))
	if noun == "" {
		fmt.Fprint(w, pathsHelp)
	}
}

// The options that several commands share.

func networkOption(o *options) *string {
	return o.String("network", "n", "", "the `NETWORK`; may be left out where there is only one")
}

func jsonOption(o *options) *bool { return o.Bool("json", "", "print JSON") }

func yesOption(o *options) *bool { return o.Bool("yes", "y", "do not ask") }

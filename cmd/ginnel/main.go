// Command ginnel is every role of Ginnel in one binary: the daemon (a peer,
// the coordinator, or both) and the command line. It is the only place that
// assembles the other packages and chooses implementations of the platform's
// interfaces.
//
// The commands are a table ([commands]); each noun has a file. All but
// daemon, network, backup, restore, join, leave, up and down do nothing but ask the daemon over
// its socket.
//
// A command prints its result on standard output: a table, with --json the
// API's own types, or, when it changed something, one line that says what.
// Whatever else is worth knowing, and what was wrong, goes to standard error.
// The exit status is 0, 1 when the command failed, 2 when it was not called as
// it should be.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"ginnel/daemon"
	"ginnel/journal"
	"ginnel/platform"
	"ginnel/platform/inspect"
	"ginnel/platform/terminal"
)

// version is set by the build.
var version = "dev"

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a command that was not called as it should be.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// env is what a command works with.
type env struct {
	in       io.Reader
	out, err io.Writer
	screen   func() screen // what out is shown on; nil: no terminal
	aside    func() screen // likewise err
	terminal bool          // questions may be asked
	lines    *bufio.Reader // of in, once something was read
	network  string        // what a question for the network was answered with
	paths    paths
	system   func(*journal.Logger) daemon.System // makes this machine's operating system
	inspect  platform.Inspector
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	e := &env{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: terminal.Is(os.Stdin) && terminal.Is(os.Stderr),
		screen: screenOf(os.Stdout, os.Getenv), aside: screenOf(os.Stderr, os.Getenv), paths: findPaths(os.Getenv), system: newSystem, inspect: inspect.New(),
	}
	if e.terminal {
		e.in = terminal.Input(ctx, os.Stdin) // Ctrl-C ends a question
	}
	os.Exit(run(ctx, e, os.Args[1:]))
}

// run runs one command line and returns the exit status.
func run(ctx context.Context, e *env, args []string) int {
	err := dispatch(ctx, e, args)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		e.note("ginnel: %v", err)
		return exitUsage
	}
	e.note("ginnel: %v", err)
	return exitFailed
}

// dispatch finds the command that args begin with and runs it.
func dispatch(ctx context.Context, e *env, args []string) error {
	words := 0
	for words < len(args) && !strings.HasPrefix(args[words], "-") {
		words++
	}
	for n := min(words, 2); n > 0; n-- {
		if c := findCommand(strings.Join(args[:n], " ")); c != nil {
			return c.call(ctx, e, args[n:])
		}
	}
	if words == 0 || args[0] == "help" {
		if len(args) == 0 {
			overview(e.err, "")
			return usagef("a command is missing")
		}
		return help(e, args)
	}
	if list := commandsOf(args[0]); len(list) > 0 {
		if words == 1 && wantsHelp(args[1:]) {
			overview(e.out, args[0])
			return nil
		}
		overview(e.err, args[0])
		if words == 1 {
			return usagef("%s wants one of the commands above", args[0])
		}
		return usagef("there is no command %q: those above are all of %s", args[0]+" "+args[1], args[0])
	}
	return noCommand(args[0])
}

func noCommand(name string) error {
	for _, c := range innernetCommands {
		if c[0] == name {
			return usagef("there is no command %q: what it does in innernet `ginnel %s` does here", name, c[1])
		}
	}
	return usagef("there is no command %q: `ginnel help` lists them", name)
}

// help answers `ginnel help [COMMAND]`, --help and --version.
func help(e *env, args []string) error {
	switch {
	case args[0] == "--version":
		return findCommand("version").call(context.Background(), e, nil)
	case args[0] == "help" && len(args) > 1:
		name := strings.Join(args[1:], " ")
		if c := findCommand(name); c != nil {
			c.usage(e.out)
			return nil
		}
		if len(commandsOf(name)) > 0 {
			overview(e.out, name)
			return nil
		}
		return noCommand(name)
	case args[0] == "help" || wantsHelp(args):
		overview(e.out, "")
		return nil
	}
	return usagef("unknown option %s before the command: `ginnel help` lists the commands", args[0])
}

func wantsHelp(args []string) bool {
	return len(args) > 0 && (args[0] == "--help" || args[0] == "-h")
}

// call parses the options and the arguments and runs the command.
func (c *command) call(ctx context.Context, e *env, args []string) error {
	o, act := c.prepare()
	if err := o.parse(args); errors.Is(err, errHelp) {
		c.usage(e.out)
		return nil
	} else if err != nil {
		return usagef("%v\n%s", err, c.line())
	}
	if err := c.check(o); err != nil {
		return err
	}
	if err := c.complete(ctx, e, o); err != nil {
		return err
	}
	return act(ctx, e, o.args)
}

// check refuses a command line that has too much.
func (c *command) check(o *options) error {
	all := c.arguments()
	if most := len(all); len(o.args) > most && (most == 0 || !all[most-1].repeated) {
		return usagef("%s takes %s, not %d\n%s", c.name, c.count(), len(o.args), c.line())
	}
	return nil
}

// complete asks for what is missing, or refuses a command line without it.
func (c *command) complete(ctx context.Context, e *env, o *options) error {
	list := c.missing(o)
	if len(list) > 0 && e.terminal {
		return c.ask(ctx, e, o)
	}
	if len(list) > 0 {
		return usagef("%s: %s missing\n%s", c.name, areMissing(list), c.line())
	}
	return nil
}

// missing returns what must be given and is not, as the synopsis has it.
func (c *command) missing(o *options) (list []string) {
	for i, a := range c.arguments() {
		if i >= len(o.args) && !a.optional {
			list = append(list, a.word)
		}
	}
	for _, group := range o.needs {
		if !o.isGiven(group) {
			list = append(list, strings.ReplaceAll(o.groupLine(group), "|", " or "))
		}
	}
	return list
}

// areMissing joins words: "A is", "A and B are", "A, B and C are".
func areMissing(list []string) string {
	last := len(list) - 1
	if last == 0 {
		return list[0] + " is"
	}
	return strings.Join(list[:last], ", ") + " and " + list[last] + " are"
}

// count says how many arguments the command takes.
func (c *command) count() string {
	all := c.arguments()
	switch {
	case len(all) == 0:
		return "no arguments"
	case all[len(all)-1].optional:
		return "at most " + plural(len(all), "argument")
	}
	return plural(len(all), "argument")
}

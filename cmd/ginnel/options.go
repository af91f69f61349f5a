package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// options are a command's options and, once parsed, its arguments. They are
// written as in GNU's getopt_long: --name value, --name=value, -n value,
// -nvalue, -vy for two that take none; -- ends them, and arguments may stand
// before. Only whole names count, so that a new option breaks no script.
type options struct {
	all   []*option
	needs [][]string // groups of names: one option of each group must be given
	args  []string
	// questions by which a terminal is asked, by the option's name or the
	// argument's word. Arguments have the usual one otherwise, options none.
	questions map[string]question
}

// option is one of them.
type option struct {
	name, short string // without dashes; short may be empty
	value       string // what the help calls the value; empty: it takes none
	usage       string
	bare        string // the value where none is written; empty: one must be
	preset      string // shown by the help; empty: nothing
	given       bool   // it is on the command line
	text        string // as given, the last time
	set         func(text string) error
}

// line is how the option is written.
func (opt *option) line() string {
	switch {
	case opt.value == "":
		return "--" + opt.name
	case opt.bare != "":
		return "--" + opt.name + "[=" + opt.value + "]"
	}
	return "--" + opt.name + " " + opt.value
}

// errHelp asks for the command's help.
var errHelp = errors.New("help is asked for")

// add takes the help's word for the value from between back quotes in usage.
func (o *options) add(name, short, usage, preset string, set func(string) error) {
	value := ""
	if before, rest, ok := strings.Cut(usage, "`"); ok {
		word, after, _ := strings.Cut(rest, "`")
		value, usage = word, before+word+after
	}
	opt := &option{name: name, short: short, value: value, usage: usage, preset: preset}
	opt.set = func(text string) error {
		err := set(text)
		if err == nil {
			opt.given, opt.text = true, text
		}
		return err
	}
	o.all = append(o.all, opt)
}

// Bool adds an option without a value.
func (o *options) Bool(name, short, usage string) *bool {
	v := new(bool)
	o.add(name, short, usage, "", func(string) error { *v = true; return nil })
	return v
}

// String adds an option with a value.
func (o *options) String(name, short, preset, usage string) *string {
	v := &preset
	o.add(name, short, usage, preset, func(text string) error { *v = text; return nil })
	return v
}

// Strings adds an option that may be given several times.
func (o *options) Strings(name, usage string) *[]string {
	v := new([]string)
	o.add(name, "", usage, "", func(text string) error { *v = append(*v, text); return nil })
	return v
}

// Optional adds an option whose value may be left out: --name=value, -nvalue,
// or without one, which is bare.
func (o *options) Optional(name, short, bare, usage string) *string {
	v := o.String(name, short, "", usage)
	opt := o.named(name)
	opt.bare, opt.preset = bare, bare
	return v
}

// Uint16 adds an option whose value is a number up to 65535. A preset of 0 is
// not shown.
func (o *options) Uint16(name string, preset uint16, usage string) *uint16 {
	v := &preset
	shown := ""
	if preset != 0 {
		shown = strconv.Itoa(int(preset))
	}
	o.add(name, "", usage, shown, func(text string) error {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return fmt.Errorf("--%s takes a number from 0 to 65535, not %q", name, text)
		}
		*v = uint16(n)
		return nil
	})
	return v
}

// need says that one of the named options must be given.
func (o *options) need(group ...string) { o.needs = append(o.needs, group) }

// ask says what a terminal is asked where an option, or the argument of a word,
// is missing.
func (o *options) ask(name string, q question) {
	if o.questions == nil {
		o.questions = map[string]question{}
	}
	o.questions[name] = q
}

// groupLine is how the help shows options of which one must be given.
func (o *options) groupLine(group []string) string {
	var lines []string
	for _, name := range group {
		lines = append(lines, o.named(name).line())
	}
	return strings.Join(lines, "|")
}

func (o *options) isGiven(group []string) bool {
	return slices.ContainsFunc(group, func(name string) bool { return o.named(name).given })
}

func (o *options) named(name string) *option {
	return o.find(func(opt *option) bool { return opt.name == name })
}

// parse reads a command line behind the command's name.
func (o *options) parse(line []string) error {
	for len(line) > 0 {
		word := line[0]
		line = line[1:]
		var err error
		switch {
		case word == "--":
			o.args = append(o.args, line...)
			return nil
		case strings.HasPrefix(word, "--"):
			line, err = o.long(word[2:], line)
		case strings.HasPrefix(word, "-") && word != "-":
			line, err = o.shorts(word[1:], line)
		default:
			o.args = append(o.args, word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// long reads what follows "--". It returns the rest of the line.
func (o *options) long(word string, line []string) ([]string, error) {
	name, value, has := strings.Cut(word, "=")
	opt := o.named(name)
	switch {
	case opt == nil && name == "help":
		return nil, errHelp
	case opt == nil:
		return nil, fmt.Errorf("there is no option --%s", name)
	case opt.value == "" && has:
		return nil, fmt.Errorf("option --%s takes no value", name)
	case opt.value == "" || has:
		return line, opt.set(value)
	case opt.bare != "":
		return line, opt.set(opt.bare)
	case len(line) == 0:
		return nil, fmt.Errorf("option --%s wants a value: --%s %s", name, name, opt.value)
	}
	return line[1:], opt.set(line[0])
}

// shorts reads the letters that follow "-".
func (o *options) shorts(letters string, line []string) ([]string, error) {
	for letters != "" {
		letter := letters[:1]
		letters = letters[1:]
		opt := o.find(func(opt *option) bool { return opt.short == letter })
		switch {
		case opt == nil && letter == "h":
			return nil, errHelp
		case opt == nil:
			return nil, fmt.Errorf("there is no option -%s", letter)
		case opt.value == "":
			if err := opt.set(""); err != nil {
				return nil, err
			}
			continue
		case letters != "":
			return line, opt.set(letters)
		case opt.bare != "":
			return line, opt.set(opt.bare)
		case len(line) == 0:
			return nil, fmt.Errorf("option -%s wants a value: -%s %s", letter, letter, opt.value)
		}
		return line[1:], opt.set(line[0])
	}
	return line, nil
}

func (o *options) find(is func(*option) bool) *option {
	for _, opt := range o.all {
		if is(opt) {
			return opt
		}
	}
	return nil
}

// usage returns a line for each option, for the help.
func (o *options) usage() string {
	var rows [][2]string
	for _, opt := range o.all {
		row := [2]string{"      " + opt.line(), opt.usage}
		if opt.short != "" {
			row[0] = "  -" + opt.short + ", " + opt.line()
		}
		if opt.preset != "" {
			row[1] += " (default " + opt.preset + ")"
		}
		rows = append(rows, row)
	}
	return columns(rows, 3)
}

// columns puts two columns side by side, gap spaces apart at least. Where the
// first is very wide the second begins on the next line; it is wrapped.
func columns(rows [][2]string, gap int) string {
	const most = 34
	width := 0
	for _, row := range rows {
		if len(row[0]) <= most {
			width = max(width, len(row[0]))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		first := row[0]
		if len(first) > most {
			b.WriteString(first + "\n")
			first = ""
		}
		for _, line := range wrap(row[1], plainColumns-width-gap) {
			b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s%s", width+gap, first, line), " ") + "\n")
			first = ""
		}
	}
	return b.String()
}

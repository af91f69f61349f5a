package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"ginnel/platform/terminal"
)

// screen is what the output is shown on.
type screen struct {
	terminal       bool
	columns, lines int // 0: not known
	colour         bool
}

// plainColumns is how wide text may be where nobody says how wide the screen
// is; narrowest is what is made use of at least.
const (
	plainColumns = 80
	narrowest    = 40
)

// width is how wide text may be.
func (s screen) width() int {
	if s.columns == 0 {
		return plainColumns
	}
	return max(s.columns, narrowest)
}

// screenOf looks at a file anew whenever it is asked: terminals change their
// size.
func screenOf(f *os.File, getenv func(string) string) func() screen {
	is := terminal.Is(f)
	return func() screen {
		if !is {
			return screen{}
		}
		columns, lines := terminal.Size(f)
		return screen{terminal: true, columns: columns, lines: lines, colour: mayColour(getenv)}
	}
}

// mayColour tells whether a terminal is to be coloured, by what the environment
// says (https://no-color.org).
func mayColour(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// look is how a piece of text looks on a screen with colours: the parameter of
// ECMA-48's SGR.
type look string

// The looks.
const (
	ordinary look = ""
	strong   look = "1"
	good     look = "32"
	underway look = "33"
	bad      look = "31"
)

// page is text for people that is being put together: no line of it is wider
// than the screen but where a single word is.
type page struct {
	strings.Builder
	columns int
	colour  bool
}

// newPage returns an empty page for standard output.
func (e *env) newPage() *page {
	s := e.seen()
	return &page{columns: s.width(), colour: s.colour}
}

// seen is what standard output is shown on now.
func (e *env) seen() screen {
	if e.screen == nil {
		return screen{}
	}
	return e.screen()
}

// put prints a page.
func (e *env) put(p *page) error { return e.print(p.String()) }

// line adds a line that is short enough.
func (p *page) line(l look, format string, args ...any) {
	p.WriteString(p.painted(l, clean(fmt.Sprintf(format, args...))) + "\n")
}

// paragraph adds a text whose further lines are indented more than the first.
func (p *page) paragraph(l look, indent int, format string, args ...any) {
	const hang = 2
	first := strings.Repeat(" ", indent)
	for i, line := range wrap(clean(fmt.Sprintf(format, args...)), p.columns-indent-hang) {
		if i == 1 {
			first += strings.Repeat(" ", hang)
		}
		p.WriteString(first + p.painted(l, line) + "\n")
	}
}

// painted gives text a look, where there are colours.
func (p *page) painted(l look, text string) string {
	if !p.colour || l == ordinary || text == "" {
		return text
	}
	return "\x1b[" + string(l) + "m" + text + "\x1b[0m"
}

// wrap breaks a text at spaces into lines of at most width characters; a word
// that is longer stays whole.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// reflow wraps the paragraphs of a text; lines that are indented stay as they
// are.
func reflow(text string, width int) string {
	var b strings.Builder
	var open []string // lines of the paragraph under way
	end := func() {
		if len(open) > 0 {
			b.WriteString(strings.Join(wrap(strings.Join(open, " "), width), "\n") + "\n")
			open = nil
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if line != "" && line[0] != ' ' {
			open = append(open, line)
			continue
		}
		end()
		b.WriteString(line + "\n")
	}
	end()
	return b.String()
}

// clean replaces what would do something to a terminal, such as the escape
// sequences in a hostile name that no check has caught, and ends of lines.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !strconv.IsPrint(r):
			return utf8.RuneError
		}
		return r
	}, text)
}

// cleanLines is clean for a text of several lines.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

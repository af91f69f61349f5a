//go:build man

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The manual is written by a binary of its own, which is this one with one
// command more: `go run -tags man ./cmd/ginnel man DIR docs/ginnel.conf.example`.
// What the pages say is the command table's.
func init() {
	commands = append(commands, command{
		name: "man", args: "DIR EXAMPLE", hidden: true, brief: "Write the pages of the manual into a directory",
		about: "EXAMPLE is the example of the configuration. The pages have the date that SOURCE_DATE_EPOCH says.",
		setup: func(*options) action {
			return func(_ context.Context, _ *env, args []string) error { return writeManual(args[0], args[1]) }
		},
	})
}

func writeManual(dir, example string) error {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("the date of the pages: SOURCE_DATE_EPOCH must be a number of seconds: %w", err)
	}
	text, err := os.ReadFile(example)
	if err != nil {
		return err
	}
	m := &manual{dir: dir, date: time.Unix(seconds, 0).UTC().Format(time.DateOnly)}
	m.program()
	for i := range commands {
		if !commands[i].hidden {
			m.command(&commands[i])
		}
	}
	m.configuration(string(text))
	return m.err
}

// manual is a directory of pages, in man(7)'s language.
type manual struct {
	dir, date string
	page      strings.Builder // the one under way
	err       error           // the first
}

// title begins a page.
func (m *manual) title(name, section, brief string) {
	m.page.Reset()
	fmt.Fprintf(&m.page, ".TH %s %s %s \"ginnel %s\" Ginnel\n", roff(strings.ToUpper(name)), section, m.date, roff(version))
	m.section("NAME")
	m.page.WriteString(roff(name) + ` \- ` + roff(brief) + "\n")
}

// end writes the page into its file.
func (m *manual) end(name, section string, also ...string) {
	m.section("SEE ALSO")
	for i, page := range also {
		if i < len(also)-1 {
			page += ","
		}
		name, rest, _ := strings.Cut(page, "(")
		m.request("BR", name, "("+rest)
	}
	if m.err == nil {
		m.err = os.WriteFile(filepath.Join(m.dir, name+"."+section), []byte(m.page.String()), 0o644)
	}
}

// request writes a request, whose arguments are quoted.
func (m *manual) request(name string, args ...string) {
	m.page.WriteString("." + name)
	for _, a := range args {
		m.page.WriteString(` "` + strings.ReplaceAll(roff(a), `"`, `\(dq`) + `"`)
	}
	m.page.WriteString("\n")
}

func (m *manual) section(name string) { m.request("SH", name) }

// text writes paragraphs; lines that are indented stay as they are.
func (m *manual) text(text string) {
	begin := "" // what is written before the next line
	asIs := false
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		rest, indented := strings.CutPrefix(line, "  ")
		switch {
		case indented && !asIs:
			begin += ".RS\n.nf\n"
		case !indented && asIs:
			begin = ".fi\n.RE\n.PP\n"
		case line == "":
			begin = ".PP\n"
		}
		asIs = indented
		if line != "" {
			m.page.WriteString(begin + roff(rest) + "\n")
			begin = ""
		}
	}
	if asIs {
		m.page.WriteString(".fi\n.RE\n")
	}
}

// entry writes an entry of a list.
func (m *manual) entry(tag, text string) {
	m.page.WriteString(".TP\n" + tag + "\n" + roff(text) + "\n")
}

// special is what a formatter would take for something else.
var special = strings.NewReplacer(`\`, `\e`, "-", `\-`, "~", `\(ti`, "^", `\(ha`)

// roff writes text so that a formatter shows it as it is, and what is between
// back quotes bold.
func roff(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = special.Replace(part)
		if i%2 == 1 {
			part = `\fB` + part + `\fR`
		}
		b.WriteString(part)
	}
	if s := b.String(); strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return b.String()
}

// bold is for what is typed as it is, italic for what stands for something.
func bold(text string) string   { return `\fB` + roff(text) + `\fR` }
func italic(text string) string { return `\fI` + roff(text) + `\fR` }

// pageOf is the name of a command's page.
func pageOf(c *command) string { return "ginnel-" + strings.ReplaceAll(c.name, " ", "-") }

// program is the page about all of it.
func (m *manual) program() {
	m.title("ginnel", "1", "private networks over WireGuard")
	m.section("SYNOPSIS")
	m.page.WriteString(bold("ginnel") + " " + italic("COMMAND") + " [" + italic("OPTIONS") + "] [" + italic("ARGUMENTS") + "]\n")
	m.section("DESCRIPTION")
	m.text(`Ginnel joins routers, servers and laptops into private networks over WireGuard. One machine
keeps the network's book: the coordinator. Every other one is a peer with a permanent address.
Peers find each other and talk directly; who may see whom is decided by ranges of addresses.`)
	m.section("COMMANDS")
	for i := range commands {
		if c := &commands[i]; !c.hidden {
			m.entry(bold(pageOf(c))+"(1)", c.brief+".")
		}
	}
	m.section("EXIT STATUS")
	m.entry(bold("0"), "The command did what it is for.")
	m.entry(bold("1"), "It failed.")
	m.entry(bold("2"), "It was not called as it should be.")
	m.section("FILES")
	m.entry("/etc/ginnel/ginnel.conf", "The configuration; on OpenWrt /etc/config/ginnel. `GINNEL_CONFIG` puts it elsewhere.")
	m.entry("/var/lib/ginnel", "Keys, maps, and the coordinator's book; on OpenWrt /etc/ginnel. `GINNEL_STATE` puts it elsewhere.")
	m.entry("/var/run/ginnel/ginnel.sock", "The daemon's socket, for root and the group ginnel. `GINNEL_SOCKET` puts it elsewhere.")
	m.section("ENVIRONMENT")
	m.entry(bold("NO_COLOR"), "Anything but nothing: no colours.")
	m.end("ginnel", "1", "ginnel.conf(5)", "wg(8)")
}

// command is the page about a command.
func (m *manual) command(c *command) {
	o, _ := c.prepare()
	m.title(pageOf(c), "1", c.brief)
	m.section("SYNOPSIS")
	synopsis := strings.TrimPrefix(c.line(), "usage: ginnel "+c.name)
	m.page.WriteString(strings.TrimSpace(bold("ginnel "+c.name)+" "+roff(strings.TrimSpace(synopsis))) + "\n")
	m.section("DESCRIPTION")
	m.text(c.brief + ".\n\n" + strings.TrimSpace(c.about))
	if len(o.all) > 0 {
		m.section("OPTIONS")
	}
	for _, opt := range o.all {
		m.option(opt)
	}
	also := []string{"ginnel(1)"}
	if noun, _, two := strings.Cut(c.name, " "); two {
		for _, other := range commandsOf(noun) {
			if other != c {
				also = append(also, pageOf(other)+"(1)")
			}
		}
	}
	m.end(pageOf(c), "1", also...)
}

func (m *manual) option(opt *option) {
	name, value, found := strings.Cut(opt.line(), " ")
	tag := bold(name)
	if found {
		tag += " " + italic(value)
	}
	if opt.short != "" {
		tag = bold("-"+opt.short) + ", " + tag
	}
	text := strings.ToUpper(opt.usage[:1]) + opt.usage[1:]
	if opt.preset != "" {
		text += " (default " + opt.preset + ")"
	}
	m.entry(tag, text+".")
}

// configuration is the page about the configuration: its example, which
// explains itself.
func (m *manual) configuration(example string) {
	m.title("ginnel.conf", "5", "the configuration of Ginnel")
	m.section("DESCRIPTION")
	m.page.WriteString(".nf\n")
	for _, line := range strings.Split(strings.TrimSpace(example), "\n") {
		line = strings.ReplaceAll(line, "\t", "    ")
		m.page.WriteString(roff(line) + "\n")
	}
	m.page.WriteString(".fi\n")
	m.end("ginnel.conf", "5", "ginnel(1)", "ginnel-daemon(1)")
}

package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// table is text in columns: every list this program prints is one. Columns
// that are empty are left out. Where the rows are wider than the page, each is
// printed in several lines: the first has the leading columns, the others the
// rest, each cell behind its column's name.
type table struct {
	heading []string // nil: none
	rows    [][]string
	indent  int // columns
	lead    int // how many columns a row's first line has at most, where it has several lines; 0: as many as fit
	look    func(column int, cell string) look
}

// The spaces between columns, and before what continues a row.
const (
	gap         = 2
	continuance = 4
)

// add adds a table.
func (p *page) add(t *table) {
	widths := t.widths()
	lead := len(widths)
	if t.indent+lineWidth(widths) > p.columns {
		lead = t.fit(widths, p.columns)
	}
	if t.heading != nil {
		p.row(t, widths[:lead], t.heading, true)
	}
	for _, row := range t.rows {
		p.row(t, widths[:min(lead, len(row))], row, false)
		if len(row) > lead {
			p.rest(t, lead, row)
		}
	}
}

// widths returns the columns' widths; what has no cells has no width, whatever
// its heading.
func (t *table) widths() (widths []int) {
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for i, word := range t.heading {
		switch {
		case i >= len(widths):
			widths = append(widths, len(word)) // there are no rows
		case widths[i] > 0:
			widths[i] = max(widths[i], len(word))
		}
	}
	return widths
}

// lineWidth returns how wide columns of such widths are together.
func lineWidth(widths []int) (sum int) {
	for _, w := range widths {
		if w > 0 && sum > 0 {
			sum += gap
		}
		sum += w
	}
	return sum
}

// fit returns how many columns a row's first line has.
func (t *table) fit(widths []int, columns int) int {
	lead := len(widths) - 1
	if t.lead > 0 {
		lead = min(lead, t.lead)
	}
	for lead > 1 && t.indent+lineWidth(widths[:lead]) > columns {
		lead--
	}
	return max(lead, 1)
}

// row adds the leading cells of a row, without spaces at its end.
func (p *page) row(t *table, widths []int, cells []string, heading bool) {
	line := strings.Repeat(" ", t.indent)
	written, missing := line, 0 // what is written, and the spaces that are not yet
	for i, width := range widths {
		if width == 0 {
			continue
		}
		cell := ""
		if i < len(cells) {
			cell = clean(cells[i])
		}
		if cell != "" {
			written += strings.Repeat(" ", missing) + p.painted(t.lookOf(i, cell, heading), cell)
			missing = 0
		}
		missing += width - utf8.RuneCountInString(cell) + gap
	}
	fmt.Fprintln(p, strings.TrimRight(written, " "))
}

// rest adds the cells of a row that its first line does not have.
func (p *page) rest(t *table, lead int, row []string) {
	const between = "  "
	margin := strings.Repeat(" ", t.indent+continuance+depth(row[:lead]))
	line, width := "", len(margin)
	for i := lead; i < len(row); i++ {
		text := t.named(i, row[i])
		for _, part := range wrap(text, p.columns-len(margin)) {
			n := utf8.RuneCountInString(part)
			switch {
			case part == "":
				continue
			case line != "" && width+len(between)+n > p.columns:
				fmt.Fprintln(p, line)
				line, width = "", len(margin)
			}
			if line == "" {
				line = margin
			} else {
				line += between
				width += len(between)
			}
			line += p.painted(t.lookOf(i, row[i], false), part)
			width += n
		}
	}
	if line != "" {
		fmt.Fprintln(p, line)
	}
}

// depth is how far a row is indented within its cells, as a tree's are.
func depth(row []string) (n int) {
	for _, cell := range row {
		n = max(n, len(cell)-len(strings.TrimLeft(cell, " ")))
	}
	return n
}

// named is a cell behind its column's name; nothing for one without contents.
func (t *table) named(column int, cell string) string {
	if cell == "" || cell == "-" {
		return ""
	}
	if column < len(t.heading) && t.heading[column] != "" {
		return strings.ToLower(t.heading[column]) + " " + clean(cell)
	}
	return clean(cell)
}

func (t *table) lookOf(column int, cell string, heading bool) look {
	switch {
	case heading:
		return strong
	case t.look == nil:
		return ordinary
	}
	return t.look(column, cell)
}

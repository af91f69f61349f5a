package uci

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// What edits may wrap.
var (
	ErrNoSection = errors.New("there is no such section")
	ErrSection   = errors.New("there is such a section already")
)

// quote writes a value as uci(1) does: in single quotes, those within as '\”.
func quote(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// Set gives the section called section the option with this value: where it
// is given last its value is replaced, otherwise a line is added at the
// section's end. Other statements of the option are removed. An empty value is
// the same as Unset. The edit is refused when there is no such section
// (ErrNoSection), or name or value cannot be written in UCI.
func (f *File) Set(section, option, value string) error {
	if value == "" {
		return f.Unset(section, option)
	}
	return f.assign(section, option, kindOption, []string{value})
}

// SetList is Set for a list; without values it is the same as Unset.
func (f *File) SetList(section, option string, values []string) error {
	return f.assign(section, option, kindList, values)
}

// Unset removes every statement of the option. An absent one is no error.
func (f *File) Unset(section, option string) error {
	return f.assign(section, option, kindOption, nil)
}

// AddSection adds an empty section at the file's end. The edit is refused when
// there is a section of that name (ErrSection), the name is empty, or type or
// name cannot be written in UCI.
func (f *File) AddSection(typ, name string) error {
	if !validType(typ) || strings.ContainsAny(typ, `'"\#;`) || !validName(name) {
		return fmt.Errorf("%s: a section of type %q cannot be named %q: use A-Z, a-z, 0-9 and _", f.name, typ, name)
	}
	if f.index(name) >= 0 {
		return fmt.Errorf("%s: section %s: %w", f.name, name, ErrSection)
	}
	end, eol := len(f.text), f.lineEnd()
	text := "config " + typ + " " + quote(name) + eol
	if !f.blankBefore(end) {
		text = eol + text
	}
	return f.replace([]splice{{end, end, f.finishLine(end) + text}})
}

// RemoveSection removes the section with its options, the comments between
// them, and one blank line before it. The comments after its last option stay.
func (f *File) RemoveSection(name string) error {
	section := f.index(name)
	if section < 0 {
		return fmt.Errorf("%s: section %s: %w", f.name, name, ErrNoSection)
	}
	var cuts []splice
	for i := range f.statements {
		st := &f.statements[i]
		switch {
		case st.section != section || st.kind == kindPackage:
		case st.kind == kindConfig:
			cuts = append(cuts, splice{max(f.withBlank(st.start), f.endBefore(i)), st.end, ""})
		default:
			cuts[len(cuts)-1].end = st.end
		}
	}
	return f.replace(cuts)
}

// endBefore is the end of the statement before statement i.
func (f *File) endBefore(i int) int {
	if i == 0 {
		return 0
	}
	return f.statements[i-1].end
}

// splice says that text[start:end] becomes with.
type splice struct {
	start, end int
	with       string
}

// replace does the splices, which are sorted and disjoint, unless the result
// would not be a UCI file.
func (f *File) replace(splices []splice) error {
	var text []byte
	at := 0
	for _, s := range splices {
		text = append(append(text, f.text[at:s.start]...), s.with...)
		at = s.end
	}
	next, err := Parse(f.name, append(text, f.text[at:]...))
	if err != nil {
		return fmt.Errorf("refused edit: %w", err)
	}
	*f = *next
	return nil
}

// assign makes the statements of an option be of one kind and have these
// values, in this order, and changes as few of them as it takes.
func (f *File) assign(section, option string, k kind, values []string) error {
	at := f.index(section)
	if at < 0 {
		return fmt.Errorf("%s: section %s: %w", f.name, section, ErrNoSection)
	}
	if err := checkValues(option, values); err != nil {
		return fmt.Errorf("%s: section %s: %w", f.name, section, err)
	}
	old, last := f.statementsOf(at, option)
	if slices.ContainsFunc(old, func(st statement) bool { return st.kind != k }) {
		return f.rewrite(old, k, option, values)
	}
	if surplus := len(old) - len(values); k == kindOption && surplus > 0 {
		old = append(old[surplus:len(old):len(old)], old[:surplus]...) // the last one counts, so it stays
	}
	var splices []splice
	for i, st := range old {
		switch {
		case i >= len(values):
			splices = append(splices, splice{st.start, st.end, ""})
		case st.value != values[i]:
			splices = append(splices, splice{st.valueAt, st.valueEnd, f.spaced(&st) + quote(values[i])})
		}
	}
	if len(old) > 0 {
		last = old[len(old)-1]
	}
	if len(old) < len(values) {
		splices = append(splices, f.insert(&last, last.end, k, option, values[len(old):]))
	}
	sort.Slice(splices, func(i, j int) bool { return splices[i].start < splices[j].start })
	return f.replace(splices)
}

func checkValues(option string, values []string) error {
	if !validName(option) {
		return fmt.Errorf("%q cannot name an option: use A-Z, a-z, 0-9 and _", option)
	}
	for _, v := range values {
		if i := slices.IndexFunc([]byte(v), func(c byte) bool { return !validText(c) }); i >= 0 {
			return fmt.Errorf("option %s: control character 0x%02x is not allowed", option, v[i])
		}
	}
	return nil
}

// statementsOf returns the statements of an option, and the section's last
// statement.
func (f *File) statementsOf(section int, option string) (found []statement, last statement) {
	for _, st := range f.statements {
		if st.section != section || st.kind == kindPackage {
			continue
		}
		last = st
		if st.kind != kindConfig && st.name == option {
			found = append(found, st)
		}
	}
	return found, last
}

// rewrite puts new statements in the place of the first old one.
func (f *File) rewrite(old []statement, k kind, option string, values []string) error {
	splices := []splice{f.insert(&old[0], old[0].start, k, option, values)}
	for _, st := range old {
		splices = append(splices, splice{st.start, st.end, ""})
	}
	return f.replace(splices)
}

// insert makes lines at a position, indented as the statement like.
func (f *File) insert(like *statement, at int, k kind, option string, values []string) splice {
	indent := "\t"
	if like.kind != kindConfig {
		line := f.text[like.start:like.end]
		indent = string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
	}
	text := f.finishLine(at)
	for _, v := range values {
		text += indent + string(k) + " " + option + " " + quote(v) + f.lineEnd()
	}
	return splice{at, at, text}
}

// spaced is the blank that a missing value needs before it.
func (f *File) spaced(st *statement) string {
	if st.valueAt == st.valueEnd {
		return " "
	}
	return ""
}

// lineEnd is how the file ends its lines.
func (f *File) lineEnd() string {
	if i := bytes.IndexByte(f.text, '\n'); i > 0 && f.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// finishLine is what the line before a position lacks at its end: an end that
// is not escaped.
func (f *File) finishLine(at int) string {
	line, ended := bytes.CutSuffix(f.text[:at], []byte("\n"))
	if at == 0 || ended && !bytes.HasSuffix(bytes.TrimSuffix(line, []byte("\r")), []byte("\\")) {
		return ""
	}
	return f.lineEnd()
}

// blankBefore tells whether the line before a position, the beginning of a
// line, is blank.
func (f *File) blankBefore(at int) bool { return f.withBlank(at) < at }

// withBlank is the position before the blank line before at, or at.
func (f *File) withBlank(at int) int {
	before, ended := bytes.CutSuffix(f.text[:at], []byte("\n"))
	line := bytes.LastIndexByte(before, '\n') + 1
	if !ended || len(bytes.TrimSpace(before[line:])) > 0 {
		return at
	}
	return line
}

// Package uci reads UCI files, the configuration language of OpenWrt, and
// changes them without touching what it was not asked to change. It is pure:
// files are read and written by its callers.
//
//	# a comment
//	config network 'home'
//		option role 'peer'
//		list coordinator 'vpn.example.org:51820'
//
// What counts is what uci(1) makes of a file:
//
//   - A statement starts with package, config, option or list, or their first
//     letters, and ends with its line. Words are separated by blanks.
//   - A word is a run of parts: 'literal', "with \escapes" and unquoted, joined
//     without blanks. Quoted parts may span lines. Outside single quotes a
//     backslash drops itself and keeps the next character, or drops the end of
//     the line.
//   - # starts a comment outside quotes, even within a word.
//   - An option without a value, or with an empty one, says nothing: it is
//     absent, or what it was before. Of an option given twice the last counts;
//     list after option makes a list of both, option after list replaces it.
//   - A section whose name was there before continues the earlier one, and must
//     have its type. Sections without a name are all different.
//   - One bad statement spoils the whole file.
//
// What uci(1) makes of some texts nobody expects, and they are refused: an
// unquoted ;, which ends the word there, and a last word that is empty, which
// may be one too many.
//
// A [File] keeps the text it was parsed from. Every edit replaces some bytes of
// the text and parses the result, so that text and meaning cannot differ, and
// an edit that would spoil the file is refused.
package uci

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// File is a UCI file: its text and what the text means. It is not safe for
// concurrent use while it is edited.
type File struct {
	name       string
	text       []byte
	sections   []Section
	statements []statement
}

// Section is a section, merged from all statements that continue it. It is
// valid until the File is edited, and must not be changed.
type Section struct {
	Type    string   // printable ASCII without blanks
	Name    string   // [A-Za-z0-9_]; empty: anonymous
	Place   int      // among the sections of its type, from 0
	Lines   []int    // line of each config statement, counted from 1
	Options []Option // in the order they first appear in; without absent ones
}

// String returns what the section is addressed by: its name, or @type[place].
func (s *Section) String() string {
	if s.Name != "" {
		return s.Name
	}
	return "@" + s.Type + "[" + strconv.Itoa(s.Place) + "]"
}

// Option is an option or list of a section.
type Option struct {
	Name   string   // [A-Za-z0-9_]
	List   bool     // a list statement made it
	Values []string // exactly one, never empty, unless List
	Lines  []int    // line of each statement that gave it, overridden ones included
}

// Option returns the option called name; false when it is absent.
func (s *Section) Option(name string) (*Option, bool) {
	for i := range s.Options {
		if s.Options[i].Name == name {
			return &s.Options[i], true
		}
	}
	return nil, false
}

// Parse reads text. The name, usually the file's path, is for errors, which
// start with NAME:LINE. The File keeps a copy of text.
func Parse(name string, text []byte) (*File, error) {
	f := &File{name: name, text: slices.Clone(text)}
	s := scanner{text: f.text, line: 1}
	for s.nextLine() {
		st, err := s.statement()
		if err == nil {
			err = f.add(st)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, s.errorLine(), err)
		}
	}
	return f, nil
}

// Bytes returns a copy of the text.
func (f *File) Bytes() []byte { return slices.Clone(f.text) }

// Sections returns all sections in the order they first appear in. They are
// valid until the next edit.
func (f *File) Sections() []Section { return f.sections }

// Section returns the section called name; false when there is none. As in
// uci(1) name may be @type[n] as well: the section of that type at place n,
// counted from 0, or from -1 backwards. That is how anonymous ones are asked for.
func (f *File) Section(name string) (*Section, bool) {
	if i := f.index(name); i >= 0 {
		return &f.sections[i], true
	}
	return nil, false
}

// index returns the index of the section called name, which may be @type[n], or
// -1.
func (f *File) index(name string) int {
	if name == "" {
		return -1
	}
	if typ, place, ok := f.address(name); ok {
		return slices.IndexFunc(f.sections, func(s Section) bool { return s.Type == typ && s.Place == place })
	}
	return slices.IndexFunc(f.sections, func(s Section) bool { return s.Name == name })
}

// address reads @type[n]; a negative n is made the place it means.
func (f *File) address(name string) (typ string, place int, ok bool) {
	name, at := strings.CutPrefix(name, "@")
	name, closed := strings.CutSuffix(name, "]")
	i := strings.LastIndexByte(name, '[')
	if !at || !closed || i < 0 {
		return "", 0, false
	}
	place, err := strconv.Atoi(name[i+1:])
	if typ = name[:i]; place < 0 {
		place += f.count(typ)
	}
	return typ, place, err == nil
}

// count returns how many sections of a type there are.
func (f *File) count(typ string) (n int) {
	for i := range f.sections {
		if f.sections[i].Type == typ {
			n++
		}
	}
	return n
}

// add gives a statement its meaning.
func (f *File) add(st statement) error {
	switch st.kind {
	case kindNone:
		return nil
	case kindConfig:
		if err := f.open(&st); err != nil {
			return err
		}
	case kindOption, kindList:
		if st.section = f.current(); st.section < 0 {
			return fmt.Errorf("%s %s comes before the first config", st.kind, st.name)
		}
		f.sections[st.section].put(&st)
	case kindPackage:
		st.section = f.current()
	}
	f.statements = append(f.statements, st)
	return nil
}

// current is the section that the next statement belongs to, -1 for none.
func (f *File) current() int {
	if len(f.statements) == 0 {
		return -1
	}
	return f.statements[len(f.statements)-1].section
}

// open starts a section, or continues the one of the same name.
func (f *File) open(st *statement) error {
	if st.section = f.index(st.name); st.section < 0 {
		st.section = len(f.sections)
		f.sections = append(f.sections, Section{Type: st.typ, Name: st.name, Place: f.count(st.typ)})
	}
	s := &f.sections[st.section]
	if s.Type != st.typ {
		return fmt.Errorf("section %s is of type %s, in line %d it is of type %s", st.name, st.typ, s.Lines[0], s.Type)
	}
	s.Lines = append(s.Lines, st.line)
	return nil
}

// put does what an option or list statement says.
func (s *Section) put(st *statement) {
	o, known := s.Option(st.name)
	switch {
	case st.value == "" && st.kind == kindOption:
		return
	case !known:
		s.Options = append(s.Options, Option{Name: st.name})
		o = &s.Options[len(s.Options)-1]
	}
	if st.kind == kindOption {
		o.List, o.Values = false, nil
	} else {
		o.List = true
	}
	o.Values = append(o.Values, st.value)
	o.Lines = append(o.Lines, st.line)
}

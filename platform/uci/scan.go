package uci

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// kind is the keyword of a statement.
type kind string

// The keywords; kindNone is a line without a statement.
const (
	kindNone    kind = ""
	kindPackage kind = "package"
	kindConfig  kind = "config"
	kindOption  kind = "option"
	kindList    kind = "list"
)

var keywords = map[string]kind{
	"package": kindPackage, "config": kindConfig, "option": kindOption, "list": kindList,
	"p": kindPackage, "c": kindConfig, "o": kindOption, "l": kindList,
}

// statement is one statement and where it is: text[start:end] are its lines
// with their ends, text[valueAt:valueEnd] is its value as it is written, which
// is empty where the value is missing.
type statement struct {
	kind              kind
	line              int
	section           int    // index of the section it opens or belongs to; -1: none
	typ               string // of config
	name              string // of package, section, option or list
	value             string // of option or list
	start, end        int
	valueAt, valueEnd int
}

// scanner cuts a text into statements.
type scanner struct {
	text  []byte
	pos   int
	line  int // line of pos
	first int // line the statement began in
	quote int // line a quote was opened in and not closed; 0: none
}

// errorLine is the line an error is about.
func (s *scanner) errorLine() int {
	if s.quote > 0 {
		return s.quote
	}
	return s.first
}

// nextLine tells whether there is another line.
func (s *scanner) nextLine() bool {
	s.first = s.line
	return s.pos < len(s.text)
}

// statement reads the statement that starts at pos, the beginning of a line,
// to the end of its last line.
func (s *scanner) statement() (statement, error) {
	st := statement{start: s.pos, line: s.line, section: -1}
	keyword := s.keyword()
	if keyword == "" {
		s.endLine()
		return st, nil
	}
	known := false
	if st.kind, known = keywords[keyword]; !known {
		return st, fmt.Errorf("%.16q is none of package, config, option, list", keyword)
	}
	if err := s.arguments(&st); err != nil {
		return st, err
	}
	switch _, more, err := s.word(); {
	case err != nil:
		return st, err
	case more:
		return st, errors.New("there is a word too many: quote a value that has blanks")
	}
	s.endLine()
	st.end = s.pos
	return st, nil
}

// keyword reads the first word of a line, which knows neither quotes nor
// escapes; empty when the line has no statement.
func (s *scanner) keyword() string {
	s.blanks()
	at := s.pos
	for s.pos < len(s.text) && !strings.ContainsRune(" \t\n", rune(s.text[s.pos])) {
		s.pos++
	}
	if at < len(s.text) && s.text[at] == '#' {
		return ""
	}
	return string(s.text[at:s.pos])
}

// arguments reads the words after the keyword.
func (s *scanner) arguments(st *statement) (err error) {
	if st.kind == kindConfig {
		if st.typ, _, err = s.word(); err != nil {
			return err
		}
		if !validType(st.typ) {
			return fmt.Errorf("config needs a type of printable characters, not %.16q", st.typ)
		}
	}
	if st.name, _, err = s.word(); err != nil {
		return err
	}
	name := st.name
	switch {
	case st.kind == kindConfig && name == "":
		return nil
	case st.kind == kindPackage:
		name = strings.ReplaceAll(name, "-", "_") // packages alone may have dashes
	}
	if !validName(name) {
		return fmt.Errorf("%s needs a name of A-Z, a-z, 0-9 and _, not %.16q", st.kind, name)
	}
	if st.kind == kindOption || st.kind == kindList {
		return s.valueOf(st)
	}
	return nil
}

// valueOf reads the value of an option or list.
func (s *scanner) valueOf(st *statement) (err error) {
	st.valueAt, st.valueEnd = s.pos, s.pos
	s.blanks()
	at, ok := s.pos, false
	if st.value, ok, err = s.word(); err != nil || !ok {
		return err
	}
	st.valueAt, st.valueEnd = at, s.pos
	return nil
}

// blanks skips blanks, but no line's end. An escaped one is part of a word:
// blanks behind it end the word, though it is empty.
func (s *scanner) blanks() {
	for s.pos < len(s.text) && strings.ContainsRune(" \t\r", rune(s.text[s.pos])) {
		s.pos++
	}
}

// joint returns the length of an escaped line end at pos, counting its line,
// or 0.
func (s *scanner) joint() int {
	for _, end := range []string{"\\\n", "\\\r\n"} {
		if bytes.HasPrefix(s.text[s.pos:], []byte(end)) {
			s.line++
			return len(end)
		}
	}
	return 0
}

// endLine skips a comment and the line's end.
func (s *scanner) endLine() {
	for s.pos < len(s.text) {
		s.pos++
		if s.text[s.pos-1] == '\n' {
			s.line++
			return
		}
	}
}

// word reads the next word of the statement; false when there is none.
func (s *scanner) word() (w string, ok bool, err error) {
	s.blanks()
	var b []byte
	at := s.pos
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\r', '\n', '#':
			return string(b), s.pos > at, nil
		case ';':
			return "", false, errors.New("a ; must be quoted")
		case '\'', '"':
			s.pos++
			b, err = s.quoted(b, c)
		default:
			b, err = s.char(b)
		}
		if err != nil {
			return "", false, err
		}
	}
	return string(b), s.pos > at, nil
}

// quoted appends the text up to the quote that closes it.
func (s *scanner) quoted(b []byte, quote byte) ([]byte, error) {
	s.quote = s.line
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		if c == quote {
			s.pos++
			s.quote = 0
			return b, nil
		}
		if c == '\\' && quote == '\'' {
			b = append(b, c)
			s.pos++
			continue
		}
		var err error
		if b, err = s.char(b); err != nil {
			s.quote = s.line
			return nil, err
		}
	}
	return nil, fmt.Errorf("the %c that opens here is never closed", quote)
}

// char appends one character, which may be escaped.
func (s *scanner) char(b []byte) ([]byte, error) {
	if n := s.joint(); n > 0 {
		s.pos += n
		return b, nil
	}
	if s.text[s.pos] == '\\' {
		s.pos++
		if s.pos == len(s.text) {
			return nil, errors.New("nothing follows the \\ that ends the file")
		}
	}
	c := s.text[s.pos]
	if !validText(c) {
		return nil, fmt.Errorf("control character 0x%02x is not allowed", c)
	}
	if c == '\n' {
		s.line++
	}
	s.pos++
	return append(b, c), nil
}

// validText refuses control characters but tab and line ends.
func validText(c byte) bool { return c >= ' ' || c == '\t' || c == '\n' || c == '\r' }

// validName tells whether s may name a section or an option.
func validName(s string) bool {
	for _, c := range []byte(s) {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

// validType tells whether s may be a section's type.
func validType(s string) bool {
	for _, c := range []byte(s) {
		if c < '!' || c > '~' {
			return false
		}
	}
	return s != ""
}

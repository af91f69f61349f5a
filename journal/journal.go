// Package journal writes the program's log: a line for each message, as
// journald, logread and people at a terminal take it.
//
//	level=WARN msg="a socket is not open" network=home err="address already in use"
//
// There is no time in it: whoever runs the program adds one. It writes what
// slog.TextHandler would; log/slog itself brings encoding/json
// along, for a handler that nobody uses here: together they are 440 kB of the
// 5.5 MB that the binary may have.
package journal

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Level says how much a message matters, and to whom.
type Level int

// The levels. The zero Level is Info.
const (
	Debug Level = iota - 1 // for who looks for the reason of something
	Info                   // things go their way
	Warn                   // something is wrong that may pass, or that others must mend
	Error                  // something failed
)

// String returns the level as it is written.
func (l Level) String() string { return [...]string{"DEBUG", "INFO", "WARN", "ERROR"}[l-Debug] }

// Logger writes messages from a level upwards. Its methods may be called at
// the same time. A nil Logger writes nothing, and is of use wherever a Logger
// is wanted.
//
// The args of a message, or of With, are pairs of a key, a string, and its
// value, printed as fmt.Print does.
type Logger struct {
	out   *output
	from  Level
	attrs string // those of With, each with a space before it
}

// output is what all loggers that were made of one another write to.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// New makes a logger that writes messages of level from and above to w, each
// with one call of Write. Errors of w are ignored: there is nobody to tell.
func New(w io.Writer, from Level) *Logger { return &Logger{out: &output{w: w}, from: from} }

// With returns a logger that adds args to every message.
func (l *Logger) With(args ...any) *Logger {
	if l == nil {
		return nil
	}
	return &Logger{out: l.out, from: l.from, attrs: l.attrs + attributes(args)}
}

// Enabled tells whether messages of a level are written.
func (l *Logger) Enabled(level Level) bool { return l != nil && level >= l.from }

// Debug writes a message of that level.
func (l *Logger) Debug(msg string, args ...any) { l.write(Debug, msg, args) }

// Info writes a message of that level.
func (l *Logger) Info(msg string, args ...any) { l.write(Info, msg, args) }

// Warn writes a message of that level.
func (l *Logger) Warn(msg string, args ...any) { l.write(Warn, msg, args) }

// Error writes a message of that level.
func (l *Logger) Error(msg string, args ...any) { l.write(Error, msg, args) }

func (l *Logger) write(level Level, msg string, args []any) {
	if !l.Enabled(level) {
		return
	}
	line := "level=" + level.String() + " msg=" + quoted(msg) + l.attrs + attributes(args) + "\n"
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	io.WriteString(l.out.w, line)
}

func attributes(args []any) string {
	var b strings.Builder
	for ; len(args) > 1; args = args[2:] {
		fmt.Fprintf(&b, " %v=%s", args[0], quoted(fmt.Sprint(args[1])))
	}
	if len(args) > 0 {
		b.WriteString(" !BADKEY=" + quoted(fmt.Sprint(args[0]))) // as slog has it
	}
	return b.String()
}

// quoted returns s as a Go string where it could be mistaken for more than one
// value, or would do something to a terminal.
func quoted(s string) string {
	special := func(r rune) bool {
		return r == '"' || r == '=' || r == utf8.RuneError || unicode.IsSpace(r) || !strconv.IsPrint(r)
	}
	if s == "" || strings.ContainsFunc(s, special) {
		return strconv.Quote(s)
	}
	return s
}

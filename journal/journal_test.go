package journal_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"ginnel/journal"
)

// TestWritesWhatSlogWrites compares lines with those of slog.TextHandler.
func TestWritesWhatSlogWrites(t *testing.T) {
	var ours, theirs strings.Builder
	a := journal.New(&ours, journal.Debug).With("network", "home").With("machine", 2)
	noTime := func(_ []string, at slog.Attr) slog.Attr {
		if at.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return at
	}
	b := slog.New(slog.NewTextHandler(&theirs, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: noTime})).
		With("network", "home").With("machine", 2)
	a.Debug("plain")
	b.Debug("plain")
	a.Info("", "address", netip.MustParseAddr("10.0.0.1"), "flag", true)
	b.Info("", "address", netip.MustParseAddr("10.0.0.1"), "flag", true)
	a.Warn("with spaces", "err", errors.New("no such file"), "nil", nil, "ms", int64(1500))
	b.Warn("with spaces", "err", errors.New("no such file"), "nil", nil, "ms", int64(1500))
	a.Error("tricks", "a", "x=y", "b", `"`, "c", "\x1b[2J\n", "d", "\xff", "e", "ä€")
	b.Error("tricks", "a", "x=y", "b", `"`, "c", "\x1b[2J\n", "d", "\xff", "e", "ä€")
	if ours.String() != theirs.String() {
		t.Errorf("got\n%s\nwant\n%s", ours.String(), theirs.String())
	}
}

func TestLevels(t *testing.T) {
	var b strings.Builder
	l := journal.New(&b, journal.Warn).With("a", 1)
	l.Debug("no")
	l.Info("no")
	l.Warn("yes")
	l.Error("yes")
	if got, want := b.String(), "level=WARN msg=yes a=1\nlevel=ERROR msg=yes a=1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if l.Enabled(journal.Info) || !l.Enabled(journal.Error) {
		t.Error("Enabled does not tell what is written")
	}
}

func TestNilWritesNothing(t *testing.T) {
	var l *journal.Logger
	l.With("a", 1).Error("nobody hears", "b", 2)
	if l.Enabled(journal.Error) {
		t.Error("nil is enabled")
	}
}

// lines counts the calls of Write, and the lines in them.
type lines struct{ calls, ends int }

func (l *lines) Write(b []byte) (int, error) {
	l.calls++
	l.ends += strings.Count(string(b), "\n")
	return len(b), nil
}

func TestOneWriteALine(t *testing.T) {
	var w lines // no lock of its own: the race detector looks
	l := journal.New(&w, journal.Info)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			own := l.With("i", i)
			for range 25 {
				own.Info("two\nlines", "v", "\n")
			}
		})
	}
	wg.Wait()
	if w != (lines{100, 100}) {
		t.Errorf("got %+v, want 100 writes of one line", w)
	}
}

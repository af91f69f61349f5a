package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ginnel/daemon/local"
	"ginnel/wire"
)

// ECMA-48's sequences, by which a terminal shows a page in the place of the
// one before. Nothing else of it is changed, so nothing has to be undone.
const (
	cursorHome = "\x1b[H"
	clearRest  = "\x1b[J" // of the screen
	clearLine  = "\x1b[K" // what is left of it
)

// plainLines is how many lines a terminal has that does not say.
const plainLines = 24

// watchStatus shows the status again and again until ctx ends.
func (e *env) watchStatus(ctx context.Context, v *view, seconds string) error {
	every, err := strconv.ParseUint(seconds, 10, 12)
	switch {
	case err != nil || every == 0:
		return usagef("--watch takes a number of seconds from 1 to 4095, not %q", seconds)
	case !e.seen().terminal:
		return usagef("--watch shows the status anew on a terminal, and there is none: leave it out")
	}
	if _, err := e.statusOf(ctx, v.network); err != nil {
		return err // what is wrong from the start is not worth watching
	}
	pulse := time.NewTicker(time.Duration(every) * time.Second)
	defer pulse.Stop()
	return e.watch(ctx, pulse.C, func() *page {
		p := e.newPage()
		p.paragraph(ordinary, 0, "%s, every %s; Ctrl-C ends it", time.Now().Format(time.TimeOnly), plural(int(every), "second"))
		p.line(ordinary, "")
		p.WriteString(e.statusNow(ctx, v).String())
		return p
	})
}

// statusNow is the status, or why there is none at the moment.
func (e *env) statusNow(ctx context.Context, v *view) *page {
	st, err := e.statusOf(ctx, v.network)
	if err == nil {
		return e.statusPage(ctx, v, st)
	}
	p := e.newPage()
	var refused *wire.Problem
	if errors.Is(err, local.ErrNotRunning) || errors.As(err, &refused) {
		p.paragraph(underway, 0, "waiting for the daemon: %v", err)
	} else {
		p.paragraph(bad, 0, "%v", err)
	}
	return p
}

// watch shows a page at once and at every pulse, each in the place of the one
// before, until ctx ends.
func (e *env) watch(ctx context.Context, pulse <-chan time.Time, next func() *page) error {
	begin := cursorHome + clearRest
	for {
		text := next().String()
		if ctx.Err() != nil {
			return nil
		}
		if err := e.print(begin + e.frame(text)); err != nil {
			return err
		}
		begin = cursorHome
		select {
		case <-ctx.Done():
			return e.print("\n") // the terminal may show ^C
		case <-pulse:
		}
	}
}

// frame makes of a text what replaces the one before. Lines that the terminal
// has no room for are counted: to scroll would lose the first. The last line
// stays free for the shell's prompt.
func (e *env) frame(text string) string {
	s := e.seen()
	room := s.lines
	if room == 0 {
		room = plainLines
	}
	room = max(room-1, 2)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if hidden := len(lines) - room + 1; hidden > 1 {
		lines = append(lines[:room-1:room-1], fmt.Sprintf("(%d more lines do not fit)", hidden))
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(cut(line, s.width()) + clearLine + "\n")
	}
	return b.String() + clearRest
}

// cut leaves of a line what the terminal shows in one, its looks aside.
func cut(line string, columns int) string {
	var b strings.Builder
	inLook := false
	for _, r := range line {
		switch {
		case r == '\x1b':
			inLook = true
		case inLook:
			inLook = r != 'm'
		case columns == 0:
			continue
		default:
			columns--
		}
		b.WriteRune(r)
	}
	return b.String()
}

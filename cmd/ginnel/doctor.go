package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"ginnel/daemon/doctor"
)

// doctorCommands: what is wrong and what to do.
var doctorCommands = []command{{
	name: "doctor", args: "[NETWORK]", brief: "Look for what is wrong on this machine, and say what to do",
	about: `It looks at the files, the daemon, names, routes, firewall, tunnel, coordinator and peers, in the
order in which they depend on each other: the first failure is what to mend. It changes nothing
and takes 10 s at most. root sees more than the group ginnel. docs/doctor.md explains each check.
The exit status is 1 when a check failed.`,
	setup: func(o *options) action {
		asJSON := jsonOption(o)
		return func(ctx context.Context, e *env, args []string) error {
			return examine(ctx, e, first(args), *asJSON)
		}
	},
}}

// examinationTime is how long the doctor may take. What has not answered by
// then does not answer.
const examinationTime = 10 * time.Second

func examine(ctx context.Context, e *env, name string, asJSON bool) error {
	ctx, cancel := context.WithTimeout(ctx, examinationTime)
	defer cancel()
	facts, err := e.gather(ctx, name)
	if err != nil {
		return err
	}
	r := doctor.Examine(facts)
	if asJSON {
		err = e.printJSON(r)
	} else {
		err = e.put(e.reportPage(r))
	}
	if err == nil && r.Verdict == doctor.Failed {
		err = errors.New("something is wrong: see the first check that failed")
	}
	return err
}

// seenAt is the column of what a check has seen, behind its mark and its name.
const seenAt = 24

// marks are what stands before a check, and how it looks.
var marks = map[doctor.Verdict]struct {
	text string
	look look
}{
	doctor.OK: {"ok", good}, doctor.Warning: {"doubt", underway}, doctor.Failed: {"FAILED", bad}, doctor.NotChecked: {"-", ordinary},
}

// reportPage is the report for people.
func (e *env) reportPage(r *doctor.Report) *page {
	p := e.newPage()
	p.paragraph(strong, 0, "%s", r.Summary)
	for i, f := range r.Findings {
		if i == 0 || f.Network != r.Findings[i-1].Network {
			p.WriteString("\n")
			p.line(strong, "%s", heading(f.Network))
		}
		mark := marks[f.Verdict]
		start := "  " + p.painted(mark.look, fmt.Sprintf("%-8s", mark.text)) + fmt.Sprintf("%-14s", f.Check)
		p.hang(start, f.Seen)
		for _, advice := range f.Advice {
			p.hang(strings.Repeat(" ", seenAt-2)+"> ", advice)
		}
	}
	return p
}

func heading(network string) string {
	if network == "" {
		return "this machine"
	}
	return "network " + network
}

// hang adds a text behind start, which is as wide as seenAt, and its further
// lines below. A word that is too long for its line begins further left.
func (p *page) hang(start, text string) {
	for _, line := range wrap(clean(text), p.columns-seenAt) {
		if over := seenAt + utf8.RuneCountInString(line) - p.columns; over > 0 {
			if mark := strings.TrimRight(start, " "); mark != "" {
				p.WriteString(mark + "\n")
			}
			start = strings.Repeat(" ", max(0, seenAt-over))
		}
		p.WriteString(start + line + "\n")
		start = strings.Repeat(" ", seenAt)
	}
}

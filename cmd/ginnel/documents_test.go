package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ginnel/wire"
)

// mentioned finds command lines of ours in a page: in code within a line, or as
// a line of a block.
var mentioned = regexp.MustCompile("(?m)(?:`|^    (?:sudo )?)ginnel ([^`\n]*)")

// TestDocumentsMentionCommandsThatExist: every command, and every option beside
// it, that the documents name is in the table.
func TestDocumentsMentionCommandsThatExist(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	count := 0
	for _, page := range append(pages, "../../README.md", "../../CHANGELOG.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mentioned.FindAllStringSubmatch(string(text), -1) {
			count++
			if problem := checkMention(strings.Fields(m[1])); problem != "" {
				t.Errorf("%s mentions `ginnel %s`: %s", filepath.Base(page), m[1], problem)
			}
		}
	}
	if count < 50 {
		t.Errorf("found %d mentions of commands in all documents: there are more", count)
	}
}

// checkMention says what is wrong with a mentioned command line.
func checkMention(words []string) string {
	isPurpose := "ginnel "+strings.Join(words, " ") == wire.TokenPurpose
	if len(words) == 0 || isPurpose || words[0] == "help" || strings.HasPrefix(words[0], "COMMAND") {
		return ""
	}
	c := findCommand(words[0])
	if len(words) > 1 {
		if longer := findCommand(words[0] + " " + words[1]); longer != nil {
			c = longer
		}
	}
	if c == nil {
		if len(commandsOf(words[0])) > 0 && len(words) == 1 {
			return "" // all commands of a noun
		}
		return "there is no such command"
	}
	o, _ := c.prepare()
	for _, w := range words {
		name, isOption := strings.CutPrefix(w, "--")
		name, _, _ = strings.Cut(name, "=")
		if isOption && name != "help" && !slices.ContainsFunc(o.all, func(opt *option) bool { return opt.name == name }) {
			return "there is no option --" + name
		}
	}
	return ""
}

// TestInnernetsCommandsAreKnown: each of them leads to a command of ours, and
// the page for those who come from innernet names both.
func TestInnernetsCommandsAreKnown(t *testing.T) {
	page, err := os.ReadFile("../../docs/from-innernet.md")
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t)
	for _, c := range innernetCommands {
		theirs, ours := c[0], c[1]
		if findCommand(ours) == nil {
			t.Errorf("%s: there is no command %s", theirs, ours)
		}
		if theirs != "init" && !strings.Contains(string(page), theirs) || !strings.Contains(string(page), "ginnel "+ours) {
			t.Errorf("docs/from-innernet.md does not lead from %s to `ginnel %s`", theirs, ours)
		}
		if r := m.run(theirs); r.status != exitUsage || !strings.Contains(r.err, "ginnel "+ours) {
			t.Errorf("ginnel %s: %+v", theirs, r)
		}
	}
}

package names

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ginnel/platform"
)

const (
	homeBegin  = "# ginnel home: begin - do not edit\n"
	homeJoined = "# ginnel home: begin - do not edit (the line above had no end)\n"
	homeEnd    = "# ginnel home: end\n"
	workBegin  = "# ginnel work: begin - do not edit\n"
	workJoined = "# ginnel work: begin - do not edit (the line above had no end)\n"
	workEnd    = "# ginnel work: end\n"
)

func TestReplace(t *testing.T) {
	const x, y, z = "10.1.0.1\tx\n", "10.1.0.2\ty\n", "10.1.0.3\tz.home.wg\n"
	const peers = "10.1.0.1\tx.home\n" + "fd00::2\ty.home.example.org\n" + z
	for _, tt := range []struct {
		name, text, body, want string
	}{
		{"empty file", "", x, homeBegin + x + homeEnd},
		{"at the end", "127.0.0.1 lo\n", x, "127.0.0.1 lo\n" + homeBegin + x + homeEnd},
		{"line without end", "127.0.0.1 lo", x, "127.0.0.1 lo\n" + homeJoined + x + homeEnd},
		{"removed again", "127.0.0.1 lo\n" + homeJoined + x + homeEnd, "", "127.0.0.1 lo"},
		{"CRLF stays", "a\r\nb\r\n", x, "a\r\nb\r\n" + homeBegin + x + homeEnd},
		{"CR without LF", "a\r", x, "a\r\n" + homeJoined + x + homeEnd},
		{"replaced", "a\n" + homeBegin + x + homeEnd, y, "a\n" + homeBegin + y + homeEnd},
		{"replaced where it stands", homeBegin + x + homeEnd + "a", y, homeBegin + y + homeEnd + "a"},
		{"stays joined", "a\n" + homeJoined + x + homeEnd, y, "a\n" + homeJoined + y + homeEnd},
		{"joined, then a stranger's line", "a\n" + homeJoined + x + homeEnd + "b", "", "a\nb"},
		{"joined, then a block", "a\n" + homeJoined + x + homeEnd + workBegin + y + workEnd, "",
			"a\n" + workJoined + y + workEnd},
		{"block, then joined", "a\n" + homeBegin + x + homeEnd + workJoined + y + workEnd, "",
			"a\n" + workBegin + y + workEnd},
		{"other network", workBegin + y + workEnd, x, workBegin + y + workEnd + homeBegin + x + homeEnd},
		{"nothing to remove", "a", "", "a"},
		{"markers with CRLF", "a\r\n" + crlf(homeBegin+x+homeEnd) + "b\r\n", y, "a\r\n" + homeBegin + y + homeEnd + "b\r\n"},
		{"end marker without end of line", homeBegin + x + strings.TrimSuffix(homeEnd, "\n"), y, homeBegin + y + homeEnd},
		{"twice", homeBegin + x + homeEnd + "a\n" + homeBegin + x + homeEnd, y, homeBegin + y + homeEnd + "a\n"},
		{"begin without end", "a\n" + homeBegin + "b\nc\n", x, "a\n" + homeBegin + x + homeEnd + "b\nc\n"},
		{"begin without end, removed", "a\n" + homeBegin + "b\nc\n", "", "a\nb\nc\n"},
		{"begin without end, with our lines", "a\n" + homeBegin + peers + "b\n" + z, x, "a\n" + homeBegin + x + homeEnd + "b\n" + z},
		{"begin without end, our lines removed", "a\n" + homeJoined + peers + "b\n", "", "a\nb\n"},
		{"begin without end, our lines at the end", "a\n" + homeJoined + strings.TrimSuffix(peers, "\n"), "", "a"},
		{"begin without end, in CRLF", "a\r\n" + crlf(homeBegin+peers) + "b\r\n", "", "a\r\nb\r\n"},
		{"our lines before another's begin", homeBegin + z + workBegin + y + workEnd + z, "", workBegin + y + workEnd + z},
		{"our lines, twice", homeBegin + z + homeBegin + peers + "a\n" + homeEnd + z, x, homeBegin + x + homeEnd + z},
		{"our lines without begin", "a\n" + peers, "", "a\n" + peers},
		{"end without begin", "a\n" + homeEnd + "b\n", "", "a\nb\n"},
		{"begin within another's block", workBegin + homeBegin + y + workEnd, "", workBegin + y + workEnd},
		{"another's begin before the end", homeBegin + x + workBegin + y + homeEnd, "", x + workBegin + y},
		{"begin twice", homeBegin + "a\n" + homeBegin + x + homeEnd, "", "a\n"},
		{"a longer name", "# ginnel homes: begin - do not edit\na\n# ginnel homes: end\n", "",
			"# ginnel homes: begin - do not edit\na\n# ginnel homes: end\n"},
		{"a comment like a marker", "# ginnel home: ending\n#ginnel home: end\n", "",
			"# ginnel home: ending\n#ginnel home: end\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := []byte(tt.text)
			got := replace(text, "home", []byte(tt.body))
			if string(got) != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
			if string(text) != tt.text {
				t.Errorf("the argument was changed to %q", text)
			}
			if again := replace(got, "home", []byte(tt.body)); !bytes.Equal(again, got) {
				t.Errorf("the second time changed it to\n%q", again)
			}
		})
	}
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// TestNotOurLines: behind a begin marker without its end everything stays that is
// not just as we write it.
func TestNotOurLines(t *testing.T) {
	for _, line := range []string{
		"10.1.0.1\tx", "10.1.0.1\tx.work.wg", "10.1.0.1\tx.homes.wg", "10.1.0.1\thome.wg", "10.1.0.1\t.home.wg", "10.1.0.1\tx.wg.home",
		"10.1.0.1 x.home.wg", "10.1.0.1\t\tx.home.wg", "10.1.0.1\tx.home.wg x", "10.1.0.1\tx.home.wg # mine", " 10.1.0.1\tx.home.wg",
		"10.01.0.1\tx.home.wg", "FD00::1\tx.home.wg", "fd00:0::1\tx.home.wg", "fe80::1%eth0\tx.home.wg", "10.1.0.0/24\tx.home.wg",
		"#10.1.0.1\tx.home.wg", "10.1.0.1\tx.home.w!", "x.home.wg\t10.1.0.1", "",
	} {
		rest := line + "\n10.1.0.3\tz.home.wg\n"
		if got := replace([]byte("a\n"+homeBegin+rest), "home", nil); string(got) != "a\n"+rest {
			t.Errorf("%q was lost: %q", line, got)
		}
	}
}

func TestReplaceInAnyOrderGivesTheOriginal(t *testing.T) {
	networks := []string{"home", "work", "club"}
	for _, text := range []string{"", "a", "a\n", "a\r", "\n", "a\n\n"} {
		permute(networks, func(set []string) {
			permute(networks, func(clear []string) {
				got := []byte(text)
				for _, n := range set {
					got = replace(got, n, []byte("10.0.0.1\t"+n+"\n"))
				}
				for _, n := range clear {
					got = replace(got, n, nil)
				}
				if string(got) != text {
					t.Errorf("%q: set %v, cleared %v: %q", text, set, clear, got)
				}
			})
		})
	}
}

func permute(s []string, each func([]string)) {
	for i := range s {
		for j := range s {
			if i != j {
				each([]string{s[i], s[j], s[3-i-j]})
			}
		}
	}
}

func TestFormat(t *testing.T) {
	a := netip.MustParseAddr
	got, err := format("home", []platform.HostEntry{
		{Address: a("10.42.0.9"), Names: []string{"nas.home.wg", "nas"}},
		{Address: a("10.42.0.2")},
		{Address: a("fd00::1"), Names: []string{"Router_1.home.wg"}},
	})
	const want = "10.42.0.9\tnas.home.wg nas\nfd00::1\tRouter_1.home.wg\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestFormatRefuses(t *testing.T) {
	good := platform.HostEntry{Address: netip.MustParseAddr("10.42.0.9"), Names: []string{"nas"}}
	for name, tt := range map[string]struct {
		network string
		entry   platform.HostEntry
	}{
		"network with end of line": {"home\n", good},
		"network without name":     {"", good},
		"name with end of line":    {"home", platform.HostEntry{Address: good.Address, Names: []string{"a\n1.2.3.4 bank"}}},
		"name with blank":          {"home", platform.HostEntry{Address: good.Address, Names: []string{"a b"}}},
		"name with comment":        {"home", platform.HostEntry{Address: good.Address, Names: []string{"a#"}}},
		"empty name":               {"home", platform.HostEntry{Address: good.Address, Names: []string{""}}},
		"no address":               {"home", platform.HostEntry{Names: good.Names}},
		"zone":                     {"home", platform.HostEntry{Address: netip.MustParseAddr("fe80::1%eth0"), Names: good.Names}},
	} {
		if b, err := format(tt.network, []platform.HostEntry{tt.entry}); err == nil {
			t.Errorf("%s: accepted as %q", name, b)
		}
	}
}

// FuzzReplace checks that others' lines survive whatever the file looks like.
func FuzzReplace(f *testing.F) {
	f.Add([]byte("127.0.0.1 lo"), []byte("b"))
	f.Add([]byte("a\r\n"+homeJoined+"x\n"+homeEnd), []byte("b\n"))
	f.Add([]byte(homeBegin+workBegin+homeEnd), []byte(workEnd+homeBegin))
	f.Add([]byte(homeBegin+"10.1.0.1\tx.home.wg\n10.1.0.2\ty\n"), []byte(homeJoined+"fd00::1\tx.home\r\n10.1.0.1\tx.home.wg"))
	body := []byte("10.1.0.1\tx.home.wg\n")
	f.Fuzz(func(t *testing.T, before, after []byte) {
		text := slices.Concat(before, []byte(homeJoined+"y\n"+homeEnd), after)
		for _, text := range [][]byte{before, text} {
			set := replace(text, "home", body)
			if got := replace(set, "home", body); !bytes.Equal(got, set) {
				t.Errorf("%q: set twice: %q, then %q", text, set, got)
			}
			if bytes.Count(set, body) < 1 || len(blocks(set, "home")) != 1 {
				t.Errorf("%q: not one block in %q", text, set)
			}
			cleared := replace(text, "home", nil)
			if len(blocks(cleared, "home")) != 0 {
				t.Errorf("%q: a block stays in %q", text, cleared)
			}
			if got := replace(set, "home", nil); !bytes.Equal(got, cleared) {
				t.Errorf("%q: set and cleared %q, cleared %q", text, got, cleared)
			}
			if got, want := others(set), others(text); !slices.Equal(got, want) {
				t.Errorf("%q: others' lines became %q, want %q", text, got, want)
			}
			if len(blocks(text, "home")) == 0 && !bytes.Equal(cleared, text) {
				t.Errorf("%q: cleared a file without block: %q", text, cleared)
			}
		}
	})
}

// entry is a line of an address and a peer of home.
var entry = regexp.MustCompile(`^([0-9a-f:.]+)\t[A-Za-z0-9_-]+\.home(\.[A-Za-z0-9._-]*)?[ \t\r]*$`)

// others is written apart from the code under test: the lines outside home's
// blocks, and outside the entries behind its begin markers, without their ends,
// and without the difference between the two begin markers of other networks.
func others(text []byte) []string {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	var kept []string
	for i := 0; i < len(lines); i++ {
		switch marked(lines[i]) {
		case "home begin":
			j := i + 1
			for j < len(lines) && marked(lines[j]) == "" {
				j++
			}
			if j < len(lines) && marked(lines[j]) == "home end" {
				i = j
				break
			}
			for i+1 < j && written(lines[i+1]) {
				i++
			}
		case "home end":
		default:
			kept = append(kept, strings.ReplaceAll(strings.TrimRight(lines[i], "\r\t "), " (the line above had no end)", ""))
		}
	}
	for len(kept) > 0 && kept[len(kept)-1] == "" {
		kept = kept[:len(kept)-1]
	}
	return kept
}

// written tells whether a line is one that Set may have written for a peer of
// home.
func written(line string) bool {
	m := entry.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	a, err := netip.ParseAddr(m[1])
	return err == nil && a.String() == m[1]
}

func marked(line string) string {
	line = strings.TrimRight(line, " \t\r")
	line = strings.TrimSuffix(line, " (the line above had no end)")
	f := strings.Split(strings.TrimPrefix(line, "# ginnel "), ": ")
	if !strings.HasPrefix(line, "# ginnel ") || len(f) != 2 || !isName(f[0]) {
		return ""
	}
	switch f[1] {
	case "begin - do not edit":
		return f[0] + " begin"
	case "end":
		if !strings.HasSuffix(line, ": end") {
			return ""
		}
		return f[0] + " end"
	}
	return ""
}

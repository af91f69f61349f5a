package names

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ginnel/platform"
)

// A marker line is markerStart, the network, and one of the endings.
const (
	markerStart = "# ginnel "
	beginEnding = ": begin - do not edit"
	// joinedEnding begins a block in front of which we ended a line that had
	// no end.
	joinedEnding = ": begin - do not edit (the line above had no end)"
	endEnding    = ": end"
	// blanks may follow a marker: an editor may have changed the ends of lines.
	blanks = " \t\r\n"
)

var errName = errors.New("only letters, digits, dashes, dots and underscores can be in a hosts file")

// format returns the lines between the markers; none when nothing has a name.
func format(network string, entries []platform.HostEntry) ([]byte, error) {
	if !isName(network) {
		return nil, errName
	}
	var b []byte
	for _, e := range entries {
		if len(e.Names) == 0 {
			continue
		}
		if !e.Address.IsValid() || e.Address.Zone() != "" {
			return nil, fmt.Errorf("address %s of %q: an IPv4 or IPv6 address without zone is needed", e.Address, e.Names[0])
		}
		b = e.Address.AppendTo(b)
		for i, name := range e.Names {
			if !isName(name) {
				return nil, fmt.Errorf("name %q: %w", name, errName)
			}
			b = append(b, "\t "[min(i, 1)])
			b = append(b, name...)
		}
		b = append(b, '\n')
	}
	return b, nil
}

func isName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			r == '-' || r == '.' || r == '_')
	}) < 0
}

// replace returns text with body between network's markers; without body it
// returns text without the block. It does not change text. Of more than one
// block the first stays: resolvers asked that one first.
func replace(text []byte, network string, body []byte) []byte {
	found := blocks(text, network)
	if len(body) == 0 {
		for ; len(found) > 0; found = blocks(text, network) {
			text = cut(text, found[0])
		}
		return text
	}
	for ; len(found) > 1; found = blocks(text, network) {
		text = cut(text, found[1])
	}
	if len(found) == 1 {
		s := found[0]
		return slices.Concat(text[:s.start], block(network, body, s.joined), text[s.end:])
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		return slices.Concat(text, []byte("\n"), block(network, body, true))
	}
	return slices.Concat(text, block(network, body, false))
}

func block(network string, body []byte, joined bool) []byte {
	begin, end := beginMarker(network, joined), markerStart+network+endEnding
	return slices.Concat([]byte(begin+"\n"), body, []byte(end+"\n"))
}

func beginMarker(network string, joined bool) string {
	if joined {
		return markerStart + network + joinedEnding
	}
	return markerStart + network + beginEnding
}

// cut returns text without s. The end of line that was put before s goes as
// well, when nothing follows. A block that follows takes over the note of it;
// anything else is somebody's, who needs it now.
func cut(text []byte, s span) []byte {
	before, after := text[:s.start], text[s.end:]
	if s.joined && len(after) == 0 {
		before = bytes.TrimSuffix(before, []byte("\n"))
	}
	line, rest := splitLine(after)
	if m, ok := parseMarker(line); ok && m.begin && m.joined != s.joined {
		end := line[len(bytes.TrimRight(line, blanks)):]
		return slices.Concat(before, []byte(beginMarker(m.network, s.joined)), end, rest)
	}
	return slices.Concat(before, after)
}

// span is a part of the text, of whole lines, that is ours: a block, or a
// marker without its counterpart.
type span struct {
	start, end int
	joined     bool
}

// blocks returns what is network's in text, in order. A block has no marker
// of any network inside.
func blocks(text []byte, network string) []span {
	var found []span
	open := false // the last of found is a begin marker without its end yet
	for rest := text; len(rest) > 0; {
		start := len(text) - len(rest)
		var line []byte
		line, rest = splitLine(rest)
		m, ok := parseMarker(line)
		switch end := len(text) - len(rest); {
		case !ok:
		case m.network != network:
			open = false
		case open && !m.begin:
			found[len(found)-1].end = end
			open = false
		default:
			found = append(found, span{start, end, m.joined})
			open = m.begin
		}
	}
	return found
}

// marker is a marker line.
type marker struct {
	network       string
	begin, joined bool
}

func parseMarker(line []byte) (m marker, ok bool) {
	s, ok := strings.CutPrefix(strings.TrimRight(string(line), blanks), markerStart)
	if !ok {
		return marker{}, false
	}
	for ending, m := range map[string]marker{
		beginEnding: {begin: true}, joinedEnding: {begin: true, joined: true}, endEnding: {},
	} {
		if network, ok := strings.CutSuffix(s, ending); ok && isName(network) {
			m.network = network
			return m, true
		}
	}
	return marker{}, false
}

// splitLine returns the first line, with its end, and what follows.
func splitLine(text []byte) (line, rest []byte) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1], text[i+1:]
	}
	return text, nil
}

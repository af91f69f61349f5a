package names

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
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
	found, stay := blocks(text, network), 0
	if len(body) > 0 { // before others go, so that nothing comes to follow a begin without end
		s := span{start: len(text), end: len(text)}
		if len(found) > 0 {
			s = found[0]
		} else if len(text) > 0 && text[len(text)-1] != '\n' {
			text, s = slices.Concat(text, []byte("\n")), span{len(text) + 1, len(text) + 1, true}
		}
		text, stay = slices.Concat(text[:s.start], block(network, body, s.joined), text[s.end:]), 1
		found = blocks(text, network)
	}
	for ; len(found) > stay; found = blocks(text, network) {
		text = cut(text, found[stay])
	}
	return text
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
// marker without its counterpart, a begin with the entries that follow it; or
// several of them without anything in between.
type span struct {
	start, end int
	joined     bool
}

// blocks returns what is network's in text, in order. A block has no marker
// of any network inside.
func blocks(text []byte, network string) []span {
	var found []span
	last := &span{end: -1} // of found
	open := false          // its last marker is a begin without its end yet
	for rest := text; len(rest) > 0; {
		start := len(text) - len(rest)
		var line []byte
		line, rest = splitLine(rest)
		m, ok := parseMarker(line)
		switch end := len(text) - len(rest); {
		case !ok:
			// Whether there is an end shows later: it takes all lines with it.
			if open && last.end == start && isEntry(line, network) {
				last.end = end
			}
		case m.network != network:
			open = false
		default:
			if last.end != start && (m.begin || !open) {
				found = append(found, span{start: start, joined: m.joined})
				last = &found[len(found)-1]
			}
			last.end, open = end, m.begin
		}
	}
	return found
}

// isEntry tells whether a line is just what format makes of a network's peer:
// ADDRESS, a tab, and PEER.NETWORK with any suffix.
func isEntry(line []byte, network string) bool {
	address, name, _ := strings.Cut(strings.TrimRight(string(line), blanks), "\t")
	peer, rest, _ := strings.Cut(name, ".")
	a, err := netip.ParseAddr(address)
	return err == nil && a.Zone() == "" && a.String() == address &&
		peer != "" && isName(name) && strings.HasPrefix(rest+".", network+".")
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
	for i, ending := range [...]string{endEnding, beginEnding, joinedEnding} {
		if network, ok := strings.CutSuffix(s, ending); ok && isName(network) {
			return marker{network, i > 0, i > 1}, true
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

package main

import "strings"

// kind is what a word of a command line names: completions and questions offer
// what there is of it.
type kind int

// The kinds.
const (
	freeText    kind = iota // whatever the word means
	fileName                // of a file on this machine
	networkName             // of a network of this machine
	cidrName                // of a CIDR of the network that is meant
	peerName                // of one of its peers
)

// kindOf returns what a word of arguments, or of an option's value, names. One
// that has alternatives, "FILE|-", names what its first one does.
func kindOf(word string) kind {
	word, _, _ = strings.Cut(word, "|")
	switch word {
	case "FILE":
		return fileName
	case "NETWORK":
		return networkName
	case "CIDR", "OTHER-CIDR":
		return cidrName
	case "PEER":
		return peerName
	}
	return freeText
}

// argument is what a command takes by its place.
type argument struct {
	word     string // what the help calls it: PEER
	optional bool   // it may be left out
	repeated bool   // there may be more; it is the last
}

// arguments reads the synopsis of the command's arguments: WORD must be given,
// [WORD] may be left out, and WORD... and [WORD...] may be followed by more.
func (c *command) arguments() []argument {
	var list []argument
	for _, field := range strings.Fields(c.args) {
		a := argument{word: strings.Trim(field, "[]")}
		a.optional = a.word != field
		a.word, a.repeated = strings.CutSuffix(a.word, "...")
		list = append(list, a)
	}
	return list
}

package main

import (
	"context"
	"io"
	"strings"
	"time"

	"ginnel/daemon/local"
)

// completeTime is how long somebody who pressed a key is kept waiting for names.
const completeTime = time.Second

// anyFile is what stands for the files there are.
const anyFile = ":files"

// lines writes choices for the scripts.
func lines(list []choice) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteString(clean(c.name))
		if c.about != "" {
			b.WriteString("\t" + clean(c.about))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// complete returns what the last of words can become. It is silent about what
// it cannot find out.
func (e *env) complete(ctx context.Context, words []string) []choice {
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	silent := *e
	silent.err, silent.terminal = io.Discard, false
	last := len(words) - 1
	c := &completion{ctx: ctx, e: &silent, word: words[last]}
	return c.after(words[:last])
}

// completion is a word that is being completed.
type completion struct {
	ctx  context.Context
	e    *env
	word string // as far as it is written
}

// after returns what the word can become behind a line that begins with words.
func (c *completion) after(words []string) []choice {
	for n := min(len(words), 2); n > 0; n-- {
		if cmd := findCommand(strings.Join(words[:n], " ")); cmd != nil {
			return c.within(cmd, words[n:])
		}
	}
	if len(words) > 0 && words[0] == "help" {
		return c.matching(commandWords(words[1:]))
	}
	list := commandWords(words)
	if len(words) == 0 {
		list = append(list, choice{"help", "Explain a command"}, choice{"--help", "List the commands"}, choice{"--version", "Print the version"})
	}
	return c.matching(list)
}

// matching leaves of list what begins as the word does; options show once a
// dash is written.
func (c *completion) matching(list []choice) (kept []choice) {
	for _, l := range list {
		begins := strings.HasPrefix(l.name, c.word) && (c.word != "" || !strings.HasPrefix(l.name, "-"))
		if begins || l.name == anyFile {
			kept = append(kept, l)
		}
	}
	return kept
}

// commandWords returns the words that commands have behind those of prefix.
func commandWords(prefix []string) (list []choice) {
	before := strings.Join(append(prefix, ""), " ")
	for i := range commands {
		cmd := &commands[i]
		rest, ok := strings.CutPrefix(cmd.name, before)
		if !ok || cmd.hidden {
			continue
		}
		word, deeper, isNoun := strings.Cut(rest, " ")
		switch n := len(list) - 1; {
		case !isNoun:
			list = append(list, choice{word, cmd.brief})
		case n >= 0 && list[n].name == word:
			list[n].about += ", " + deeper
		default:
			list = append(list, choice{word, deeper})
		}
	}
	return list
}

// within returns what the word can become in a command's line.
func (c *completion) within(cmd *command, words []string) []choice {
	o, _ := cmd.prepare()
	pending, ended := o.read(words)
	name, value, hasValue := strings.Cut(c.word, "=")
	switch {
	case pending != nil:
		return c.matching(c.values(o, pending))
	case !ended && hasValue && strings.HasPrefix(name, "--"):
		opt := o.named(name[2:])
		if opt == nil || opt.value == "" {
			return nil
		}
		c.word = value
		return behind(name+"=", c.matching(c.values(o, opt)))
	case !ended && strings.HasPrefix(c.word, "-"):
		return c.matching(o.choices())
	}
	all := cmd.arguments()
	n := len(o.args)
	if most := len(all) - 1; n > most && most >= 0 && all[most].repeated {
		n = most
	}
	if n >= len(all) {
		return nil
	}
	return c.matching(c.arguments(o, &all[n]))
}

// behind puts what the shell takes for the same word before each choice; the
// files are the shell's own matter.
func behind(prefix string, list []choice) []choice {
	for i := range list {
		if list[i].name != anyFile {
			list[i].name = prefix + list[i].name
		}
	}
	return list
}

// read takes in the words behind a command's name as far as they can be
// understood. pending is the option whose value comes next, nil where none
// does; ended tells that no more options can come.
func (o *options) read(words []string) (pending *option, ended bool) {
	for i, word := range words {
		if word == "--" && pending == nil {
			o.args = append(o.args, words[i+1:]...)
			return nil, true
		}
		if pending != nil {
			_ = pending.set(word) // what is wrong with it is said when the command is called
			pending = nil
			continue
		}
		if err := o.parse([]string{word}); err != nil {
			pending = o.wanting(word)
		}
	}
	return pending, false
}

// wanting returns the option whose value a word, -n or --name, leaves to the
// next; nil where there is none.
func (o *options) wanting(word string) *option {
	return o.find(func(opt *option) bool {
		short := len(word) > 1 && word[1] != '-' && opt.short != "" && strings.HasSuffix(word, opt.short)
		return opt.value != "" && (word == "--"+opt.name || short)
	})
}

// choices are the options by name.
func (o *options) choices() (list []choice) {
	for _, opt := range o.all {
		list = append(list, choice{"--" + opt.name, opt.usage})
	}
	return append(list, choice{"--help", "explain the command"})
}

// values returns what an option's value can be.
func (c *completion) values(o *options, opt *option) []choice {
	q, asked := o.questions[opt.name]
	if !asked {
		q = usualQuestion(opt.value)
	}
	return c.offered(o, &q, opt.value)
}

func (c *completion) arguments(o *options, a *argument) []choice {
	q := o.question(a.word)
	return c.offered(o, &q, a.word)
}

// offered returns what a question offers for the word that the help has. Where
// nobody may ask the coordinator the names that this machine knows are as good.
func (c *completion) offered(o *options, q *question, word string) []choice {
	if alternatives := strings.Split(word, "|"); len(alternatives) > 1 && word == strings.ToLower(word) {
		return named(alternatives)
	}
	if kindOf(word) == fileName {
		return []choice{{name: anyFile}}
	}
	list, preset, err := (&asking{c.ctx, c.e, o}).offer(q)
	switch {
	case isHopeless(err):
		return c.known(kindOf(word), (&asking{o: o}).network())
	case err != nil: // there is nothing to choose
		return nil
	}
	if preset != "" {
		list = append(list, choice{name: preset})
	}
	return list
}

// known returns the names that this machine's daemon knows, of one network if
// one is named.
func (c *completion) known(k kind, network string) (list []choice) {
	if k != networkName && k != cidrName && k != peerName {
		return nil
	}
	st, err := c.e.client().Status(c.ctx)
	if err != nil {
		return nil
	}
	for i := range st.Networks {
		if n := &st.Networks[i]; network == "" || k == networkName || n.Name == network {
			list = append(list, namesOf(n, k)...)
		}
	}
	return list
}

func namesOf(n *local.Network, k kind) (list []choice) {
	switch k {
	case networkName:
		return []choice{{n.Name, string(n.State)}}
	case cidrName:
		for _, c := range knownCIDRs(n) {
			list = append(list, choice{name: c.Name})
		}
	case peerName:
		for _, s := range seats(n) {
			list = append(list, choice{s.Name, s.Address.String()})
		}
	}
	return list
}

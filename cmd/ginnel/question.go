package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ginnel/wire"
)

// question is what a terminal is asked for a word that a command line lacks.
type question struct {
	text string // without its mark: "The new name"
	// list returns what there is to choose from, by number or name, and why
	// there may be nothing; nil: the answer is free.
	list func(*asking) ([]choice, error)
	free bool // an answer that is not in the list is as good
	// needs says why no answer would do, before any is asked for; nil: nothing is
	// needed.
	needs func(*asking) error
	// preset returns the answer that Enter gives; nil, or "": there is none.
	preset func(*asking) (string, error)
	// check says what is wrong with an answer; nil: nothing ever is.
	check func(*asking, string) error
	// take puts the answer where it belongs; nil: where the question stood.
	take func(string) error
}

// choice is one of the things that can be chosen.
type choice struct{ name, about string }

// asking is a command that asks for what its line lacks.
type asking struct {
	ctx context.Context
	e   *env
	o   *options
}

// errUnchanged ends a command whose questions are not answered.
var errUnchanged = errors.New("nothing was changed")

// hopeless is an error that no answer mends: whoever asks gives up.
type hopeless struct{ error }

func (h hopeless) Unwrap() error { return h.error }

// unmended marks an error of who is asked for facts, unless it is about what was
// answered.
func unmended(err error) error {
	var p *wire.Problem
	if err == nil || errors.As(err, &p) && slices.Contains(aboutAnswers, p.Status) {
		return err
	}
	return hopeless{err}
}

var aboutAnswers = []int{wire.StatusBadRequest, wire.StatusConflict, wire.StatusUnprocessable}

// isHopeless tells whether no answer mends an error.
func isHopeless(err error) bool { return errors.As(err, new(hopeless)) }

// mostChoices is how many things a person is shown to choose from.
const mostChoices = 50

// ask asks for everything that must be given and is not, and, being at it, for
// what may be given and has a question.
func (c *command) ask(ctx context.Context, e *env, o *options) error {
	a := &asking{ctx, e, o}
	for i, arg := range c.arguments() {
		if i < len(o.args) || arg.optional {
			continue
		}
		take := func(text string) error {
			o.args = append(o.args, text)
			return nil
		}
		if err := a.ask(o.question(arg.word), take); err != nil {
			return err
		}
	}
	for _, opt := range o.all {
		q, asked := o.questions[opt.name]
		if !asked || o.isAnswered(opt) {
			continue
		}
		if err := a.ask(q, opt.set); err != nil {
			return err
		}
	}
	return nil
}

// isAnswered tells whether the option, or another that is as good, is given, or
// may be left out by who says --yes.
func (o *options) isAnswered(opt *option) bool {
	for _, group := range o.needs {
		if slices.Contains(group, opt.name) {
			return o.isGiven(group)
		}
	}
	yes := o.named("yes")
	return opt.given || yes != nil && yes.given
}

// question returns what is asked for an argument.
func (o *options) question(word string) question {
	if q, special := o.questions[word]; special {
		return q
	}
	return usualQuestion(word)
}

// ask asks a question until it has an answer that take accepts.
func (a *asking) ask(q question, take func(string) error) error {
	if q.needs != nil {
		if err := q.needs(a); err != nil {
			return err
		}
	}
	choices, preset, err := a.offer(&q)
	if err != nil {
		return err
	}
	if q.take != nil {
		take = q.take
	}
	prompt := q.text
	if len(choices) > 0 {
		a.e.showChoices(q.text, choices)
		prompt = "Number or name"
		if len(choices) == 1 && preset == "" {
			preset = choices[0].name
		}
	}
	for {
		text, err := a.e.answer(prompt, preset)
		if err != nil {
			return err
		}
		if text, err = a.accept(&q, choices, text); err == nil {
			err = take(text)
		}
		if err == nil || isHopeless(err) {
			return err
		}
		a.e.note("%v", err)
	}
}

// offer returns what can be chosen and what Enter is to mean.
func (a *asking) offer(q *question) (choices []choice, preset string, err error) {
	if q.list != nil {
		if choices, err = q.list(a); err != nil {
			return nil, "", err
		}
	}
	if q.preset != nil {
		preset, err = q.preset(a)
	}
	return choices, preset, err
}

func (e *env) showChoices(text string, choices []choice) {
	e.note("%s:", text)
	var rows [][2]string
	for i, c := range choices[:min(len(choices), mostChoices)] {
		rows = append(rows, [2]string{fmt.Sprintf("%4d) %s", i+1, c.name), c.about})
	}
	for _, line := range strings.Split(strings.TrimSuffix(columns(rows, 2), "\n"), "\n") {
		e.note("%s", strings.TrimRight(line, " "))
	}
	if more := len(choices) - len(rows); more > 0 {
		e.note("      and %d more, by name", more)
	}
}

// answer reads one answer; Enter gives the preset.
func (e *env) answer(prompt, preset string) (string, error) {
	if preset != "" {
		prompt += " [" + preset + "]"
	}
	text, err := e.line(prompt + ": ")
	if text == "" {
		text = preset
	}
	return text, err
}

// accept turns an answer into what it stands for, or says why it is none.
func (a *asking) accept(q *question, choices []choice, text string) (string, error) {
	if text == "" {
		return "", errors.New("an answer is needed; Ctrl-C gives up")
	}
	if len(choices) > 0 {
		name, ok := chosen(choices, text)
		if !ok && !q.free {
			return "", fmt.Errorf("%q is neither a number from 1 to %d nor a name to choose", text, len(choices))
		}
		text = name
	}
	if q.check == nil {
		return text, nil
	}
	return text, q.check(a, text)
}

// chosen returns the name of the choice that text means by name, which may be a
// number too, or by number; false, and text itself, when it means none.
func chosen(choices []choice, text string) (string, bool) {
	for _, c := range choices {
		if c.name == text {
			return text, true
		}
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(choices) {
		return choices[n-1].name, true
	}
	return text, false
}

// always returns a preset that is the same every time.
func always(text string) func(*asking) (string, error) {
	return func(*asking) (string, error) { return text, nil }
}

// plain returns the check of answers that need nothing but themselves.
func plain(check func(string) error) func(*asking, string) error {
	return func(_ *asking, text string) error { return check(text) }
}

// yesNo returns a question that sets an option without a value.
func yesNo(text string, yes *bool) question {
	return question{
		text: text, preset: always("n"),
		take: func(answer string) error {
			switch strings.ToLower(answer) {
			case "y", "yes":
				*yes = true
			case "n", "no":
			default:
				return fmt.Errorf("%q is neither y nor n", answer)
			}
			return nil
		},
	}
}

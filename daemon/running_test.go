package daemon

import (
	"errors"
	"testing"

	"ginnel/daemon/core"
)

// TestFetchDone: each answer is for those who had asked by then, once.
func TestFetchDone(t *testing.T) {
	var p peer
	answers := make([]chan error, 3)
	for i := range answers {
		answers[i] = make(chan error, 1)
		p.waiting.list = append(p.waiting.list, waiter{uint64(i + 1), answers[i]})
	}
	away := errors.New("away")
	p.fetchDone(core.FetchDone{Ticket: 2})
	if len(answers[0]) != 1 || len(answers[1]) != 1 || len(answers[2]) != 0 || <-answers[0] != nil {
		t.Error("not the first two alone are answered")
	}
	p.fetchDone(core.FetchDone{Ticket: 3, Err: away})
	if len(answers[0]) != 0 || len(answers[2]) != 1 || <-answers[2] != away || len(p.waiting.list) != 0 {
		t.Error("not the third one alone is answered, with the error")
	}
}

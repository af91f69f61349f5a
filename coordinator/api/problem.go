package api

import (
	"errors"

	"ginnel/network"
	"ginnel/wire"
)

// problemOf returns what err is to the caller of the API: the *wire.Problem it
// is or wraps, or the book's refusal as one. Nil: it is no fault of the
// caller's and none of its business.
func problemOf(err error) *wire.Problem {
	var problem *wire.Problem
	var refusal *network.Refusal
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &refusal):
		return wire.Errorf(refusalStatus(refusal.Kind), "%s", refusal.Reason)
	}
	return nil
}

func refusalStatus(k network.Kind) int {
	switch k {
	case network.NotFound:
		return wire.StatusNotFound
	case network.Conflict:
		return wire.StatusConflict
	case network.Gone:
		return wire.StatusGone
	}
	return wire.StatusUnprocessable // Invalid and Weak
}

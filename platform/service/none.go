//go:build kernelonly

package service

import "context"

// Supervisor is who started the program, and wants to hear nothing.
type Supervisor struct{}

// New returns the supervisor; the error is nil.
func New() (*Supervisor, error) { return &Supervisor{}, nil }

// Ready does nothing.
func (*Supervisor) Ready() error { return nil }

// Reloading does nothing.
func (*Supervisor) Reloading() error { return nil }

// Stopping does nothing.
func (*Supervisor) Stopping() error { return nil }

// Watch returns at once.
func (*Supervisor) Watch(context.Context, func(context.Context) error) error { return nil }

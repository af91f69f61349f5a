package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
)

// TestInput: what is there is read, and the end of the context ends a read
// that waits.
func TestInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := w.WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	in := Input(ctx, r)
	b := make([]byte, 100)
	if n, err := in.Read(b); err != nil || string(b[:n]) != "hello\n" {
		t.Fatalf("read %q, %v", b[:n], err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := in.Read(b)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a read that waited ended with %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := Input(t.Context(), r).Read(b); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d bytes, %v", n, err)
	}
}

package terminal

import (
	"context"
	"io"
	"os"
)

// Input returns a reader of f, a terminal or a pipe, that fails with ctx's
// error once ctx has ended: a plain read would wait for the next line first. The
// end of ctx must be followed by that of the process: a read that waits then is
// left behind, and would take what is typed next.
//
// To look first whether there is something to read does not do: Ctrl-C takes
// away what a terminal has not handed out yet, and the read after the look waits.
func Input(ctx context.Context, f *os.File) io.Reader { return &input{ctx, f} }

type input struct {
	ctx context.Context
	f   *os.File
}

type answer struct {
	b   []byte
	err error
}

// Read waits until there is something to read, or ctx ends.
func (in *input) Read(b []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	answered := make(chan answer, 1)
	own := make([]byte, len(b)) // b is the caller's again when ctx has ended
	go func() {
		n, err := in.f.Read(own)
		answered <- answer{own[:n], err}
	}()
	select {
	case a := <-answered:
		return copy(b, a.b), a.err
	case <-in.ctx.Done():
		return 0, in.ctx.Err()
	}
}

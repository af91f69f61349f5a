package fake

import "ginnel/platform"

// Op names a call that can be made to fail.
type Op string

// The calls that can be made to fail.
const (
	OpenTunnel    Op = "open tunnel"
	ApplyTunnel   Op = "apply tunnel"
	ObserveTunnel Op = "observe tunnel"
	ApplyNet      Op = "apply net"
	ObserveNet    Op = "observe net"
	Underlay      Op = "underlay"
	SetNames      Op = "set names"
)

// fault fails one call.
type fault struct {
	after int // calls that succeed before it
	err   error
}

// Fail makes the n-th call of op from now on, counting from 1, fail with err
// and do nothing. Faults add up, each counting by itself.
func (o *OS) Fail(op Op, n int, err error) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.faults[op] = append(o.faults[op], fault{after: n - 1, err: err})
}

// Tear makes the n-th observation of a tunnel from now on miss every second
// peer and return platform.ErrTorn.
func (o *OS) Tear(n int) { o.Fail(ObserveTunnel, n, platform.ErrTorn) }

// fault counts a call, and returns its error if it is to fail.
func (o *OS) fault(op Op) (err error) {
	rest := o.faults[op][:0]
	for _, f := range o.faults[op] {
		if f.after == 0 {
			err = f.err
			continue
		}
		f.after--
		rest = append(rest, f)
	}
	o.faults[op] = rest
	return err
}

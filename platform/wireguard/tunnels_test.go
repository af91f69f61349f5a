package wireguard

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ginnel/platform"
)

// way is one of the ways to make a tunnel, which ends in an error.
type way struct{ err error }

func (w way) Open(string, int) (platform.Tunnel, error) { return nil, w.err }

// TestOpenPasses checks that what this machine cannot do passes on to the next
// way of opening, and nothing else does.
func TestOpenPasses(t *testing.T) {
	there, absent := way{fmt.Errorf("a bridge: %w", platform.ErrExist)}, way{fmt.Errorf("none: %w", platform.ErrNotExist)}
	lacking, broken := way{fmt.Errorf("module missing: %w", platform.ErrUnsupported)}, way{errors.New("broken")}
	for i, test := range []struct {
		ways   []platform.Tunnels
		others bool
		want   error
	}{
		{[]platform.Tunnels{lacking, way{}}, false, nil},
		{[]platform.Tunnels{lacking, broken}, false, broken.err},
		{[]platform.Tunnels{broken, way{}}, false, broken.err},
		{[]platform.Tunnels{lacking, lacking}, false, platform.ErrUnsupported},
		{[]platform.Tunnels{there, way{}}, false, platform.ErrExist},
		{[]platform.Tunnels{there, way{}}, true, nil},
		{[]platform.Tunnels{absent, way{}}, true, nil},
		{[]platform.Tunnels{lacking, way{}}, true, nil},
		{[]platform.Tunnels{broken, way{}}, true, broken.err},
		{[]platform.Tunnels{there, absent}, true, platform.ErrNotExist},
		{[]platform.Tunnels{lacking, absent}, true, platform.ErrNotExist},
	} {
		_, err := (&Tunnels{test.ways, test.others}).Open("wg7", 1380)
		if !errors.Is(err, test.want) || err != nil && !strings.HasPrefix(err.Error(), "open tunnel wg7: ") { // by which the doctor knows it
			t.Errorf("case %d: error is %v, want %v of opening wg7", i, err, test.want)
		}
	}
}

// TestBackendsAreTheOnlyWay: a backend that is asked for is never passed by.
func TestBackendsAreTheOnlyWay(t *testing.T) {
	lacking := way{fmt.Errorf("module missing: %w", platform.ErrUnsupported)}
	var auto error
	if !hasUserspace {
		auto = platform.ErrUnsupported
	}
	for backend, want := range map[platform.Backend]error{"": auto, platform.Kernel: platform.ErrUnsupported, platform.Userspace: nil} {
		ts := Tunnels{ways: choose(backend, lacking, way{})}
		if _, err := ts.Open("wg7", 1380); !errors.Is(err, want) {
			t.Errorf("backend %q: error is %v, want %v", backend, err, want)
		}
	}
}

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
	lacking, broken := way{fmt.Errorf("module missing: %w", platform.ErrUnsupported)}, way{errors.New("broken")}
	for i, test := range []struct {
		ways []platform.Tunnels
		want error
	}{
		{[]platform.Tunnels{lacking, way{}}, nil},
		{[]platform.Tunnels{lacking, broken}, broken.err},
		{[]platform.Tunnels{broken, way{}}, broken.err},
		{[]platform.Tunnels{lacking, lacking}, platform.ErrUnsupported},
	} {
		_, err := (&Tunnels{test.ways}).Open("wg7", 1380)
		if !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), "wg7") {
			t.Errorf("case %d: error is %v, want %v of wg7", i, err, test.want)
		}
	}
}

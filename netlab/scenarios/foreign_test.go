package scenarios_test

import (
	"errors"
	"strings"
	"testing"

	"ginnel/netlab"
)

// TestForeignInterface: an interface of the network's name that is somebody
// else's keeps its addresses and routes, whatever is done to the network.
func TestForeignInterface(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	inet := l.Internet()
	vps := l.machine(l.Host("vps", inet))
	create := []string{"10.43.0.0/16", "--endpoint", vps.Addr().String() + ":" + port}
	vps.refused("there is an interface eth0", append([]string{"network", "create", "eth0"}, create...)...)

	vps.ginnel(append([]string{"network", "create", "eth1"}, create...)...)
	vps.ginnel("down")
	lan := l.Switch("lan", "192.168.9.0/24")
	vps.Connect(lan)
	neighbour := l.Host("neighbour", lan)
	show := func() string {
		return vps.Run("ip", "-4", "-o", "address", "show", "dev", "eth1") + vps.Run("ip", "route")
	}
	before := show()
	same := func(when string) {
		t.Helper()
		if after := show(); after != before {
			t.Errorf("%s: addresses and routes are\n%swere\n%s", when, after, before)
		}
		if err := vps.Ping(neighbour.Addr().String(), patience); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	vps.refused("exists already", "up")
	same("up")
	vps.daemon.Kill()
	vps.start()
	netlab.Eventually(t, patience, "the daemon tells", func() error {
		out, err := vps.Try(l.binary, "status")
		if err == nil && !strings.Contains(out, "exists already") {
			err = errors.New("status is:\n" + out)
		}
		return err
	})
	same("after a restart")
	vps.daemon.Kill()
	vps.ginnel("network", "remove", "eth1", "--yes")
	same("removed")
}

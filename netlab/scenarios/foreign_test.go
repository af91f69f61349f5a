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
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		vps := l.machine(l.Host("vps", inet))
		create := []string{l.job.root(), "--endpoint", endpointAt(vps.Addr())}
		vps.refused("there is an interface eth0", append([]string{"network", "create", "eth0"}, create...)...)

		vps.ginnel(append([]string{"network", "create", "eth1"}, create...)...)
		vps.ginnel("down")
		lan := l.Switch("lan", l.lan(9).String())
		vps.Connect(lan)
		neighbour := l.Host("neighbour", lan)
		show := func() string {
			return vps.ip("-o", "address", "show", "dev", "eth1") + vps.ip("route")
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
	})
}

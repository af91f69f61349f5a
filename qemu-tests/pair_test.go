package qemu_test

import (
	"strings"
	"testing"
	"time"

	"ginnel/qemu-tests/machine"
)

// TestPair joins two machines of different byte order or word length by a
// cable: one keeps the book, the other joins by invitation, and they talk to
// each other through the tunnel.
func TestPair(t *testing.T) {
	for _, pair := range pairs(t) {
		coordinator, peer := pair[0], pair[1]
		t.Run(coordinator.Name+"-"+peer.Name, func(t *testing.T) {
			cable := machine.NewCable(t)
			half := func(arch machine.Arch, test, address string, env ...string) *machine.Machine {
				return machine.Boot(t, machine.Spec{
					Arch: arch, Modules: []string{"wireguard"}, Net: []machine.Plug{cable.Plug(address)}, Env: env,
					Files: map[string]string{
						"/bin/ginnel":    machine.Ginnel(t, arch),
						"/bin/pair.test": machine.TestBinary(t, arch, "./qemu-tests/pair"),
					},
					Run: [][]string{{"/bin/pair.test", "-test.v", "-test.run", "^" + test + "$"}},
				})
			}
			a := half(coordinator, "TestCoordinator", "192.0.2.1/24", "PAIR_ENDPOINT=192.0.2.1:51820")
			token := strings.TrimPrefix(a.Until("^invitation: ", 2*time.Minute), "invitation: ")
			b := half(peer, "TestPeer", "192.0.2.2/24", "PAIR_INVITATION="+token)
			b.Until("^talked", 3*time.Minute)
			a.Until("^talked", time.Minute)
		})
	}
}

// pairs are the first selected architecture with each of the others, both ways.
func pairs(t *testing.T) (all [][2]machine.Arch) {
	selected := machine.Selected(t)
	for _, other := range selected[1:] {
		all = append(all, [2]machine.Arch{selected[0], other}, [2]machine.Arch{other, selected[0]})
	}
	return all
}

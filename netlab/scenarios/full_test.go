package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"ginnel/netlab"
)

// Where a machine keeps what must last.
const (
	configDir = "/etc/ginnel"
	stateDir  = "/var/lib/ginnel"
)

// noSpace is what people are told.
const noSpace = "no space left on device"

// small gives a host directories that are file systems of 1 MB each.
func small(h *netlab.Host) *netlab.Host {
	for _, dir := range []string{configDir, stateDir} {
		h.Run("mkdir", "-p", dir)
		h.Run("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", dir)
	}
	return h
}

// fill leaves no room in a directory's file system, whatever was there before.
func (m *machine) fill(dir string) {
	m.lab.t.Helper()
	if _, err := m.Try("dd", "if=/dev/zero", "of="+dir+"/filler", "bs=4k"); err == nil || !strings.Contains(strings.ToLower(err.Error()), noSpace) {
		m.lab.t.Fatalf("%s: %s is not full: %v", m.Name(), dir, err)
	}
}

// free undoes fill.
func (m *machine) free(dir string) { m.lab.t.Helper(); m.Run("rm", dir+"/filler") }

// files lists what is in the small file systems, fillers aside.
func (m *machine) files() string {
	m.lab.t.Helper()
	return m.Run("find", configDir, stateDir, "-type", "f", "!", "-name", "filler")
}

// TestFullDiskWhenJoining: where there is no room for the state or the
// configuration, network create and join say so and leave nothing behind, but
// for a join's key once it is redeemed; they work when there is room.
func TestFullDiskWhenJoining(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		vps, anna := l.machine(small(l.Host("vps", inet))), l.machine(small(l.Host("anna", inet)))
		create := []string{"network", "create", "home", l.home.root(), "--endpoint", endpointAt(vps.Addr())}
		for _, dir := range []string{stateDir, configDir} {
			vps.fill(dir)
			vps.refused(noSpace, create...)
			if left := vps.files(); left != "" {
				t.Errorf("without room in %s create leaves\n%s", dir, left)
			}
			vps.free(dir)
		}
		vps.ginnel(create...)
		vps.ginnel("cidr", "add", "machines", l.home.cidr(1))

		token := vps.invite("anna", "machines")
		anna.fill(stateDir)
		anna.refused(noSpace, "join", token)
		if left := anna.files(); left != "" {
			t.Errorf("a join without room for the state leaves\n%s", left)
		}
		anna.free(stateDir)
		anna.fill(configDir)
		anna.refused(noSpace, "join", token)
		if left := anna.files(); left != stateDir+"/home.state\n" {
			t.Errorf("a join without room for the configuration leaves\n%s", left)
		}
		anna.free(configDir)
		anna.ginnel("join", token)
		l.allReach(vps, anna)
	})
}

// TestFullDisk: a network goes on where there is no room left. What has to be
// written down is refused and changes nothing; peers follow the others' news, and
// everything is there after a restart once there is room.
func TestFullDisk(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		inet := l.Internet()
		vps := l.coordinator(small(l.Host("vps", inet)), l.home.root())
		vps.ginnel("cidr", "add", "machines", l.home.cidr(1))
		anna := l.join(vps, small(l.Host("anna", inet)), "machines")
		bob := l.join(vps, l.Host("bob", inet), "machines")
		l.allReach(vps, anna, bob)

		anna.fill(configDir)
		conf, err := anna.ReadFile(configDir + "/ginnel.conf")
		if err != nil {
			t.Fatal(err)
		}
		anna.refused(noSpace, "down")
		if now, err := anna.ReadFile(configDir + "/ginnel.conf"); err != nil || string(now) != string(conf) {
			t.Errorf("the configuration has become %q (%v)", now, err)
		}
		anna.fill(stateDir)
		vps.fill(stateDir)
		invited, why := 0, error(nil)
		for ; why == nil && invited < 500; invited++ {
			_, why = vps.Try(l.binary, "peer", "invite", fmt.Sprintf("p%d", invited), "--cidr", "machines")
		}
		if why == nil || !strings.Contains(why.Error(), "the coordinator's disk is full") {
			t.Fatalf("after %d invitations: %v", invited, why)
		}
		l.allReach(vps, anna, bob)
		vps.free(stateDir)
		vps.ginnel("peer", "rename", "bob", "robert")
		anna.resolves("robert", bob.overlay(), patience)
		anna.free(stateDir)
		anna.free(configDir)

		for _, m := range []*machine{vps, anna} {
			m.daemon.Kill()
			m.start()
		}
		l.allReach(vps, anna, bob)
		if list := vps.ginnel("peer", "list"); strings.Count(list, "invited") != invited-1 {
			t.Errorf("%d invitations were made, the list is\n%s", invited-1, list)
		}
	})
}

package flash

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ginnel/qemu-tests/machine"
)

// TestPowerCutJoin cuts the power of a router at random moments while its
// daemon starts for the first time, it joins, and leaves. After each boot the
// daemon starts, and either the network is there and works, or the same
// invitation or a new one makes it so. See attempt for what is looked at.
func TestPowerCutJoin(t *testing.T) {
	names := []string{"ubifs"}
	if *kills >= 10 {
		names = append(names, "overlay")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d: repeat with -args -seed %[1]d", *seed)
			k, err := findKind(name)
			if err != nil {
				t.Fatal(err)
			}
			cable := machine.NewCable(t)
			j := &joiner{t: t, board: newBoard(t, k, 8), random: rand.New(rand.NewPCG(*seed, 2))}
			j.coordinator = bootCoordinator(t, cable.Plug("192.0.2.1/24"), 3**kills+2)
			j.board.plug = cable.Plug("192.0.2.2/24")
			j.token = j.invitation()
			for range *kills {
				j.round()
			}
			m := j.boot()
			m.Until(fmt.Sprint("^", sayLeft, " ", j.attempt), patience)
			m.Kill()
			t.Logf("%d power cuts: %v", *kills, j.cuts)
		})
	}
}

// bootCoordinator boots one whose power is not cut, which makes invitations.
func bootCoordinator(t *testing.T, plug machine.Plug, invitations int) *machine.Machine {
	t.Helper()
	k, err := findKind("tmpfs")
	if err != nil {
		t.Fatal(err)
	}
	b := newBoard(t, k, 0)
	b.plug = plug
	spec := b.spec([]string{"invite", strconv.Itoa(invitations)})
	spec.Timeout = time.Duration(*kills+2) * patience
	return machine.Boot(t, spec)
}

// joiner knows how far the machine has come.
type joiner struct {
	t           *testing.T
	board       *board
	coordinator *machine.Machine
	random      *rand.Rand
	attempt     int            // the one that was cut off, or is next
	token       string         // its invitation, or "leave" when it was being left
	cuts        map[string]int // how many there were, by what the machine said last
}

// invitation is a new one.
func (j *joiner) invitation() string {
	j.t.Helper()
	return strings.TrimPrefix(j.coordinator.Until("^"+sayInvitation, patience), sayInvitation)
}

// boot boots the machine, to finish the attempt that was cut off.
func (j *joiner) boot(more ...string) *machine.Machine {
	j.t.Helper()
	run := append([]string{"member", strconv.Itoa(j.attempt), j.token}, more...)
	return machine.Boot(j.t, j.board.spec(run))
}

// round boots the machine, cuts its power and sees how far it has come. The
// moment is mostly one of the join.
func (j *joiner) round() {
	j.t.Helper()
	if j.token != "leave" && j.random.IntN(3) == 0 {
		j.token = j.invitation() // the person has lost the other one
	}
	next := j.invitation()
	m := j.boot(next)
	m.Until("^"+sayMounted, patience)
	say := []string{sayBegin, sayAnswers, sayJoining, sayJoining, sayJoining, sayLeaving}[j.random.IntN(6)]
	m.Until("^"+say, patience)
	<-time.After(time.Duration(j.random.IntN(1500)) * time.Millisecond)
	m.Kill()
	j.follow(m.Wait().Commands[0].Output, next)
}

// follow reads what the machine has said: the attempt that it was at is what it
// goes on with.
func (j *joiner) follow(output, next string) {
	j.t.Helper()
	lines := strings.Split(output, "\n")
	if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "flash: ") && !knownOfJoin(l) }); i >= 0 {
		j.t.Fatalf("the guest says: %s", strings.Join(lines[i:], "\n"))
	}
	last := ""
	for _, l := range lines {
		switch {
		case strings.HasPrefix(l, sayLeaving[:len("flash: lea")]): // it may have been cut off
			j.token = "leave"
		case strings.HasPrefix(l, sayLeft):
			j.attempt, j.token = j.attempt+1, next
			next = ""
		}
		if strings.HasPrefix(l, "flash: ") {
			last = strings.TrimRight(l, "0123456789 ")
		}
	}
	if j.token == "" {
		j.token = j.invitation()
	}
	if j.cuts == nil {
		j.cuts = map[string]int{}
	}
	j.cuts[last]++
}

// knownOfJoin tells whether a line is one that runMember prints, or the
// beginning of one that the power cut has ended.
func knownOfJoin(line string) bool {
	for _, say := range []string{sayMounted, sayBegin, sayAnswers, sayJoining, sayWorks, sayLeaving, sayLeft} {
		if strings.HasPrefix(line, say) || strings.HasPrefix(say, line) {
			return true
		}
	}
	return false
}

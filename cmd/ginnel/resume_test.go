package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/wire"
)

// killedEnv gives the test binary, started again as a child, the configuration,
// the state directory and the invitation of a join during which it is killed.
var killedEnv = [...]string{"GINNEL_TEST_CONFIG", "GINNEL_TEST_STATE", "GINNEL_TEST_INVITATION"}

func TestMain(m *testing.M) {
	if os.Getenv(killedEnv[0]) == "" {
		os.Exit(m.Run())
	}
	p := paths{config: os.Getenv(killedEnv[0]), state: os.Getenv(killedEnv[1])}
	panic(joinUntilKilled(p, os.Getenv(killedEnv[2])))
}

// joinUntilKilled leaves what a join has on disk between the section and the
// end, and the lock on the state, and is killed there.
func joinUntilKilled(p paths, token string) error {
	inv, err := wire.ParseInvitation(token)
	if err != nil {
		return err
	}
	path := state.Path(p.state, inv.Network)
	if err := state.Create(path, identityOf(inv)); err != nil {
		return err
	}
	s, err := state.Open(path)
	if err != nil {
		return err
	}
	n := config.New(inv.Network, config.Peer)
	n.Endpoints, n.ListenPort = inv.Coordinator.Endpoints, 4711
	if err := p.setNetwork(n); err != nil {
		return err
	}
	err = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	s.Close() // not reached: it keeps s open until here
	return err
}

func identityOf(inv *wire.Invitation) state.Identity {
	c := &inv.Coordinator
	return state.Identity{
		Network: inv.Network, Root: inv.Root, Name: inv.Name, Address: inv.Address,
		PrivateKey: key.NewPrivate([32]byte{1: 3}), Pending: inv.Key,
		Coordinator: state.Coordinator{Address: c.Address, PublicKey: c.PublicKey, APIPort: c.APIPort},
	}
}

// killedJoin returns a machine on which a join was killed before its end.
func killedJoin(t *testing.T) (m *machine, token string) {
	t.Helper()
	m, token = newJoiner(t, nil)
	must(t, os.MkdirAll(m.env.paths.state, 0o700))
	child := exec.Command(os.Args[0])
	for i, v := range []string{m.env.paths.config, m.env.paths.state, token} {
		child.Env = append(child.Env, killedEnv[i]+"="+v)
	}
	out, err := child.CombinedOutput()
	if child.ProcessState == nil || child.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v: %s", err, out)
	}
	return m, token
}

// TestJoinKilled: a join that was killed with its section written is finished by
// the same command, and once more changes nothing.
func TestJoinKilled(t *testing.T) {
	m, token := killedJoin(t)
	m.refuses(exitFailed, []string{"this machine is in a network home already"}, "join", otherThan(t, token))
	m.does("joined home as fay, 10.42.1.4\n", "join", token)
	id := stateOf(t, m)
	if id.IsPending() {
		t.Error("the join is still pending")
	}
	m.does("this machine is in home already, as fay: by this invitation\n", "join", token)
	n, err := m.env.configured("home")
	must(t, err)
	if after := stateOf(t, m); !after.PrivateKey.Equal(id.PrivateKey) || n.ListenPort != 4711 {
		t.Errorf("the machine has another key, or the section changed: %+v", n)
	}
}

// TestJoinRuns: a daemon that runs the network has the state open; which
// invitation made it is known all the same, and the daemon knows the name that
// the machine has now.
func TestJoinRuns(t *testing.T) {
	m, token := killedJoin(t)
	s, err := state.Open(state.Path(m.env.paths.state, "home"))
	must(t, err)
	defer s.Close()
	m.refuses(exitFailed, []string{"in use by another program"}, "join", token)
	must(t, s.Confirm())
	m.does("this machine is in home already, as fay: by this invitation\n", "join", token)
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Up, Self: wire.Member{Name: "bobby"}}}
	m.does("this machine is in home already, as bobby: by this invitation\n", "join", token)
	m.refuses(exitFailed, []string{"this machine is in a network home already"}, "join", otherThan(t, token))
}

// TestJoinOnCoordinator: the coordinator is told what it is, not to leave.
func TestJoinOnCoordinator(t *testing.T) {
	m, token := newJoiner(t, nil)
	m.configure("home", config.Coordinator)
	m.refuses(exitFailed, []string{"this machine is the coordinator of home itself"}, "join", token)
}

// TestFinishMissing: without a state nothing is this invitation's.
func TestFinishMissing(t *testing.T) {
	m, token := newJoiner(t, nil)
	m.configure("home", config.Peer)
	m.refuses(exitFailed, []string{"this machine is in a network home already"}, "join", token)
	inv, err := wire.ParseInvitation(token)
	must(t, err)
	if how, err := join.Finish(m.env.paths.state, inv); how != join.Foreign || err != nil {
		t.Errorf("%v, %v", how, err)
	}
}

// otherThan returns the invitation of who is given the same address next.
func otherThan(t *testing.T, token string) string {
	t.Helper()
	inv, err := wire.ParseInvitation(token)
	must(t, err)
	inv.Name, inv.Key = "carl", key.NewPrivate([32]byte{1: 4})
	return inv.Token()
}

func stateOf(t *testing.T, m *machine) state.Identity {
	t.Helper()
	s, err := state.Open(state.Path(m.env.paths.state, "home"))
	must(t, err)
	defer s.Close()
	return s.Identity()
}

package main

import (
	"net/netip"
	"strings"
	"testing"

	"ginnel/wire"
	"ginnel/wire/http1"
)

// newAnn returns an admin's machine whose daemon is ann, and whose commands the
// coordinator does, but whose answers to those that ann is cut off by are lost.
func newAnn(t *testing.T) *machine {
	t.Helper()
	m := newAdmin(t)
	m.status.Networks[0].Role = "peer"
	m.status.Networks[0].Self = wire.Member{Name: "ann", Address: netip.MustParseAddr("10.42.1.1")}
	m.lie = func(r *http1.Request) any {
		if isCut := r.Method == "DELETE" || strings.Contains(string(r.Body), "disabled"); !isCut || !strings.HasSuffix(r.Path, "/ann") {
			return nil
		}
		m.net.LocalHandler()(t.Context(), r)
		return wire.Errorf(wire.StatusBadGateway, "the coordinator of home cannot be reached: connection timed out")
	}
	return m
}

// TestOwnMachine: who is about to take something from this machine itself hears
// so, and has to say yes; an answer that is lost by it is no coordinator that is
// away.
func TestOwnMachine(t *testing.T) {
	for _, test := range []struct{ line, loses string }{
		{"peer remove ann", "ann is this machine: it loses the network at once, and comes back only as a new peer"},
		{"peer disable ann", "ann is this machine: it loses the network at once, and only an admin elsewhere can enable it"},
		{"peer revoke-admin ann", "ann is this machine: it cannot change the network then, and only an admin elsewhere"},
	} {
		m, words := newAnn(t), strings.Fields(test.line)
		before := m.net.Book().Revision()
		m.refuses(exitUsage, []string{test.loses, "no terminal to ask this on", "--yes"}, words...)
		m.failed(m.runWith("n\n", true, words...), exitFailed, []string{test.loses, "[y/N]", "nothing was changed"}, words)
		if after := m.net.Book().Revision(); after != before {
			t.Errorf("%s: the book is at revision %d, was %d", test.line, after, before)
		}
		r := m.run(append(words, "--yes")...)
		if !strings.Contains(r.err, test.loses) || strings.Contains(r.err, "cannot be reached") {
			t.Errorf("%s --yes: says %q", test.line, r.err)
		}
		if isCut := !strings.Contains(test.line, "revoke"); isCut {
			m.failed(r, exitFailed, []string{"no answer came", "it was probably done", "`ginnel peer list` on another"}, words)
		} else if r.status != exitOK || r.out != "peer ann is not an admin any more\n" {
			t.Errorf("%s --yes: %+v", test.line, r)
		}
		if m.net.Book().Revision() == before {
			t.Errorf("%s --yes: nothing was done", test.line)
		}
	}
}

// TestOwnMachineLast: others are removed before this machine cannot do it any
// more, and about them it is not warned.
func TestOwnMachineLast(t *testing.T) {
	m := newAnn(t)
	r := m.run("peer", "remove", "ann", "bob", "eve", "--yes")
	if r.status != exitFailed || r.out != "removed peer eve\nremoved peer bob\n" || !strings.Contains(r.err, "probably done") {
		t.Errorf("%+v", r)
	}
	m = newAnn(t)
	for _, line := range []string{"peer disable bob", "peer revoke-admin carl", "peer remove bob --yes"} {
		if r := m.run(strings.Fields(line)...); r.status != exitOK || strings.Contains(r.err, "this machine") {
			t.Errorf("%s: %+v", line, r)
		}
	}
	m.lie = func(r *http1.Request) any {
		if r.Method != "DELETE" {
			return nil
		}
		return wire.Errorf(wire.StatusBadGateway, "the coordinator of home cannot be reached")
	}
	m.refuses(exitFailed, []string{"cannot be reached"}, "peer", "remove", "dan", "--yes")
}

// TestOwnMachineCoordinator: from the coordinator nothing can be taken, which it
// says itself.
func TestOwnMachineCoordinator(t *testing.T) {
	m := newAdmin(t)
	m.status.Networks[0].Self = wire.Member{Name: "hub", Address: netip.MustParseAddr("10.42.0.1"), Role: wire.RoleCoordinator}
	for _, command := range []string{"disable", "revoke-admin"} {
		r := m.run("peer", command, "hub")
		if m.failed(r, exitFailed, nil, nil); strings.Contains(r.err, "this machine") {
			t.Errorf("%s: %q", command, r.err)
		}
	}
}

package scenarios_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

// guide is what the README tells to type.
type guide struct {
	t    *testing.T
	text string
}

func readme(t *testing.T) *guide {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return &guide{t, string(text)}
}

// desk is the directory in which commands are typed: every machine's own.
const desk = "/run/desk"

// types runs a line of the README, as it stands there, in a shell of m's. More
// is what a script has to add.
func (g *guide) types(m *machine, line string, more ...string) string {
	g.t.Helper()
	if !strings.Contains(g.text, "\n    "+line+"\n") {
		g.t.Fatalf("the README does not tell to type %q", line)
	}
	m.Install("ginnel", m.lab.binary)
	return m.Run("sh", "-c", "mkdir -p "+desk+" && cd "+desk+" && "+strings.Join(append([]string{line}, more...), " "))
}

// carry copies a file from one desk to another.
func (g *guide) carry(from, to *machine, file string) {
	g.t.Helper()
	content, err := from.ReadFile(desk + "/" + file)
	if err == nil {
		to.Run("mkdir", "-p", desk)
		err = to.WriteFile(desk+"/"+file, content, 0o600)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// TestBehaviour16And41And71And129Readme does what the README tells administrators, and nothing else that
// they would have to know.
func TestBehaviour16And41And71And129Readme(t *testing.T) {
	t.Parallel()
	l, g := labOf(t, ipv4), readme(t)
	inet := l.Internet()
	const first, second = "vps.example.com", "vpn2.example.com"
	there, elsewhere := l.public(50), l.public(60)
	hosts := func(m *machine) *machine {
		m.knows(first, there)
		m.knows(second, elsewhere)
		return m
	}

	vps := hosts(l.machine(l.Host("vps", inet, there.String())))
	g.types(vps, "ginnel network create home 10.42.0.0/16 --endpoint vps.example.com:51820")
	g.types(vps, "ginnel cidr add laptops 10.42.1.0/24")
	g.types(vps, "ginnel peer invite anna --cidr laptops --output anna.invitation")
	anna := hosts(l.machine(l.Host("anna", inet)))
	g.carry(vps, anna, "anna.invitation")
	g.types(anna, "ginnel join anna.invitation")
	anna.reachesAddress("10.42.0.1")
	g.types(vps, "ginnel cidr add servers 10.42.2.0/24")
	g.types(vps, "ginnel association add laptops servers")
	joins := func(name string, args ...string) *machine {
		m := hosts(l.machine(l.Host(name, inet)))
		m.ginnel("join", strings.TrimSpace(vps.ginnel(append([]string{"peer", "invite", name}, args...)...)))
		return m
	}
	bob, nas, carl := joins("bob", "--cidr", "laptops"), joins("nas", "--cidr", "servers"), joins("carl", "--address", "10.42.1.20")
	peers := []*machine{anna, bob, nas, carl}
	l.allReach(append(peers, vps)...)

	g.types(vps, "ginnel peer rename anna annas-laptop")
	nas.resolves("annas-laptop", anna.overlay(), budget(2*time.Second))

	shown := g.types(vps, "ginnel cidr add kids 10.42.1.0/28", "--yes 2>&1") // a script cannot be asked
	if !strings.Contains(shown, "carl will not see each other any more") {
		t.Errorf("what the split parts is not shown before: %q", shown)
	}
	anna.forgets("carl", patience)
	anna.reaches(bob, patience)
	g.types(vps, "ginnel association add kids laptops")
	anna.reaches(carl, patience)

	g.types(vps, "ginnel network rename-endpoint vpn2.example.com:51820")
	pings := startPings([]*machine{anna, carl})
	vps.SetAddress(elsewhere.String())
	for _, m := range peers {
		m.reaches(vps, 3*time.Minute)
	}

	restored := g.restores(vps, func() *machine { return hosts(l.machine(l.Host("vps2", inet, elsewhere.String()))) })
	restored.ginnel("peer", "rename", "bob", "robert")
	for _, m := range peers {
		m.reaches(restored, 3*time.Minute)
	}
	nas.resolves("robert", bob.overlay(), patience)
	pings.noneLost(t)
}

// restores has the coordinator's machine lost, and made anew from its backup.
func (g *guide) restores(lost *machine, anew func() *machine) *machine {
	g.t.Helper()
	g.types(lost, "ginnel backup home.backup")
	lost.daemon.Kill()
	lost.SetAddress(lost.lab.public(70).String()) // a tunnel that the kernel carries goes on without its daemon
	restored := anew()
	g.carry(lost, restored, "home.backup")
	g.types(restored, "ginnel restore home.backup")
	return restored
}

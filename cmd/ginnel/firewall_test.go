package main

import (
	"strings"
	"testing"

	"ginnel/daemon/config"
)

// TestFirewall: the rules are those of all networks whose sections are right, in
// the order of the file. The API keeps its port when the tunnel gets another one.
func TestFirewall(t *testing.T) {
	m := newMachine(t)
	m.does("", "firewall")
	m.succeeds("network", "create", "home", "10.42.0.0/16", "--endpoint", "192.0.2.1:51820", "--listen-port", "51820", "--name", "hub")
	must(t, m.env.paths.changeNetwork("home", func(n *config.Network) error { n.ListenPort = 4000; return nil }))
	m.configure("my-lab", config.Peer)
	const (
		home = "rule ACCEPT src=* proto=udp dest_port=4000\n" +
			"rule ACCEPT src=* device=home direction=in proto=icmp icmp_type=echo-request\n" +
			"rule ACCEPT src=* device=home direction=in proto=udp dest_port=51819\n" +
			"rule ACCEPT src=* device=home direction=in proto=tcp dest_port=51820\n"
		lab = "rule ACCEPT src=* device=my-lab direction=in proto=icmp icmp_type=echo-request\n" +
			"rule ACCEPT src=* device=my-lab direction=in proto=udp dest_port=51819\n"
	)
	for _, policy := range []string{"", "REJECT", "drop"} {
		m.does(home+lab, "firewall", policy)
	}
	for _, policy := range []string{"ACCEPT", "accept", "a"} {
		m.does(home+"rule REJECT src=* device=home direction=in proto=all\n"+lab+"rule REJECT src=* device=my-lab direction=in proto=all\n", "firewall", policy)
	}
	must(t, m.env.paths.edit(func(text []byte) ([]byte, error) { return append(text, "\toption newer 1\n"...), nil }))
	if r := m.run("firewall"); r.status != exitFailed || r.out != home || !strings.Contains(r.err, "section my_lab, option newer: ") {
		t.Errorf("%+v", r)
	}
	must(t, m.env.paths.edit(func([]byte) ([]byte, error) { return []byte("nonsense\n"), nil }))
	m.refuses(exitFailed, []string{"ginnel.conf:1: "}, "firewall")
}

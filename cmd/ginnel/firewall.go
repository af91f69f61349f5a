package main

import (
	"context"
	"strings"

	"ginnel/daemon/doctor"
)

// firewallCommands: what the service's script tells OpenWrt's firewall.
var firewallCommands = []command{{
	name: "firewall", args: "[POLICY]", hidden: true,
	brief: "Print what OpenWrt's firewall is to let through for this machine's networks",
	about: `A line is a rule: its type, its target, and its options with their values, none of which has a
blank in it. POLICY is what the firewall does with what comes in by an interface of no zone, as
option input of its defaults says; where that is ACCEPT there are rules against the rest. No
daemon is needed. Of a network whose section is wrong there is at most the rule against the
rest, and the exit status is 1.`,
	setup: func(*options) action {
		return func(_ context.Context, e *env, args []string) error { return printFirewall(e, first(args)) }
	},
}}

// printFirewall prints the rules of the networks, as far as they are right. The port of a
// coordinator's API is that which the network was made with: its identity tells.
func printFirewall(e *env, policy string) error {
	cfg, wrong := e.paths.readConfig()
	open := strings.HasPrefix(strings.ToLower(policy), "a") // the firewall takes any beginning of the word
	for i := range cfg.Networks {
		n := &cfg.Networks[i]
		is := doctor.Network{Name: n.Name}
		if e.gatherState(&is); is.APIPort == 0 {
			is.APIPort = n.ListenPort // nothing is known of another one
		}
		if err := e.print(n.FirewallRules(is.APIPort, open)); err != nil {
			return err
		}
	}
	return wrong
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"ginnel/daemon/config"
	"ginnel/network"
	"ginnel/wire"
)

// usualQuestion returns what is asked for a word that a command has no question
// of its own for.
func usualQuestion(word string) question {
	switch kindOf(word) {
	case peerName:
		return question{text: "Which peer", list: peersWho("there is no other peer", notCoordinator)}
	case cidrName:
		return question{text: "Which CIDR", list: cidrsWho("there is no CIDR", isNotInfra)}
	case networkName:
		return question{text: "Which network", list: networksWho("", func(*config.Network) bool { return true })}
	}
	switch word {
	case "HOST:PORT":
		return question{text: "Where it is reached, HOST:PORT", check: plain(wire.CheckEndpoint)}
	case "ENDPOINT":
		return question{text: "Where this machine is reached, HOST:PORT or :PORT", check: plain(wire.CheckAnnounced)}
	case "PORT":
		return question{text: "The UDP port", check: unusedPort}
	}
	if word == strings.ToLower(word) { // "bash|zsh": to be taken literally
		return question{text: "Which one", list: func(*asking) ([]choice, error) { return named(strings.Split(word, "|")), nil }}
	}
	return question{text: word[:1] + strings.ToLower(word[1:])}
}

// named returns choices that have nothing but names.
func named(names []string) (list []choice) {
	for _, name := range names {
		list = append(list, choice{name: name})
	}
	return list
}

// someOf returns choices, or says why there are none.
func someOf(list []choice, none string) ([]choice, error) {
	if len(list) == 0 {
		return nil, errors.New(none)
	}
	return list, nil
}

// networksWho lists those networks of this machine that qualify; none says
// that there is none, where inNoNetwork would not be right.
func networksWho(none string, qualifies func(*config.Network) bool) func(*asking) ([]choice, error) {
	return func(a *asking) ([]choice, error) {
		cfg, err := a.e.paths.readConfig()
		if err != nil {
			return nil, hopeless{err}
		}
		var list []choice
		for i := range cfg.Networks {
			if n := &cfg.Networks[i]; qualifies(n) {
				list = append(list, choice{n.Name, string(n.Role)})
			}
		}
		if len(cfg.Networks) == 0 {
			return nil, hopeless{errors.New(inNoNetwork)}
		}
		if none == "" {
			none = inNoNetwork
		}
		return someOf(list, none)
	}
}

func isCoordinated(n *config.Network) bool { return n.Role == config.Coordinator }

// get asks the coordinator of the network that is meant.
func (a *asking) get(path string, out any) error { return a.call("GET", path, nil, out) }

func (a *asking) call(method, path string, in, out any) error {
	return unmended(a.e.coordinator(a.ctx, a.network(), method, path, in, out))
}

func (a *asking) cidrs() ([]wire.CIDR, error) {
	list, err := a.e.cidrs(a.ctx, a.network())
	return list, unmended(err)
}

// network is the one that was named; empty: none was.
func (a *asking) network() string {
	if opt := a.o.named("network"); opt != nil {
		return opt.text
	}
	return ""
}

// peersWho lists the peers that qualify; none says that there is none.
func peersWho(none string, qualifies func(*wire.Peer) bool) func(*asking) ([]choice, error) {
	return func(a *asking) ([]choice, error) {
		var peers []wire.Peer
		if err := a.get(wire.PathPeers, &peers); err != nil {
			return nil, err
		}
		var list []choice
		for i := range peers {
			if p := &peers[i]; qualifies(p) {
				list = append(list, choice{p.Name, p.Address.String() + " in " + p.CIDR + ", " + string(p.State)})
			}
		}
		return someOf(list, none)
	}
}

// whichPeer asks for a peer that qualifies.
func whichPeer(none string, qualifies func(*wire.Peer) bool) question {
	return question{text: "Which peer", list: peersWho(none, qualifies)}
}

func notCoordinator(p *wire.Peer) bool { return p.Role != wire.RoleCoordinator }

// cidrsWho lists the CIDRs that qualify; none says that there is none.
func cidrsWho(none string, qualifies func(*wire.CIDR) bool) func(*asking) ([]choice, error) {
	return func(a *asking) ([]choice, error) {
		cidrs, err := a.cidrs()
		if err != nil {
			return nil, err
		}
		var list []choice
		for i := range cidrs {
			if c := &cidrs[i]; qualifies(c) {
				list = append(list, choice{c.Name, strings.TrimSpace(c.Prefix.String() + " " + mark(c.Isolated, "isolated"))})
			}
		}
		return someOf(list, none)
	}
}

func isNotInfra(c *wire.CIDR) bool { return c.Name != network.InfraName }

// isOrdinary tells whether the CIDR is neither the root nor infra.
func isOrdinary(c *wire.CIDR) bool { return isNotInfra(c) && c.Parent != "" }

// newPeerName asks for a name that no peer has.
func newPeerName(text string) question {
	return newName(text, "peer", peersWho("", func(*wire.Peer) bool { return true }))
}

// newCIDRName asks for a name that no CIDR has.
func newCIDRName(text string) question {
	return newName(text, "CIDR", cidrsWho("", func(*wire.CIDR) bool { return true }))
}

// newName asks for a name that is not in a list, if that can be had at all.
func newName(text, thing string, list func(*asking) ([]choice, error)) question {
	return question{
		text:  text,
		needs: func(a *asking) error { _, err := list(a); return err },
		check: func(a *asking, name string) error { return isNew(a, name, thing, list) },
	}
}

func isNew(a *asking, name, thing string, list func(*asking) ([]choice, error)) error {
	if err := network.CheckName(name); err != nil {
		return err
	}
	taken, err := list(a)
	if err != nil {
		return err
	}
	for _, c := range taken {
		if c.name == name {
			return fmt.Errorf("there is a %s %s already: %s", thing, name, c.about)
		}
	}
	return nil
}

package core

import (
	"fmt"
	"sort"
)

// The topics of problems; those of hosts and members have a name or an address
// behind them.
const (
	topicCoordinator = "coordinator" // it is not reached
	topicRefused     = "refused"     // it is reached, and refuses
	topicMap         = "map"         // it sends what cannot be right
	topicReport      = "report"      // it does not take our candidates
	topicAnnounced   = "announced"   // it does not take what we announce
	topicMember      = "member "
	topicPin         = "pin " // the coordinator presents another key
	topicPins        = "pins" // there are as many as may be
	topicResolve     = "resolve "
	topicTunnel      = "tunnel"
	topicTunnelRead  = "tunnel state"
	topicLink        = "link"
	topicLinkRead    = "link state"
	topicUnderlay    = "underlay"
	topicNames       = "names"
)

// say begins or continues the problem called topic. It is told when it begins;
// while it lasts only the text that Problems shows is renewed.
func (c *Core) say(topic, format string, args ...any) {
	_, lasts := c.problems[topic]
	text := fmt.Sprintf(format, args...)
	c.problems[topic] = text
	if !lasts {
		c.do(Say{Topic: topic, Text: text})
	}
}

// over ends the problem called topic, if there is one.
func (c *Core) over(topic string) {
	if _, lasts := c.problems[topic]; lasts {
		delete(c.problems, topic)
		c.do(Say{Topic: topic})
	}
}

// Problems returns the present problems, sorted by topic. The slice is the
// caller's.
func (c *Core) Problems() []Say {
	ps := make([]Say, 0, len(c.problems))
	for topic, text := range c.problems {
		ps = append(ps, Say{Topic: topic, Text: text})
	}
	sort.Slice(ps, func(i, j int) bool { return ps[i].Topic < ps[j].Topic })
	return ps
}

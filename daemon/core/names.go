package core

import (
	"slices"
	"sort"
	"time"

	"ginnel/platform"
	"ginnel/wire"
)

// names is the network's hosts block.
type names struct {
	dirty bool // the map's names may have changed
	set   bool // it was asked for since the start
	sent  []platform.HostEntry
	busy  bool      // sent is being written
	due   time.Time // of a repetition after a failure; zero: none
	asked time.Time // when sent was
	retry backoff
}

func (n *names) deadline() time.Time { return n.due }

// stale tells whether it is time to write the names again, in case others have
// edited the file: one that says the same is not touched.
func (n *names) stale(now time.Time) bool {
	return n.set && !n.busy && !now.Before(n.asked.Add(lookAll/2))
}

// syncNames asks for the hosts block where it changed, once in any case: what
// a former run left there may be anything. While nothing is known, nothing is
// replaced by nothing.
func (c *Core) syncNames() {
	n := &c.names
	again := due(n.due, c.now) || due(c.look.allDue, c.now) && n.stale(c.now)
	if !c.cfg.Names || !n.dirty && !again {
		return
	}
	n.dirty, n.due = false, time.Time{}
	entries := c.hostEntries()
	if n.set && !again && slices.EqualFunc(entries, n.sent, sameEntry) {
		return
	}
	n.set, n.sent, n.busy, n.asked = true, entries, true, c.now
	c.do(SetNames{Entries: entries})
}

func sameEntry(a, b platform.HostEntry) bool {
	return a.Address == b.Address && slices.Equal(a.Names, b.Names)
}

// hostEntries lists us and the members that have names, sorted by address.
func (c *Core) hostEntries() []platform.HostEntry {
	entries := make([]platform.HostEntry, 0, 1+len(c.world.Members))
	end := "." + c.cfg.Network
	if c.cfg.Suffix != "" {
		end += "." + c.cfg.Suffix
	}
	add := func(m *wire.Member) {
		if m.Name != "" && m.Role != wire.RoleInvitee {
			entries = append(entries, platform.HostEntry{Address: m.Address, Names: []string{m.Name + end}})
		}
	}
	add(&c.world.Self)
	for i := range c.world.Members {
		add(&c.world.Members[i])
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Address.Less(entries[j].Address) })
	return entries
}

func (c *Core) namesApplied(a SetNames, err error) {
	if slices.EqualFunc(a.Entries, c.names.sent, sameEntry) {
		c.names.busy = false
	}
	if err == nil {
		c.names.retry.ok()
		c.over(topicNames)
		return
	}
	c.say(topicNames, "cannot write the names of the network's peers: %v", err)
	c.names.due = c.now.Add(c.names.retry.fail())
}

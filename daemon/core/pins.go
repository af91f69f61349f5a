package core

import (
	"net/netip"
	"slices"
	"sort"

	"ginnel/key"
	"ginnel/wire"
)

// Pin is an overlay address and the public key that was accepted for it.
type Pin struct {
	Address   netip.Addr
	PublicKey key.PublicKey
}

// PinStatus is what is known of one pin, for people.
type PinStatus struct {
	Pin
	Name      string        // of who has the address, by our map or else by the coordinator's; empty: not known
	InMap     bool          // a member of our map has the address
	Presented key.PublicKey // the other key that the coordinator presents for it; zero: none
}

// pins are the keys that were accepted, and what the coordinator says against
// them. The coordinator's own key is not among them: the invitation told it.
type pins struct {
	kept []Pin // sorted by address, each once; replaced, never modified: what is being saved points to it
	// refused are the members that the coordinator presents with another key
	// than the pinned one, by their addresses.
	refused map[netip.Addr]wire.Member
	// recheck: the coordinator is to present everybody once more, since
	// somebody that was refused may be taken now.
	recheck bool
}

// find returns where a's pin is, or would be.
func (p *pins) find(a netip.Addr) (int, bool) {
	return sort.Find(len(p.kept), func(i int) int { return a.Compare(p.kept[i].Address) })
}

// refusesAt tells whether the coordinator presents another key for a.
func (p *pins) refusesAt(a netip.Addr) bool {
	_, ok := p.refused[a]
	return ok
}

// comparePins finds the members of u whose address is pinned with another key.
// Where u speaks of an address in another way, it is at peace with its pin.
func (c *Core) comparePins(u *wire.Update) {
	was := c.pins.refused
	c.pins.refused = map[netip.Addr]wire.Member{}
	for i := range u.Members {
		m := &u.Members[i]
		if at, ok := c.pins.find(m.Address); ok && c.pins.kept[at].PublicKey != m.PublicKey {
			c.pins.refused[m.Address] = *m
			c.sayPinned(&c.pins.kept[at], m)
		}
	}
	for a, m := range was {
		if !within(u.Ranges, a) {
			c.pins.refused[a] = m
		}
	}
	for _, a := range sortedKeys(was) {
		if !c.pins.refusesAt(a) {
			c.over(topicPin + a.String())
		}
	}
}

func (c *Core) sayPinned(pin *Pin, m *wire.Member) {
	const short = "%.12s..." // 72 bits: nobody finds another key that begins like this
	c.say(topicPin+m.Address.String(),
		"%s is pinned to key "+short+", and the coordinator presents "+short+" for it (%s), which is not taken: if the change is expected, accept it with `ginnel pin forget %[1]s`",
		pin.Address, pin.PublicKey, m.PublicKey, m.Name)
}

// withoutRenamed takes out of members those that stay because of their pins
// and whose name another one has by now: the book says that they are gone.
// Names in a map are unique.
func (c *Core) withoutRenamed(members []wire.Member) []wire.Member {
	if len(c.pins.refused) == 0 {
		return members
	}
	holders := map[string]int{c.world.Self.Name: 1}
	for i := range members {
		holders[members[i].Name]++
	}
	return slices.DeleteFunc(members, func(m wire.Member) bool {
		return c.pins.refusesAt(m.Address) && holders[m.Name] > 1
	})
}

// pinMembers pins those members of u that were taken and are not pinned yet,
// and tells whether there were any. On the coordinator's machine the book is
// the authority, and in the same process: there is nobody to be wary of, and
// an invitee's key changes when it redeems.
func (c *Core) pinMembers(u *wire.Update) bool {
	if c.onCoordinator() {
		return false
	}
	var news []Pin
	for i := range u.Members {
		m := &u.Members[i]
		if _, pinned := c.pins.find(m.Address); !pinned && m.Address != c.cfg.Coordinator.Address && !c.leftOut[m.Address] {
			news = append(news, Pin{m.Address, m.PublicKey})
		}
	}
	if len(news) == 0 {
		return false
	}
	c.pins.kept = append(news, c.pins.kept...)
	sort.Slice(c.pins.kept, func(i, j int) bool { return c.pins.kept[i].Address.Less(c.pins.kept[j].Address) })
	return true
}

// maxPins is how many pins are kept: twice what the largest network needs, so
// that a coordinator that makes up members fills neither memory nor the disk.
const maxPins = 20_000

// leaveOutUnpinnable leaves out those members of u who are new when there are as
// many pins as may be: nobody is taken without one.
func (c *Core) leaveOutUnpinnable(u *wire.Update) {
	if c.onCoordinator() {
		return
	}
	room, first := maxPins-len(c.pins.kept), (*wire.Member)(nil)
	for i := range u.Members {
		m := &u.Members[i]
		if _, pinned := c.pins.find(m.Address); pinned || m.Address == c.cfg.Coordinator.Address || c.leftOut[m.Address] {
			continue
		}
		if room--; room >= 0 {
			continue
		}
		c.leftOut[m.Address] = true
		if first == nil {
			first = m
		}
	}
	if first == nil {
		c.over(topicPins)
		return
	}
	c.say(topicPins, "the keys of %d peers are pinned, which is the most: %s (%s) and %d more are new and left out until `ginnel pin forget` makes room",
		len(c.pins.kept), first.Address, first.Name, -room-1)
}

// forget removes a pin, or has it be of the key that people were shown and
// accepted: the coordinator must not present them one and us another. It asks
// the coordinator for everybody, at once: its answer decides whom the address
// belongs to. Until then our map stays.
func (c *Core) forget(ev Forget) {
	a := ev.Address
	at, ok := c.pins.find(a)
	if !ok {
		return
	}
	c.pins.kept = slices.Clone(c.pins.kept)
	if ev.Key.IsZero() {
		c.pins.kept = append(c.pins.kept[:at], c.pins.kept[at+1:]...)
	} else {
		c.pins.kept[at].PublicKey = ev.Key
	}
	delete(c.pins.refused, a)
	c.over(topicPin + a.String())
	c.pins.recheck = true
	c.contact.news = true // the answer under way may be a delta that lacks it
	c.contact.due = c.now
	c.do(c.Snapshot())
}

// incomplete tells whether members that the coordinator presented are missing
// in our map. No delta to come has them.
func (c *Core) incomplete() bool {
	return len(c.leftOut) > 0 || len(c.pins.refused) > 0 || c.pins.recheck
}

// Snapshot is what the next start should know, as of the last Step. A map in
// which somebody is missing is kept as one without a position, so that the next
// start asks for all of it. Nothing of the result changes afterwards.
func (c *Core) Snapshot() Save {
	s := Save{Pins: c.pins.kept}
	if c.world.Position == (wire.Position{}) {
		return s
	}
	m := c.world
	m.Members = slices.Clone(m.Members)
	if c.incomplete() {
		m.Position = wire.Position{}
	}
	s.Map = &m
	return s
}

// AppendPins appends all pins, the coordinator's among them, sorted by address.
// On the coordinator's machine there are none.
func (c *Core) AppendPins(dst []PinStatus) []PinStatus {
	if c.onCoordinator() {
		return dst
	}
	first := len(dst)
	dst = append(dst, c.pinStatus(Pin{c.cfg.Coordinator.Address, c.cfg.Coordinator.PublicKey}))
	for _, pin := range c.pins.kept {
		dst = append(dst, c.pinStatus(pin))
	}
	list := dst[first:]
	sort.Slice(list, func(i, j int) bool { return list[i].Address.Less(list[j].Address) })
	return dst
}

func (c *Core) pinStatus(pin Pin) PinStatus {
	m := c.pins.refused[pin.Address]
	s := PinStatus{Pin: pin, Name: m.Name, Presented: m.PublicKey}
	if p := c.addrs[pin.Address]; p != nil && p.member.Name != "" {
		s.Name, s.InMap = p.member.Name, true
	}
	return s
}

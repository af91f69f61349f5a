package scenarios_test

import "testing"

// TestBehaviour23And25To27Ancestors: machines of one CIDR see each other and the
// coordinator; an association of a CIDR is its descendants', with the others and,
// where it is associated with itself, among each other.
func TestBehaviour23And25To27Ancestors(t *testing.T) {
	families(t, func(t *testing.T, l *lab) {
		o := l.office("shop", "depot")
		c, shop, depot := o.coordinator, o.peers[0], o.peers[1]
		c.ginnel("cidr", "add", "staff", pick(l.family, "10.42.2.0/23", "fd42:0:0:2::/63"))
		c.ginnel("cidr", "add", "day", l.home.cidr(2))
		c.ginnel("cidr", "add", "night", l.home.cidr(3))
		anna := l.join(c, l.Host("anna", o.internet), "day")
		bob := l.join(c, l.Host("bob", o.internet), "night")
		l.allReach(c, shop, depot)
		l.allReach(c, anna)
		l.allReach(c, bob)
		strangers(anna, shop)
		strangers(anna, bob)

		c.ginnel("association", "add", "staff", "machines")
		l.allReach(shop, anna)
		l.allReach(depot, bob)
		strangers(anna, bob)
		c.ginnel("association", "add", "staff", "staff")
		l.allReach(anna, bob)

		for _, pair := range [][2]string{{"machines", "staff"}, {"staff", "machines"}} {
			c.refused("associated already", "association", "add", pair[0], pair[1])
		}
		c.refused("no CIDR is called", "association", "add", "staff", "nobody")
		c.refused("no CIDR is called", "association", "remove", "nobody", "staff", "--yes")
		c.refused("not associated", "association", "remove", "day", "night", "--yes")
		c.refused("sees everyone already", "association", "add", "infra", "staff")

		c.ginnel("association", "remove", "machines", "staff", "--yes")
		for _, m := range []*machine{anna, bob} {
			m.forgets("shop", patience)
			shop.forgets(m.Name(), patience)
			strangers(m, shop)
		}
		l.allReach(c, anna, bob)
		l.allReach(c, shop, depot)
	})
}

// strangers fails unless two machines neither know nor reach each other.
func strangers(a, b *machine) {
	a.lab.t.Helper()
	a.forgets(b.Name(), 0)
	b.forgets(a.Name(), 0)
	a.unreachable(b.overlay().String())
	b.unreachable(a.overlay().String())
}

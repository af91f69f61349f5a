package api

import (
	"time"

	"ginnel/network"
	"ginnel/wire"
	"ginnel/wire/http1"
)

func (s *server) listCIDRs(*call) (*http1.Response, error) {
	book := s.admins.Book()
	count := members(book)
	list := make([]wire.CIDR, len(book.CIDRs()))
	for i := range list {
		list[i] = describe(book, &book.CIDRs()[i], count)
	}
	return http1.JSON(wire.StatusOK, list), nil
}

// members counts the peers that belong to each CIDR directly, by its name.
func members(book *network.Book) map[string]int {
	count := map[string]int{}
	for _, p := range book.Peers() {
		count[book.CIDROf(p.Address).Name]++
	}
	return count
}

func describe(book *network.Book, c *network.CIDR, count map[string]int) wire.CIDR {
	d := wire.CIDR{Name: c.Name, Prefix: c.Prefix, Isolated: c.Isolated, Peers: count[c.Name]}
	if parent := book.Parent(c); parent != nil {
		d.Parent = parent.Name
	}
	return d
}

func (s *server) addCIDR(c *call) (*http1.Response, error) {
	preview, err := c.flag("preview")
	if err != nil {
		return nil, err
	}
	var request wire.CIDR
	if err := wire.Decode(c.Body, &request); err != nil {
		return nil, err
	}
	cmd := network.AddCIDR{Name: request.Name, Prefix: request.Prefix, Isolated: request.Isolated}
	before := s.admins.Book()
	gained, lost, err := before.Preview(cmd)
	if err != nil {
		return nil, err
	}
	status, after := wire.StatusCreated, (*network.Book)(nil)
	if preview {
		status = wire.StatusOK
		after, _, err = before.Apply(time.Time{}, cmd) // AddCIDR does not ask for the time
	} else {
		after, err = s.admins.Do(cmd)
	}
	if err != nil {
		return nil, err
	}
	answer, err := cidrAnswer(after, request.Name)
	if err != nil {
		return nil, err
	}
	return http1.JSON(status, wire.CIDRChange{CIDR: answer, Gained: pairs(gained), Lost: pairs(lost)}), nil
}

func (s *server) renameCIDR(c *call) (*http1.Response, error) {
	var request wire.Rename
	if err := wire.Decode(c.Body, &request); err != nil {
		return nil, err
	}
	book, err := s.admins.Do(network.RenameCIDR{Name: c.names[0], NewName: request.Name})
	if err != nil {
		return nil, err
	}
	answer, err := cidrAnswer(book, request.Name)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusOK, answer), nil
}

func (s *server) removeCIDR(c *call) (*http1.Response, error) {
	return s.remove(network.RemoveCIDR{Name: c.names[0]})
}

func cidrAnswer(book *network.Book, name string) (wire.CIDR, error) {
	c, ok := book.CIDRNamed(name)
	if !ok {
		return wire.CIDR{}, wire.Errorf(wire.StatusNotFound, "there is no CIDR %q", name)
	}
	return describe(book, c, members(book)), nil
}

func pairs(p [][2]string) []wire.NamePair {
	var list []wire.NamePair
	for _, pair := range p {
		list = append(list, wire.NamePair(pair))
	}
	return list
}

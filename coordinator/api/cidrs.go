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
	if preview {
		return s.previewCIDR(cmd)
	}
	book, err := s.admins.Do(cmd)
	if err != nil {
		return nil, err
	}
	made, err := cidrAnswer(book, cmd.Name)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusCreated, wire.CIDRChange{CIDR: made}), nil
}

// previewCIDR answers what cmd would do, and does nothing.
func (s *server) previewCIDR(cmd network.AddCIDR) (*http1.Response, error) {
	book := s.admins.Book()
	change, err := s.preview(cmd)
	if err != nil {
		return nil, err
	}
	after, _, err := book.Apply(time.Time{}, cmd) // AddCIDR does not ask for the time
	if err != nil {
		return nil, err
	}
	made, err := cidrAnswer(after, cmd.Name)
	if err != nil {
		return nil, err
	}
	return http1.JSON(wire.StatusOK, wire.CIDRChange{CIDR: made, SightChange: change}), nil
}

// preview says who would gain and lose sight of whom by cmd.
func (s *server) preview(cmd network.Regrouping) (wire.SightChange, error) {
	gained, lost, err := s.admins.Book().Preview(cmd, wire.MaxPreviewPairs)
	return wire.SightChange{
		GainedCount: gained.Count, LostCount: lost.Count,
		Gained: pairs(gained.Names), Lost: pairs(lost.Names),
	}, err
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

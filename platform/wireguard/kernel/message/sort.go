package message

import (
	"net/netip"

	"ginnel/platform"
)

// byKey and byPrefix are for sort.Sort. As pointers they go into its interface
// without allocating, and unlike slices.SortFunc it is compiled once, not for
// each type.
type (
	byKey    []platform.Peer
	byPrefix []netip.Prefix
)

func (s *byKey) Len() int           { return len(*s) }
func (s *byKey) Less(i, j int) bool { return (*s)[i].PublicKey.Compare((*s)[j].PublicKey) < 0 }
func (s *byKey) Swap(i, j int)      { (*s)[i], (*s)[j] = (*s)[j], (*s)[i] }

func (s *byPrefix) Len() int           { return len(*s) }
func (s *byPrefix) Less(i, j int) bool { return (*s)[i].Compare((*s)[j]) < 0 }
func (s *byPrefix) Swap(i, j int)      { (*s)[i], (*s)[j] = (*s)[j], (*s)[i] }

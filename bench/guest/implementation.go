package main

import (
	"ginnel/bench/table"
	"ginnel/platform"
)

// write is one change of an interface's peers, in nobody's own words.
type write struct {
	link  string
	verb  table.Verb      // not Read
	peers []platform.Peer // as they shall be; Remove looks at their keys only
}

// task is one operation, made ready: what it takes to run it is what it costs.
type task func() error

// implementation is one way to configure WireGuard's interfaces, which exist.
type implementation interface {
	name() string
	// writer makes a write ready to run, any number of times.
	writer(w write) (task, error)
	// reader makes ready a reading of everything that an interface has.
	reader(link string) (task, error)
}

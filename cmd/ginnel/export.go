package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
	"ginnel/platform/uci"
	"ginnel/wire"
)

// exportVersion is raised when something in the document is taken away, or
// means something else; what is added does not raise it.
const exportVersion = 1

// exported is the document that docs/export.md describes.
type exported struct {
	Version  int               `json:"export_version"`
	Time     time.Time         `json:"time"`
	Program  build             `json:"program"`
	Networks []exportedNetwork `json:"networks"`
}

type exportedNetwork struct {
	Name string `json:"name"`
	// Configuration is nil for whom the file is not readable.
	Configuration []exportedOption `json:"configuration,omitempty"`
	Status        local.Network    `json:"status"`
	Book          *exportedBook    `json:"book,omitempty"`
	NoBook        string           `json:"no_book,omitempty"` // why there is none
}

type exportedOption struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// exportedBook is what an admin may see of a network, all at one revision.
type exportedBook struct {
	Network      wire.NetworkInfo   `json:"network"`
	CIDRs        []wire.CIDR        `json:"cidrs"`
	Associations []wire.Association `json:"associations"`
	Peers        []wire.Peer        `json:"peers"`
	Retired      []netip.Addr       `json:"retired"` // addresses of removed peers
}

var exportCommands = []command{{
	name: "export", args: "[NETWORK]", brief: "Print all there is to know of this machine's networks as JSON",
	about: `Of each network this machine's configuration and status, and, where it is an admin, the CIDRs,
associations and peers. There is no private key and no token in it. docs/export.md describes it;
a backup, which a coordinator can be restored from, is what ` + "`ginnel backup`" + ` makes.`,
	setup: func(o *options) action {
		jsonOption(o) // it prints nothing else
		return func(ctx context.Context, e *env, args []string) error { return export(ctx, e, first(args)) }
	},
}}

func export(ctx context.Context, e *env, name string) error {
	list, err := e.networks(ctx)
	if err != nil {
		return err
	}
	if name != "" {
		if list, err = only(list, name); err != nil {
			return err
		}
	}
	doc := exported{Version: exportVersion, Time: time.Now().UTC().Truncate(time.Second), Program: thisBuild(), Networks: []exportedNetwork{}}
	cfg, _ := e.paths.readConfig() // the group ginnel may ask the daemon, and not read the file
	for i := range list {
		n := exportedNetwork{Name: list[i].Name, Status: list[i]}
		if n.Configuration, err = exportOptions(cfg, n.Name); err != nil {
			return err
		}
		if n.Book, err = e.exportBook(ctx, n.Name); err != nil {
			n.NoBook = err.Error()
		}
		doc.Networks = append(doc.Networks, n)
	}
	return e.printJSON(&doc)
}

// exportOptions returns the options of a network's section, but for those that
// have their default.
func exportOptions(cfg *config.Config, name string) ([]exportedOption, error) {
	n, ok := cfg.Network(name)
	if !ok {
		return nil, nil
	}
	n.Invitation = nil // a secret
	text, err := config.Set("export", nil, *n)
	if err != nil {
		return nil, err
	}
	f, err := uci.Parse("export", text)
	if err != nil {
		return nil, err
	}
	var list []exportedOption
	for _, o := range f.Sections()[0].Options {
		list = append(list, exportedOption{o.Name, o.Values})
	}
	return list, nil
}

// exportTries is how often the book is read while somebody changes it.
const exportTries = 5

// exportBook reads the book, again when it has changed in between.
func (e *env) exportBook(ctx context.Context, network string) (*exportedBook, error) {
	for range exportTries {
		var b exportedBook
		var after wire.NetworkInfo
		for _, part := range []struct {
			path string
			into any
		}{
			{wire.PathNetwork, &b.Network}, {wire.PathCIDRs, &b.CIDRs}, {wire.PathAssociations, &b.Associations},
			{wire.PathPeers, &b.Peers}, {wire.PathRetired, &b.Retired}, {wire.PathNetwork, &after},
		} {
			if err := e.coordinator(ctx, network, "GET", part.path, nil, part.into); err != nil {
				return nil, err
			}
		}
		if after.Revision == b.Network.Revision {
			return &b, nil
		}
	}
	return nil, errors.New("the network was changed while it was read, again and again: try once more")
}

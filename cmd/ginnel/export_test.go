package main

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ginnel/daemon/local"
	"ginnel/wire"
)

// TestBehaviour121Export: one document with the whole book, of one revision,
// and without secrets.
func TestBehaviour121Export(t *testing.T) {
	m := newAdmin(t)
	m.run("association", "add", "servers", "phones")
	removed := m.net.Book().Peers()[3].Address
	m.run("peer", "remove", m.net.Book().Peers()[3].Name, "--yes")
	r := m.run("export")
	var doc exported
	d := json.NewDecoder(strings.NewReader(r.out))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil || r.status != exitOK || r.err != "" || len(doc.Networks) != 1 {
		t.Fatalf("%v: %+v", err, r)
	}
	n := doc.Networks[0]
	if doc.Version != 1 || n.Name != "home" || n.Book == nil || n.NoBook != "" || n.Status.Role != "coordinator" {
		t.Fatalf("%s", r.out)
	}
	b := n.Book
	if b.Network.Revision != m.net.Book().Revision() || len(b.CIDRs) != 4 || len(b.Peers) != 5 || len(b.Associations) != 1 || b.Peers[4].State != wire.PeerInvited {
		t.Errorf("the book is %+v", b)
	}
	if !slices.Equal(b.Retired, []netip.Addr{removed}) {
		t.Errorf("retired are %v, want %v", b.Retired, removed)
	}
	options := map[string]string{}
	for _, o := range n.Configuration {
		options[o.Name] = strings.Join(o.Values, " ")
	}
	if options["role"] != "coordinator" || options["listen_port"] != "51820" {
		t.Errorf("the configuration is %v", options)
	}
	for name, k := range m.net.Keys {
		if b := k.Bytes(); strings.Contains(r.out, base64.StdEncoding.EncodeToString(b[:])) {
			t.Errorf("the private key of %s is told", name)
		}
	}
	m.refuses(exitFailed, []string{"there is no network work"}, "export", "work")
}

// TestBehaviour121ExportAnywhere: who may not see the book, or has no daemon,
// gets what there is.
func TestBehaviour121ExportAnywhere(t *testing.T) {
	m := peerOf(t)
	export := func() exportedNetwork {
		t.Helper()
		r := m.run("export", "home", "--json")
		var doc exported
		if err := json.Unmarshal([]byte(r.out), &doc); err != nil || r.status != exitOK || len(doc.Networks) != 1 {
			t.Fatalf("%v: %+v", err, r)
		}
		return doc.Networks[0]
	}
	if n := export(); n.Book != nil || !strings.Contains(n.NoBook, "the daemon is not running") || len(n.Configuration) == 0 || n.Status.State != "unknown" {
		t.Errorf("without a daemon: %+v", n)
	}
	m.startDaemon()
	m.status.Networks = []local.Network{{Name: "home", State: local.Up, Role: "peer", Peers: []local.Peer{}}}
	if n := export(); n.Book != nil || !strings.Contains(n.NoBook, "there is no network home up") || n.Status.State != local.Up {
		t.Errorf("without a book: %+v", n)
	}
}

// TestExportDocumented: docs/export.md names every member of the document that
// is not of another document.
func TestExportDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/export.md")
	must(t, err)
	out := newAdmin(t).run("export").out
	_, book, _ := strings.Cut(out, `"book"`)
	members := append(regexp.MustCompile(`(?m)^ {0,6}"([a-z_]+)":`).FindAllStringSubmatch(out, -1), // those above the status's
		regexp.MustCompile(`"([a-z_]+)":`).FindAllStringSubmatch(book, -1)...)
	for _, m := range members {
		if !strings.Contains(string(text), "`"+m[1]+"`") {
			t.Errorf("member %s is not described", m[1])
		}
	}
	if len(members) < 30 {
		t.Errorf("only %d members were found in\n%s", len(members), out)
	}
}

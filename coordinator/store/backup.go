package store

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"ginnel/key"
	"ginnel/network"
	"ginnel/wire/json"
)

// Backup is all that makes a machine the coordinator of a network: with it
// another machine can take its place, and the peers notice nothing. It has the
// private key.
type Backup struct {
	Book       *network.Book
	PrivateKey key.PrivateKey // the coordinator's
	APIPort    uint16         // of its API, which is in every peer's state; never 0
	Config     string         // the network's section of the configuration, in UCI syntax
}

// ErrNoBackup is wrapped by DecodeBackup's error when a text is none, or not
// all of one.
var ErrNoBackup = errors.New("not a sound backup of ginnel's")

// A backup is a line with backupMark, its version and the SHA-256 of what
// follows: a document, as JSON. It is the same on every kind of machine.
const (
	backupMark    = "ginnel-backup"
	backupVersion = 2 // 1 had no endpoints
)

type (
	document struct {
		Network      string            `json:"network"`
		Revision     uint64            `json:"revision"`
		Coordinator  netip.Addr        `json:"coordinator"`
		PrivateKey   string            `json:"private_key"` // base64
		APIPort      uint16            `json:"api_port"`
		Config       string            `json:"config"`
		Endpoints    []string          `json:"endpoints"`
		CIDRs        []documentCIDR    `json:"cidrs"`
		Peers        []documentPeer    `json:"peers"`
		Associations [][2]netip.Prefix `json:"associations"`
		Retired      []netip.Addr      `json:"retired"`
	}
	documentCIDR struct {
		Prefix netip.Prefix `json:"prefix"`
		cidrRecord
	}
	documentPeer struct {
		Address netip.Addr `json:"address"`
		peerRecord
	}
)

// Encode returns the backup as a text, which is a secret.
func (b *Backup) Encode() ([]byte, error) {
	s, private := b.Book.Snapshot(), b.PrivateKey.Bytes()
	d := document{
		Network: s.Name, Revision: s.Revision, Coordinator: s.Coordinator,
		PrivateKey: base64.StdEncoding.EncodeToString(private[:]), APIPort: b.APIPort, Config: b.Config,
		CIDRs: []documentCIDR{}, Peers: []documentPeer{}, Associations: [][2]netip.Prefix{}, Retired: append([]netip.Addr{}, s.Retired...),
		Endpoints: append([]string{}, s.Endpoints...),
	}
	for _, c := range s.CIDRs {
		d.CIDRs = append(d.CIDRs, documentCIDR{c.Prefix, cidrRecord{Name: c.Name, Isolated: c.Isolated}})
	}
	for i := range s.Peers {
		d.Peers = append(d.Peers, documentPeer{s.Peers[i].Address, peerValue(&s.Peers[i])})
	}
	for _, a := range s.Associations {
		d.Associations = append(d.Associations, [2]netip.Prefix{a.A, a.B})
	}
	compact, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode a backup: %w", err)
	}
	return seal(append(json.Indent(compact), '\n')), nil
}

// seal puts the line before a document.
func seal(text []byte) []byte {
	return append(fmt.Appendf(nil, "%s %d %x\n", backupMark, backupVersion, key.SHA256(text)), text...)
}

// DecodeBackup reads what Encode returned. Errors wrap ErrNoBackup or ErrNewer.
func DecodeBackup(text []byte) (*Backup, error) {
	head, text, _ := bytes.Cut(text, []byte("\n"))
	words := strings.Fields(string(head))
	if len(words) != 3 || words[0] != backupMark {
		return nil, ErrNoBackup
	}
	version, err := strconv.Atoi(words[1])
	if err != nil {
		return nil, ErrNoBackup
	}
	if version > backupVersion {
		return nil, fmt.Errorf("the backup was %w", ErrNewer)
	}
	if words[2] != fmt.Sprintf("%x", key.SHA256(text)) {
		return nil, fmt.Errorf("%w: it was changed, or is cut short", ErrNoBackup)
	}
	var d document
	if err := json.UnmarshalStrict(text, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBackup, err)
	}
	return d.backup()
}

// backup checks what the document says.
func (d *document) backup() (*Backup, error) {
	b := &Backup{APIPort: d.APIPort, Config: d.Config}
	private, err := base64.StdEncoding.DecodeString(d.PrivateKey)
	if err != nil || len(private) != key.Size || d.APIPort == 0 {
		return nil, fmt.Errorf("%w: its private key or API port is none", ErrNoBackup)
	}
	b.PrivateKey = key.NewPrivate([key.Size]byte(private))
	if b.Book, err = network.Load(d.snapshot()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBackup, err)
	}
	if b.Book.Coordinator().Key != b.PrivateKey.Public() {
		return nil, fmt.Errorf("%w: its private key is not the coordinator's", ErrNoBackup)
	}
	return b, nil
}

func (d *document) snapshot() network.Snapshot {
	s := network.Snapshot{Name: d.Network, Revision: d.Revision, Coordinator: d.Coordinator}
	for _, c := range d.CIDRs {
		s.CIDRs = append(s.CIDRs, network.CIDR{Name: c.Name, Prefix: c.Prefix, Isolated: c.Isolated})
	}
	for i := range d.Peers {
		s.Peers = append(s.Peers, d.Peers[i].peer(d.Peers[i].Address))
	}
	for _, a := range d.Associations {
		s.Associations = append(s.Associations, network.Association{A: a[0], B: a[1]})
	}
	s.Retired = append(s.Retired, d.Retired...)
	s.Endpoints = append(s.Endpoints, d.Endpoints...)
	return s
}

// restoredBy is by how much a restored book is ahead of its backup: more than
// all commands that can have been accepted after it.
const restoredBy = 1 << 20

// Restore makes the file at path as Create does, from the book of a backup. Its
// revision is raised by about a million: peers that have seen what came after
// the backup must not take the new revisions for those that they know. The
// endpoints, if there are any, take the place of the backup's.
func Restore(path string, book *network.Book, endpoints ...string) error {
	s := book.Snapshot()
	s.Revision += restoredBy
	if len(endpoints) > 0 {
		s.Endpoints = endpoints
	}
	raised, err := network.Load(s)
	if err != nil {
		return fmt.Errorf("restore book %s: %w", path, err)
	}
	return Create(path, raised, network.Change{})
}

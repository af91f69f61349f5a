package store

import (
	"bytes"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ginnel/coordinator/commandtest"
	"ginnel/key"
	"ginnel/network"
)

var update = flag.Bool("update", false, "write the golden backup anew")

// golden is a backup that every kind of machine must make and read.
const golden = "testdata/home.backup"

// grown applies n random commands to a new network's book.
func grown(t testing.TB, src *commandtest.Source, root string, n int) *Backup {
	t.Helper()
	private := src.PrivateKey()
	book, _, err := network.New("home", prefix(root), "hub", private.Public())
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if next, _, err := book.Apply(now, src.Next(book, now)); err == nil {
			book = next
		}
	}
	return &Backup{Book: book, PrivateKey: private, APIPort: 51820, Config: "config network 'home'\n\toption role 'coordinator'\n"}
}

// goldenBackup has every kind of record.
func goldenBackup(t testing.TB) *Backup {
	t.Helper()
	private := func(b byte) key.PrivateKey { return key.NewPrivate([key.Size]byte{1: b}) }
	book, _, err := network.New("home", prefix("10.42.0.0/16"), "hub", private(1).Public())
	if err != nil {
		t.Fatal(err)
	}
	then := time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	addr := netip.MustParseAddr
	for _, cmd := range []network.Command{
		network.AddCIDR{Name: "servers", Prefix: prefix("10.42.1.0/24")},
		network.AddCIDR{Name: "guests", Prefix: prefix("10.42.2.0/24"), Isolated: true},
		network.Associate{A: "servers", B: "guests"},
		network.Invite{Name: "ann", CIDR: "servers", Admin: true, Key: private(2).Public(), Expires: then.Add(time.Hour)},
		network.Redeem{Address: addr("10.42.1.1"), Invited: private(2).Public(), Key: private(3).Public()},
		network.SetDisabled{Name: "ann", Disabled: true},
		network.Invite{Name: "bob", CIDR: "servers", Key: private(4).Public(), Expires: then.Add(time.Hour)},
		network.Redeem{Address: addr("10.42.1.2"), Invited: private(4).Public(), Key: private(5).Public()},
		network.RemovePeer{Name: "bob"},
		network.Invite{Name: "eve", CIDR: "guests", Key: private(6).Public(), Expires: then.Add(time.Hour)},
		network.SetEndpoints{Endpoints: []string{"vpn.example.net:51820", "[2001:db8::1]:51820"}},
	} {
		if book, _, err = book.Apply(then, cmd); err != nil {
			t.Fatalf("%+v: %v", cmd, err)
		}
	}
	return &Backup{Book: book, PrivateKey: private(1), APIPort: 51820, Config: "config network 'home'\n\toption role 'coordinator'\n"}
}

func encode(t testing.TB, b *Backup) []byte {
	t.Helper()
	text, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func sameBackup(t testing.TB, got, want *Backup) {
	t.Helper()
	sameBook(t, got.Book, want.Book)
	if !got.PrivateKey.Equal(want.PrivateKey) || got.APIPort != want.APIPort || got.Config != want.Config {
		t.Error("the private key, the API port or the configuration has changed")
	}
}

func TestBackupOfAnyBook(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for i := range uint64(20) {
		src := commandtest.New(seed + i)
		root := "10.0.0.0/8"
		if i%2 == 1 {
			root = "fd42:1234::/48"
		}
		b := grown(t, src, root, 200)
		got, err := DecodeBackup(encode(t, b))
		if err != nil {
			t.Fatalf("seed %d: %v", seed+i, err)
		}
		sameBackup(t, got, b)
	}
}

// TestBackupOfEveryMachine: what a machine of one byte order makes, through its
// own database, is what another one reads, and the other way round. `make mips`
// runs it on a big-endian one.
func TestBackupOfEveryMachine(t *testing.T) {
	want := goldenBackup(t)
	path := filepath.Join(t.TempDir(), "home.book")
	if err := Create(path, want.Book, network.Change{}); err != nil {
		t.Fatal(err)
	}
	book, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	made := encode(t, &Backup{Book: book, PrivateKey: want.PrivateKey, APIPort: want.APIPort, Config: want.Config})
	if *update {
		if err := os.WriteFile(golden, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, text) {
		t.Errorf("this machine makes\n%s\nothers make\n%s", made, text)
	}
	read, err := DecodeBackup(text)
	if err != nil {
		t.Fatal(err)
	}
	sameBackup(t, read, want)
	restored := filepath.Join(t.TempDir(), "home.book")
	if err := Restore(restored, read.Book); err != nil {
		t.Fatal(err)
	}
	_, opened, tail := mustOpen(t, restored)
	if r := opened.Revision(); r < want.Book.Revision()+1_000_000 || len(tail) != 0 {
		t.Errorf("restored at revision %d with a tail of %d changes, the backup is of %d", r, len(tail), want.Book.Revision())
	}
	s := opened.Snapshot()
	s.Revision = want.Book.Revision()
	opened, err = network.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	sameBook(t, opened, want.Book)
	if err := Restore(restored, read.Book); !errors.Is(err, os.ErrExist) {
		t.Errorf("restoring over a book: error %v", err)
	}
}

// TestBackupOfBefore: a backup that was made before books had endpoints.
func TestBackupOfBefore(t *testing.T) {
	text, err := os.ReadFile("testdata/version1.backup")
	if err != nil {
		t.Fatal(err)
	}
	b, err := DecodeBackup(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Book.Endpoints()) > 0 || b.Book.Revision() != 11 || len(b.Book.Peers()) != len(goldenBackup(t).Book.Peers()) {
		t.Errorf("it has %+v", b.Book.Snapshot())
	}
}

// TestBehaviour71RestoredElsewhere: the endpoints of the machine that a backup
// is restored on take the place of those in it.
func TestBehaviour71RestoredElsewhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home.book")
	if err := Restore(path, goldenBackup(t).Book, "new.example.net:51820"); err != nil {
		t.Fatal(err)
	}
	_, book, _ := mustOpen(t, path)
	if e := book.Endpoints(); len(e) != 1 || e[0] != "new.example.net:51820" {
		t.Errorf("the restored book has %v", e)
	}
}

// TestReadBesideTheWriter: a book that is open is read as it was last committed.
func TestReadBesideTheWriter(t *testing.T) {
	src := commandtest.New(1)
	path, book := create(t, src, t.TempDir(), "10.0.0.0/8")
	s, _, _ := mustOpen(t, path)
	for i := range 50 {
		next, change, err := book.Apply(now, src.Next(book, now))
		if err != nil || change.Revision == 0 {
			continue
		}
		if err := s.Commit(change); err != nil {
			t.Fatal(err)
		}
		book = next
		read, err := Read(path)
		if err != nil {
			t.Fatalf("after %d commands: %v", i, err)
		}
		sameBook(t, read, book)
	}
}

func TestDecodeBackupRefuses(t *testing.T) {
	b := goldenBackup(t)
	sound := string(encode(t, b))
	other := *b
	other.PrivateKey = key.NewPrivate([key.Size]byte{1: 99})
	noPort := *b
	noPort.APIPort = 0
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"nothing":            {"", ErrNoBackup},
		"something else":     {"config network 'home'\n", ErrNoBackup},
		"cut short":          {sound[:len(sound)-1], ErrNoBackup},
		"the first line":     {strings.SplitAfter(sound, "\n")[0], ErrNoBackup},
		"changed":            {strings.Replace(sound, "servers", "serverz", 1), ErrNoBackup},
		"lines ends changed": {strings.ReplaceAll(sound, "\n", "\r\n"), ErrNoBackup},
		"newer":              {strings.Replace(sound, backupMark+" 2", backupMark+" 3", 1), ErrNewer},
		"another key":        {string(encode(t, &other)), ErrNoBackup},
		"no port":            {string(encode(t, &noPort)), ErrNoBackup},
	} {
		if _, err := DecodeBackup([]byte(test.text)); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		} else if strings.Contains(err.Error(), "private_key\"") {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

func FuzzDecodeBackup(f *testing.F) {
	_, document, _ := bytes.Cut(encode(f, goldenBackup(f)), []byte("\n"))
	f.Add(document)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, document []byte) {
		b, err := DecodeBackup(seal(document))
		if err != nil {
			return
		}
		again, err := DecodeBackup(encode(t, b))
		if err != nil {
			t.Fatal(err)
		}
		sameBackup(t, again, b)
	})
}

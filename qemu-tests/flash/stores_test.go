package flash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"ginnel/coordinator/store"
	"ginnel/daemon/core"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/network"
	"ginnel/wire"
)

// commands is how many a store is given.
const commands = 150

// runStores makes a book and a state, changes them often, and finds the same in
// them after the file system was unmounted. It also finds whether the file
// system is the kind that it is tested as.
func runStores(k kind, _ []string) error {
	if err := k.begin(); err != nil {
		return err
	}
	if err := checkRefuses(k); err != nil {
		return err
	}
	bookPath, statePath := mountPoint+"/home.book", state.Path(mountPoint, networkName)
	book, err := fillBook(bookPath)
	if err != nil {
		return fmt.Errorf("book: %w", err)
	}
	if err := fillState(statePath); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if k.name != "tmpfs" { // which ends there
		if err := errors.Join(k.unmount(), k.mount(mountPoint)); err != nil {
			return err
		}
	}
	if err := checkBook(bookPath, book); err != nil {
		return err
	}
	if err := checkState(statePath); err != nil {
		return err
	}
	return k.unmount()
}

// checkRefuses maps a file shared through a writable descriptor.
func checkRefuses(k kind) error {
	f, err := os.Create(mountPoint + "/map")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, 4096)); err != nil {
		return err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	if err == nil {
		err = unix.Munmap(b)
	}
	if refused := errors.Is(err, unix.EINVAL); refused != k.refuses {
		return fmt.Errorf("%s: mapping a writable descriptor gave %w, expected it to be refused: %v", k.name, err, k.refuses)
	}
	return nil
}

func fillBook(path string) (*network.Book, error) {
	book := newBook()
	if err := store.Create(path, book, network.Change{}); err != nil {
		return nil, err
	}
	s, book, _, err := store.Open(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r := rand.New(rand.NewPCG(1, 1))
	for range commands {
		_, next, change := step(r, book)
		if err := s.Commit(change); err != nil {
			return nil, fmt.Errorf("revision %d: %w", change.Revision, err)
		}
		book = next
	}
	return book, s.Close()
}

func checkBook(path string, want *network.Book) error {
	s, book, tail, err := store.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	if !slices.Equal(facts(book), facts(want)) {
		return fmt.Errorf("the book has become\n%s\nwant\n%s", strings.Join(facts(book), "\n"), strings.Join(facts(want), "\n"))
	}
	if last := tail[len(tail)-1].Revision; len(tail) != commands || last != want.Revision() {
		return fmt.Errorf("the tail has %d changes up to %d, want %d up to %d", len(tail), last, commands, want.Revision())
	}
	return nil
}

// saveOf is a map with n members, and their pins.
func saveOf(n int) core.Save {
	k := core.Save{Map: mapOf(n)}
	for _, m := range k.Map.Members {
		k.Pins = append(k.Pins, core.Pin{Address: m.Address, PublicKey: m.PublicKey})
	}
	return k
}

// mapOf is a map with n members.
func mapOf(n int) *core.Map {
	m := &core.Map{Self: wire.Member{Address: root.Addr().Next(), Name: "self", CIDR: networkName, PublicKey: standIn(1)}}
	for i := range n {
		a := netip.AddrFrom4([4]byte{10, 42, 1, byte(i)})
		m.Members = append(m.Members, wire.Member{Address: a, Name: fmt.Sprintf("p%d", i), CIDR: networkName, PublicKey: m.Self.PublicKey})
	}
	return m
}

func fillState(path string) error {
	private := key.NewPrivate([key.Size]byte{1: 1})
	err := state.Create(path, state.Identity{
		Network: networkName, Root: root, Name: "self", Address: root.Addr().Next(), PrivateKey: private,
		Coordinator: state.Coordinator{Address: root.Addr().Next(), PublicKey: private.Public(), APIPort: 51820},
	})
	if err != nil {
		return err
	}
	s, err := state.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	for i := range commands {
		if err := s.Save(saveOf(i + 1)); err != nil {
			return err
		}
	}
	return nil
}

func checkState(path string) error {
	s, err := state.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := s.Map()
	if err != nil {
		return err
	}
	pins, err := s.Pins()
	if err != nil {
		return err
	}
	if want := saveOf(commands); !reflect.DeepEqual(m, want.Map) || !slices.Equal(pins, want.Pins) {
		return fmt.Errorf("the map has become %+v with the pins %+v, want %+v", m, pins, want)
	}
	return nil
}

// runSuite runs the program in args with its temporary files on the file
// system.
func runSuite(k kind, args []string) error {
	if err := k.begin(); err != nil {
		return err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "TMPDIR="+mountPoint)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	return k.unmount()
}

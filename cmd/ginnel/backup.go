package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/network"
	"ginnel/platform/dbfile"
	"ginnel/wire"
)

// maxBackup is the most bytes of a backup that restore reads: that of a network
// of 1,000 peers has 250,000.
const maxBackup = 64 << 20

var backupCommands = []command{
	{
		name: "backup", args: "FILE|-",
		brief: "Back up a network on its coordinator: the book, its private key and configuration",
		about: `They go to a new file, or to standard output (-), as one text. Whoever has it can be the
coordinator: it is as secret as a key. It is made while the daemon runs or does not, and any kind
of machine can restore it.`,
		setup: func(o *options) action {
			network, yes := networkOption(o), yesOption(o)
			o.ask("FILE|-", question{text: "The file to write", check: plain(newFile), preset: func(a *asking) (string, error) {
				n, err := a.e.coordinated(*network)
				if err != nil {
					return "", err
				}
				return n.Name + ".backup", nil
			}})
			return func(_ context.Context, e *env, args []string) error {
				if args[0] == "-" && !*yes && e.seen().terminal {
					return usagef("a backup has the network's private key in it, and standard output is a terminal: name a file, or say --yes")
				}
				return backUp(e, *network, args[0])
			}
		},
	},
	{
		name: "restore", args: "FILE|-",
		brief: "Make this machine the coordinator that a backup was made of",
		about: `The peers find it where they found the old one: move that name or address here. Where that
cannot be, say with --endpoint where this machine is found: invitations carry it, and on each
peer run ` + "`ginnel override set COORDINATOR HOST:PORT`, then `ginnel override unset COORDINATOR`" + `
once it is reached: neither can find the other before. The old machine must not come back.
What was changed after the backup is undone: who was removed since is back, and who joined since
has to be invited again, with an address that was never used (peer invite --address): the one
that the book would choose may be that which it had, where the others still have its old key
pinned and refuse the new one. Nothing that is there is replaced: what this machine has of the
network goes before, with ` + "`ginnel network remove`" + `.`,
		setup: func(o *options) action {
			endpoints := o.Strings("endpoint", "`HOST:PORT` where this machine is reached from outside, instead of the backup's; may be repeated")
			port := o.Uint16("listen-port", 0, "WireGuard's UDP `PORT` on this machine, instead of the backup's: the endpoints have to lead there")
			yes := yesOption(o)
			o.ask("FILE|-", question{text: "The backup's file", check: plain(func(path string) error {
				_, _, err := readBackup(strings.NewReader(""), path)
				return err
			})})
			return func(ctx context.Context, e *env, args []string) error {
				return restore(ctx, e, args[0], *endpoints, *port, *yes)
			}
		},
	},
}

// newFile says why no file can be made at a path.
func newFile(path string) error {
	if path != "-" && exists(path) {
		return fmt.Errorf("%s exists already and is not overwritten: choose another file", path)
	}
	return nil
}

// backUp makes a backup of the network that is meant and writes it to path.
func backUp(e *env, name, path string) error {
	n, err := e.coordinated(name)
	if err != nil {
		return err
	}
	text, revision, err := e.backup(n)
	if err != nil {
		return err
	}
	if path == "-" {
		_, err := e.out.Write(text)
		return err
	}
	if err := dbfile.CreateFile(path, text, 0o600); err != nil {
		return err
	}
	return e.say("backed up network %s at revision %d to %s: keep it secret", n.Name, revision, path)
}

// coordinated returns the section of a network that this machine coordinates;
// with an empty name the only one's.
func (e *env) coordinated(name string) (*config.Network, error) {
	cfg, err := e.paths.readConfig()
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range cfg.Networks {
		if n := &cfg.Networks[i]; n.Role == config.Coordinator && (name == "" || name == n.Name) {
			names = append(names, n.Name)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("this machine is not the coordinator of such a network: a backup is made there")
	}
	if name, err = e.theOnly(names, "say which with --network"); err != nil {
		return nil, err
	}
	n, _ := cfg.Network(name)
	return n, nil
}

// backup makes a backup of what is on the disk, beside the daemon.
func (e *env) backup(n *config.Network) (text []byte, revision uint64, err error) {
	book, err := store.Read(e.paths.book(n.Name))
	if err != nil {
		return nil, 0, err
	}
	id, err := state.Read(state.Path(e.paths.state, n.Name))
	if err != nil {
		return nil, 0, err
	}
	section, err := config.Set("backup", nil, *n)
	if err != nil {
		return nil, 0, err
	}
	b := store.Backup{Book: book, PrivateKey: id.PrivateKey, APIPort: id.Coordinator.APIPort, Config: string(section)}
	text, err = b.Encode()
	return text, book.Revision(), err
}

func restore(ctx context.Context, e *env, path string, endpoints []string, port uint16, yes bool) error {
	b, n, err := readBackup(e.input(), path)
	if err != nil {
		return err
	}
	n.ListenPort = cmp.Or(port, n.ListenPort)
	switch {
	case len(endpoints) > 0:
		if err := wire.CheckEndpoints(endpoints); err != nil {
			return usagef("--endpoint: %v", err)
		}
		if err := network.CheckOutside(b.Book.Root(), endpoints...); err != nil {
			return err
		}
		n.Endpoints = endpoints
	case len(b.Book.Endpoints()) > 0: // else it is of before books had them
		n.Endpoints = b.Book.Endpoints()
	}
	if err := e.checkPlace(ctx, *n, b.Book.Root()); err != nil {
		return err
	}
	e.note("%s (%s) as of revision %d: coordinator %s, %s, found at %s; the machine that was it must not come back", n.Name, b.Book.Root(), b.Book.Revision(),
		b.Book.Coordinator().Name, plural(len(b.Book.Peers())-1, "other peer"), orDash(strings.Join(n.Endpoints, ", ")))
	if err := e.reconsider(yes || path == "-", "Make this machine the coordinator?"); err != nil { // standard input is read
		return err
	}
	found := n.Endpoints
	n.Endpoints = nil // the book has them
	err = e.settle(*n, b.Book, b.PrivateKey, b.APIPort, func(path string) error { return store.Restore(path, b.Book, found...) })
	if err != nil {
		return err
	}
	if err := e.say("restored network %s (%s) with %s; this machine is its coordinator, %s",
		n.Name, b.Book.Root(), plural(len(b.Book.Peers()), "peer"), b.Book.Coordinator().Address); err != nil {
		return err
	}
	e.note("peers that joined after the backup have to be invited again: give them addresses that were never used (`ginnel peer invite NAME --address ADDRESS`), because others have pinned their old keys to the old ones")
	e.noteMoved(b.Book, found)
	_, err = e.takeUp(ctx, n.Name, isUp)
	return err
}

// noteMoved says what is to be done on the peers of a coordinator that is
// nowhere where they know it: they cannot find it, nor can it them, since where
// they are is in no book.
func (e *env) noteMoved(b *network.Book, found []string) {
	known := b.Endpoints()
	if len(known) == 0 || slices.ContainsFunc(found, func(s string) bool { return slices.Contains(known, s) }) {
		return
	}
	name := b.Coordinator().Name
	e.note("the peers look for it at %s: on each that does not find it there run `ginnel override set %s %s`, and once `ginnel status` shows it as reached, `ginnel override unset %[2]s`",
		strings.Join(known, ", "), name, found[0])
}

// readBackup reads a backup from path, and the section in it.
func readBackup(in io.Reader, path string) (*store.Backup, *config.Network, error) {
	if path == "-" {
		path = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read the backup: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxBackup))
	if err != nil {
		return nil, nil, fmt.Errorf("read the backup: %w", err)
	}
	b, err := store.DecodeBackup(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	cfg, err := config.Parse("the backup's configuration", []byte(b.Config))
	if err != nil {
		return nil, nil, err
	}
	n, ok := cfg.Network(b.Book.Name())
	if !ok || n.Role != config.Coordinator {
		return nil, nil, fmt.Errorf("%s: %w: its configuration is not that of %s's coordinator", path, store.ErrNoBackup, b.Book.Name())
	}
	return b, n, nil
}

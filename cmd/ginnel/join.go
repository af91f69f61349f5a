package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"ginnel/daemon/config"
	"ginnel/daemon/join"
	"ginnel/daemon/local"
	"ginnel/platform/dbfile"
	"ginnel/wire"
)

func setupJoin(o *options) action {
	port := o.Uint16("listen-port", 0, "WireGuard's UDP `PORT` on this machine (default: any free one)")
	onMachine := machineOptions(o)
	del := o.Bool("delete", "", "delete the invitation's file afterwards; a terminal is asked")
	yes := yesOption(o)
	o.ask("FILE|TOKEN|-", question{text: "The invitation: its file, or the token itself", check: plain(checkInvitation)})
	return func(ctx context.Context, e *env, args []string) error {
		inv, file, err := readInvitation(e.input(), args[0])
		if err != nil {
			return err
		}
		if *del && file == "" {
			return usagef("--delete deletes the invitation's file, and this invitation came without one")
		}
		n := config.New(inv.Network, config.Peer)
		n.Endpoints, n.ListenPort = inv.Coordinator.Endpoints, *port
		if err := onMachine(&n); err != nil {
			return err
		}
		if file != "" && e.terminal && !*del && !*yes {
			if *del, err = e.yesOrNo("Delete " + file + " afterwards, when it is of no use any more?"); err != nil {
				return err
			}
		}
		if err := joinNetwork(ctx, e, inv, n); err != nil {
			return err
		}
		if *del {
			if err := os.Remove(file); err != nil {
				return fmt.Errorf("joined, but the invitation is still there: %w", err)
			}
		}
		return nil
	}
}

// checkInvitation says why an answer is no invitation. The terminal is where
// the answer came from: there is nothing else to read there.
func checkInvitation(arg string) error {
	_, _, err := readInvitation(strings.NewReader(""), arg)
	return err
}

// areThere counts peers: "1 peer is", "2 peers are".
func areThere(peers int) string {
	if peers == 1 {
		return "1 peer is"
	}
	return plural(peers, "peer") + " are"
}

// readInvitation reads an invitation from where arg says; file is its path
// when it came from a file.
func readInvitation(in io.Reader, arg string) (inv *wire.Invitation, file string, err error) {
	text := arg
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(in, wire.MaxBody))
		if err != nil {
			return nil, "", fmt.Errorf("read the invitation: %w", err)
		}
		text = string(b)
	} else if b, err := readShort(arg); err == nil {
		text, file = string(b), arg
	} else if noFile := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG); !noFile {
		return nil, "", fmt.Errorf("read the invitation: %w", err)
	} else if !strings.HasPrefix(strings.ToLower(arg), wire.TokenPrefix) {
		name := arg
		if len(name) > 100 {
			name = "of that name" // it may be what is left of a token
		}
		return nil, "", fmt.Errorf("there is no file %s, and a token begins with %q: give the invitation's file, its whole token, or - for standard input", name, wire.TokenPrefix)
	}
	inv, err = wire.ParseInvitation(text)
	return inv, file, err
}

// readShort reads a file, of a large one only the beginning.
func readShort(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, wire.MaxBody))
}

func joinNetwork(ctx context.Context, e *env, inv *wire.Invitation, n config.Network) error {
	if done, err := e.finishJoin(ctx, inv); done || err != nil {
		return err
	}
	if err := e.checkNew(n); err != nil {
		return err
	}
	if err := checkMTU(&n, inv.Root); err != nil {
		return err
	}
	if err := e.checkRange(ctx, n.Name, inv.Root); err != nil {
		return err
	}
	if err := dbfile.EnsureDir(e.paths.state, 0o700); err != nil {
		return err
	}
	j, err := join.Redeem(ctx, e.system(quiet), e.paths.state, inv, n)
	if err != nil {
		return err
	}
	if err := e.paths.setNetwork(j.Config); err != nil {
		return errors.Join(fmt.Errorf("the invitation is redeemed, but this machine is not configured (run the same join again): %w", err), j.Abandon())
	}
	if err := j.Confirm(); err != nil {
		return err
	}
	return e.joined(ctx, inv)
}

// joinBySection redeems the invitation in a section, for the daemon.
func (e *env) joinBySection(ctx context.Context, n config.Network) error {
	if err := e.checkRange(ctx, n.Name, n.Invitation.Root); err != nil {
		return err
	}
	j, err := join.Redeem(ctx, e.system(quiet), e.paths.state, n.Invitation, n)
	if err != nil {
		return err
	}
	return j.Confirm()
}

// joined tells of a join that is finished, and waits for the network.
func (e *env) joined(ctx context.Context, inv *wire.Invitation) error {
	if err := e.say("joined %s as %s, %s", inv.Network, inv.Name, inv.Address); err != nil {
		return err
	}
	up, err := e.takeUp(ctx, inv.Network, func(n *local.Network) bool { return !n.LastContact.IsZero() })
	if err != nil || up == nil {
		return err
	}
	return e.say("%s visible", areThere(len(up.Peers)))
}

// finishJoin takes up a join whose section is written: it was killed after
// that, or is finished. done tells that this invitation has nothing more to do.
func (e *env) finishJoin(ctx context.Context, inv *wire.Invitation) (done bool, err error) {
	cfg, err := e.paths.readConfig()
	if err != nil {
		return false, err
	}
	n, exists := cfg.Network(inv.Network)
	switch {
	case !exists || n.Role != config.Peer:
		return false, nil
	case n.Invitation != nil && e.ownName(ctx, n.Name) == "":
		return false, errors.New("the network's section has an invitation, by which the daemon joins: `ginnel status` tells how far it is")
	}
	how, err := join.Finish(e.paths.state, inv)
	switch {
	case err != nil:
		return false, err
	case how == join.Now:
		return true, e.joined(ctx, inv)
	case how == join.Before:
		return true, e.say("this machine is in %s already, as %s: by this invitation", inv.Network, cmp.Or(e.ownName(ctx, inv.Network), inv.Name))
	}
	return false, nil
}

// Package join redeems invitations: it makes this machine's own key, opens the
// interface with the invitation's temporary key, submits the public half
// through it, and takes the interface away again. The daemon then makes it
// anew with the peer's own key.
//
// # Nothing lost, nothing half-made
//
// The key is on disk, marked pending, before it is submitted, and the
// configuration is written before the mark is cleared ([Join.Confirm]). So a
// join that was refused, or never reached the coordinator, leaves nothing; and
// one whose answer got lost is finished by running it again, because the
// coordinator takes the same key twice: with the temporary key where that
// still works, else with the peer's own. One that was killed before its mark was
// cleared is finished by [Finish], or by the daemon.
//
// The invitation in a section, which the daemon redeems, is the other way round:
// the section is there before, and it goes on until the coordinator has accepted,
// after a restart too. The key is made once and kept meanwhile: who waits for
// days, for a line that is not there yet, must not wear the flash.
//
// A listen port that is chosen is that of the first packet: behind a NAT the
// coordinator then knows the peer's endpoint before the daemon is up.
package join

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"ginnel/daemon"
	"ginnel/daemon/config"
	"ginnel/daemon/state"
	"ginnel/key"
	"ginnel/platform"
	"ginnel/wire"
)

const (
	tryTime       = 5 * time.Second        // at most for one address with one key: one handshake, and once more
	shortestRound = 500 * time.Millisecond // for all addresses with one key
	joinTime      = 30 * time.Second       // for all of it
)

// Join is an invitation that was redeemed and is not confirmed yet.
type Join struct {
	// Config is the section to write.
	Config config.Network
	store  *state.State
}

// Confirm ends the join, after the configuration was written.
func (j *Join) Confirm() error {
	return errors.Join(j.store.Confirm(), j.store.Close())
}

// Abandon lets go of a join whose configuration could not be written. Running
// it again goes on from here.
func (j *Join) Abandon() error { return j.store.Close() }

// Redeem redeems inv and keeps who this machine is in stateDir. wanted gives
// the options of the new section; its name, role and endpoints are the
// invitation's, and a listen port of 0 becomes a free one. Where wanted is a
// section that has inv in it, the coordinator is looked for where it says. An
// error that wraps a [*wire.Problem] is the coordinator's refusal.
func Redeem(ctx context.Context, sys daemon.System, stateDir string, inv *wire.Invitation, wanted config.Network) (*Join, error) {
	written := wanted.Invitation != nil
	if !written {
		wanted.Name, wanted.Role, wanted.Endpoints = inv.Network, config.Peer, inv.Coordinator.Endpoints
	}
	if err := choosePort(&wanted); err != nil {
		return nil, err
	}
	path := state.Path(stateDir, inv.Network)
	if _, err := os.Lstat(path); err != nil && !wanted.Existing { // otherwise it may be what an unfinished join left
		if err := daemon.CheckFree(sys.Network, inv.Network); err != nil {
			if written {
				err = fmt.Errorf("%w; or, if it is this network's own, its state was lost: put a copy back", err)
			}
			return nil, err
		}
	}
	store, again, err := prepare(path, inv, sys.Rand)
	if err != nil {
		return nil, err
	}
	if written { // whoever began
		err = store.MarkBySection()
	}
	r := redeemer{sys: sys, id: store.Identity(), inv: inv, cfg: &wanted, uncertain: again}
	if err == nil {
		err = r.redeem(ctx)
	}
	if err != nil {
		err = errors.Join(err, store.Close())
		switch {
		case written:
			return nil, err
		case !r.uncertain:
			return nil, errors.Join(err, os.Remove(path))
		}
		return nil, fmt.Errorf("%w; the coordinator may have accepted: run the same join again", err)
	}
	return &Join{Config: wanted, store: store}, nil
}

// choosePort picks a free UDP port where none is wanted.
func choosePort(cfg *config.Network) error {
	if cfg.ListenPort != 0 {
		return nil
	}
	for cfg.ListenPort == 0 || cfg.ListenPort == wire.SignalPort {
		c, err := net.ListenUDP("udp", nil)
		if err != nil {
			return fmt.Errorf("choose a listen port: %w", err)
		}
		cfg.ListenPort = netip.MustParseAddrPort(c.LocalAddr().String()).Port()
		c.Close()
	}
	return nil
}

// prepare opens the state of a join that was not finished (again), or makes a
// new one.
func prepare(path string, inv *wire.Invitation, rnd io.Reader) (s *state.State, again bool, err error) {
	s, err = state.Open(path)
	if err == nil {
		id := s.Identity()
		if id.IsPending() && id.Pending.Equal(inv.Key) {
			return s, true, nil
		}
		if err := s.Close(); err != nil {
			return nil, false, err
		}
		if !id.IsPending() {
			return nil, false, fmt.Errorf("this machine is in network %s already, as %s: run `ginnel leave %[1]s` first", inv.Network, id.Name)
		}
		if err := os.Remove(path); err != nil {
			return nil, false, fmt.Errorf("forget an unfinished join: %w", err)
		}
	} else if !errors.Is(err, platform.ErrNotExist) {
		return nil, false, err
	}
	s, err = makeState(path, inv, rnd)
	return s, false, err
}

func makeState(path string, inv *wire.Invitation, rnd io.Reader) (*state.State, error) {
	own, err := key.Generate(rnd)
	if err != nil {
		return nil, err
	}
	if err := state.Create(path, identity(inv, own)); err != nil {
		return nil, err
	}
	return state.Open(path)
}

func identity(inv *wire.Invitation, own key.PrivateKey) state.Identity {
	c := &inv.Coordinator
	return state.Identity{
		Network: inv.Network, Root: inv.Root, Name: inv.Name, Address: inv.Address, PrivateKey: own, Pending: inv.Key,
		Coordinator: state.Coordinator{Address: c.Address, PublicKey: c.PublicKey, APIPort: c.APIPort},
	}
}

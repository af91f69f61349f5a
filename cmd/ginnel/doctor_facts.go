package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"ginnel/coordinator/store"
	"ginnel/daemon/config"
	"ginnel/daemon/doctor"
	"ginnel/daemon/local"
	"ginnel/daemon/state"
	"ginnel/platform"
	"ginnel/wire"
)

// gather looks at everything; name is the network that is asked about, empty
// for all.
func (e *env) gather(ctx context.Context, name string) (*doctor.Facts, error) {
	_, err := os.Stat("/etc/openwrt_release")
	f := &doctor.Facts{Now: time.Now(), Version: version, OpenWrt: err == nil}
	cfg := e.gatherFiles(f)
	st, err := e.client().Status(ctx)
	if f.Daemon.Err = err; err == nil {
		f.Daemon.Version, f.Daemon.Problems = st.Version, st.Problems
	} else {
		st = &local.Status{}
	}
	for _, n := range merge(cfg, st) {
		e.gatherState(&n)
		if name == "" || n.Name == name {
			f.Networks = append(f.Networks, n)
		} else {
			f.Others = append(f.Others, n)
		}
	}
	if name != "" && len(f.Networks) == 0 {
		return nil, fmt.Errorf("there is no network %s on this machine: `ginnel network list` lists them", name)
	}
	var looking sync.WaitGroup
	looking.Go(func() { f.Filters, f.FiltersErr = e.inspect.Filters() })
	looking.Go(func() { f.Underlay, f.UnderlayErr = e.system(quiet).Network.Underlay() })
	looking.Go(func() { f.Machine = e.inspect.Machine(e.paths.state) })
	for i := range f.Networks {
		if n := &f.Networks[i]; n.Config == nil || n.Config.Enabled {
			looking.Go(func() { e.gatherNetwork(ctx, n, f.Daemon.Err == nil) })
		}
	}
	looking.Wait()
	f.Now = time.Now() // what was told meanwhile is not from the future
	return f, nil
}

// gatherFiles reads the configuration, nil where that cannot be done, and looks
// at the state's directory.
func (e *env) gatherFiles(f *doctor.Facts) *config.Config {
	f.Config.Path, f.State.Path = e.paths.config, e.paths.state
	if info, err := os.Stat(e.paths.state); err != nil {
		f.State.Err = inPlatformsWords(err)
	} else {
		f.State.Mode = uint32(info.Mode().Perm())
	}
	_, err := os.Stat(e.paths.config)
	f.Config.Missing = errors.Is(err, fs.ErrNotExist)
	cfg, err := e.paths.readConfig()
	if err != nil {
		f.Config.Err = inPlatformsWords(err)
		return nil
	}
	return cfg
}

// inPlatformsWords adds the platform's sentinel that fits, where err has none.
func inPlatformsWords(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", platform.ErrPermission, err)
	case errors.Is(err, fs.ErrNotExist) && !errors.Is(err, platform.ErrNotExist):
		return fmt.Errorf("%w: %w", platform.ErrNotExist, err)
	}
	return err
}

// merge puts together what the configuration, which may be nil, and the daemon
// say of each network.
func merge(cfg *config.Config, st *local.Status) (list []doctor.Network) {
	find := func(name string) *local.Network {
		for i := range st.Networks {
			if st.Networks[i].Name == name {
				return &st.Networks[i]
			}
		}
		return nil
	}
	if cfg == nil {
		for i := range st.Networks {
			list = append(list, doctor.Network{Name: st.Networks[i].Name, Status: &st.Networks[i]})
		}
		return list
	}
	for i := range cfg.Networks {
		c := &cfg.Networks[i]
		list = append(list, doctor.Network{Name: c.Name, Config: c, Status: find(c.Name)})
	}
	return list
}

// gatherState learns who this machine is in a network, from its file or else
// from the daemon. A book that the daemon does not serve is looked at as well.
func (e *env) gatherState(n *doctor.Network) {
	if n.IsCoordinator() && (n.Status == nil || n.Status.State != local.Up) {
		_, err := store.Read(e.paths.book(n.Name))
		n.BookErr = inPlatformsWords(err)
	}
	id, err := state.Read(state.Path(e.paths.state, n.Name))
	if err == nil {
		n.Root, n.Address = id.Root, id.Address
		n.Coordinator, n.APIPort = id.Coordinator.Address, id.Coordinator.APIPort
		return
	}
	n.StateErr = inPlatformsWords(err)
	if n.Status == nil {
		return
	}
	n.Root, n.Address = n.Status.Root, n.Status.Self.Address
	if n.Status.Self.Role == wire.RoleCoordinator {
		n.Coordinator = n.Address
	}
	for i := range n.Status.Peers {
		if p := &n.Status.Peers[i]; p.Role == wire.RoleCoordinator {
			n.Coordinator = p.Address
		}
	}
}

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ginnel/daemon/config"
	"ginnel/platform/dbfile"
)

// paths is where things lie on this machine.
type paths struct {
	config string // the configuration, UCI syntax
	state  string // the directory of identities and books
	socket string // the daemon's
	script string // the service's, where it has to know of the configuration: on OpenWrt; empty: none
}

const pathsHelp = `
Files (an environment variable puts each elsewhere):
  /etc/ginnel/ginnel.conf, on OpenWrt /etc/config/ginnel   GINNEL_CONFIG
  /var/lib/ginnel, on OpenWrt /etc/ginnel                  GINNEL_STATE
  /var/run/ginnel/ginnel.sock                              GINNEL_SOCKET
`

// findPaths returns the paths of this kind of system. On OpenWrt /var is in
// memory, so what must last is under /etc.
func findPaths(getenv func(string) string) paths {
	p := paths{config: "/etc/ginnel/ginnel.conf", state: "/var/lib/ginnel", socket: "/var/run/ginnel/ginnel.sock"}
	if onOpenWrt() {
		p.config, p.state, p.script = "/etc/config/ginnel", "/etc/ginnel", "/etc/init.d/ginnel"
	}
	for name, path := range map[string]*string{"GINNEL_CONFIG": &p.config, "GINNEL_STATE": &p.state, "GINNEL_SOCKET": &p.socket} {
		if v := getenv(name); v != "" {
			*path = v
		}
	}
	return p
}

func onOpenWrt() bool {
	_, err := os.Stat("/etc/openwrt_release")
	return err == nil
}

// usualHosts is where a section keeps names that says nothing of it. On
// OpenWrt dnsmasq answers the whole LAN, and /etc/hosts lies in flash.
func usualHosts() string {
	if onOpenWrt() {
		return config.Dnsmasq
	}
	return "/etc/hosts"
}

// book returns where a network's book lies.
func (p paths) book(network string) string { return filepath.Join(p.state, network+".book") }

// readConfig reads the configuration; a file that does not exist is an empty
// one. Beside an error it is as [config.Parse] has it.
func (p paths) readConfig() (*config.Config, error) {
	text, unread := p.configText()
	cfg, err := config.Parse(p.config, text)
	return cfg, cmp.Or(unread, err)
}

func (p paths) configText() ([]byte, error) {
	text, err := os.ReadFile(p.config)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return text, nil
}

// setNetwork writes a network's section into the configuration.
func (p paths) setNetwork(n config.Network) error {
	return p.edit(func(text []byte) ([]byte, error) { return config.Set(p.config, text, n) })
}

// changeNetwork lets change have a network's section as it is now, and writes
// what it makes of it. Change must not wait for anything.
func (p paths) changeNetwork(name string, change func(*config.Network) error) error {
	return p.edit(func(text []byte) ([]byte, error) {
		cfg, err := config.Parse(p.config, text)
		if err != nil {
			return nil, err
		}
		n, ok := cfg.Network(name)
		if !ok {
			return nil, noNetwork(name)
		}
		if err := change(n); err != nil {
			return nil, err
		}
		return config.Set(p.config, text, *n)
	})
}

// switchNetwork switches a network on or off in the configuration.
func (p paths) switchNetwork(name string, on bool) error {
	return p.changeNetwork(name, func(n *config.Network) error { n.Enabled = on; return nil })
}

// removeNetwork takes a network's section out of the configuration.
func (p paths) removeNetwork(name string) error {
	return p.edit(func(text []byte) ([]byte, error) { return config.Remove(p.config, text, name) })
}

// edit changes the configuration: nobody else's change between is lost.
func (p paths) edit(change func([]byte) ([]byte, error)) error {
	if err := dbfile.EnsureDir(filepath.Dir(p.config), 0o755); err != nil {
		return fmt.Errorf("make the configuration's directory: %w", err)
	}
	return dbfile.EditFile(p.config, p.configMode(), change)
}

// configMode is the mode of the configuration: of one that is there, its own,
// because a daemon that is not root may read it by that.
func (p paths) configMode() fs.FileMode {
	info, err := os.Stat(p.config)
	if err != nil {
		return 0o600
	}
	return info.Mode().Perm()
}

package config

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"ginnel/network"
	"ginnel/platform/uci"
	"ginnel/wire"
)

// sectionType is the type of a network's section.
const sectionType = "network"

// The options that others depend on.
const (
	optionRole       = "role"
	optionInvitation = "invitation"
)

// Network returns the network called name; false when there is none. The
// result points into c.
func (c *Config) Network(name string) (*Network, bool) {
	for i := range c.Networks {
		if c.Networks[i].Name == name {
			return &c.Networks[i], true
		}
	}
	return nil, false
}

// Parse reads a whole configuration file; name, usually its path, is for
// errors. What UCI itself cannot read is one error. Otherwise everything that
// is wrong is reported at once, joined in the order of the lines. An empty text
// is a configuration without networks.
//
// Beside an error the configuration is for who has no better one: what is wrong
// of it is Refused, or, of the daemon's section, left out. Nothing is known of a
// text that is not UCI. Of two sections that exclude each other the second is
// wrong, also where the first is for another reason: what that one stood for may
// be in use.
func Parse(name string, text []byte) (*Config, error) {
	r := reader{file: name, config: Config{Daemon: Daemon{GOGC: DefaultGOGC}}}
	f, err := uci.Parse(name, text)
	if err != nil {
		return &r.config, err
	}
	for i := range f.Sections() {
		r.section(&f.Sections()[i])
	}
	r.checkPorts()
	r.checkLinks()
	return &r.config, r.err()
}

// sectionName is how a network's name is written in UCI, where section names
// have no dashes. Names of networks have no underscores, so it can be undone.
func sectionName(network string) string { return strings.ReplaceAll(network, "-", "_") }

// reader collects a file's networks and everything that is wrong with it.
type reader struct {
	file     string
	config   Config
	ports    []portLine
	links    []int // the line of each network's section
	problems []problem
}

// problem is an error and the line it is about.
type problem struct {
	line int
	err  error
}

// portLine is where a network's listen_port was given.
type portLine struct {
	network string
	port    uint16
	line    int
}

func (r *reader) report(line int, format string, args ...any) {
	err := fmt.Errorf("%s:%d: %w", r.file, line, fmt.Errorf(format, args...))
	r.problems = append(r.problems, problem{line, err})
}

func (r *reader) err() error {
	sort.SliceStable(r.problems, func(i, j int) bool { return r.problems[i].line < r.problems[j].line })
	var errs []error
	for _, p := range r.problems {
		errs = append(errs, p.err)
	}
	return errors.Join(errs...)
}

func (r *reader) section(s *uci.Section) {
	line := s.Lines[0]
	switch {
	case s.Type == typeDaemon:
		r.daemon(s)
		return
	case s.Type != sectionType:
		r.report(line, "section %s: type %s is not known: only \"config network 'NAME'\" and \"config %s\" are", s, s.Type, typeDaemon)
		return
	case s.Name == "":
		r.report(line, "section %s has no name: write \"config network 'NAME'\" with the network's name", s)
		return
	}
	n, before := New(strings.ReplaceAll(s.Name, "_", "-"), ""), len(r.problems)
	if err := network.CheckNetworkName(n.Name); err != nil {
		r.report(line, "section %s: %w", s.Name, err)
	}
	r.options(&n, s)
	if o, ok := s.Option("listen_port"); ok && n.ListenPort != 0 {
		r.ports = append(r.ports, portLine{n.Name, n.ListenPort, lastLine(o)})
	}
	n.Refused = len(r.problems) > before
	r.links = append(r.links, line)
	r.config.Networks = append(r.config.Networks, n)
}

// options reads a section's options, and reports what does not fit its role
// unless the option concerned is reported already.
func (r *reader) options(n *Network, s *uci.Section) {
	bad := map[string]bool{}
	for _, o := range roleFirst(s.Options) {
		if err := readOption(n, o); err != nil {
			r.report(lastLine(o), "section %s, option %s: %w", s.Name, o.Name, err)
			bad[o.Name] = true
		}
	}
	name, err := checkRole(n, s)
	if err == nil || bad[name] || bad[optionInvitation] {
		return
	}
	line := s.Lines[0]
	if o, ok := s.Option(name); ok {
		line = lastLine(o)
	}
	r.report(line, "section %s, option %s: %w", s.Name, name, err)
}

// roleFirst returns the options with the role before those that mean something
// else in another role.
func roleFirst(list []uci.Option) []*uci.Option {
	var order []*uci.Option
	for i := range list {
		if o := &list[i]; o.Name == optionRole {
			order = append([]*uci.Option{o}, order...)
		} else {
			order = append(order, o)
		}
	}
	return order
}

func lastLine(o *uci.Option) int { return o.Lines[len(o.Lines)-1] }

// readOption reads an option into n.
func readOption(n *Network, o *uci.Option) error {
	i := slices.IndexFunc(options, func(known option) bool { return known.name == o.Name })
	if i < 0 {
		return unknown(optionNames())
	}
	if err := checkForm(o, options[i].list); err != nil {
		return err
	}
	for _, v := range o.Values { // errors quote what is wrong
		if o.Name != optionInvitation && strings.HasPrefix(v, wire.TokenPrefix) {
			return fmt.Errorf("looks like an invitation: that is what option %s is for", optionInvitation)
		}
	}
	return options[i].read(n, o.Values)
}

func unknown(known []string) error {
	return fmt.Errorf("is not known: those that are: %s", strings.Join(known, ", "))
}

// checkForm tells whether the option is written as a list where it is one, and
// once where it has one value.
func checkForm(o *uci.Option, list bool) error {
	switch {
	case list && !o.List:
		return fmt.Errorf("is a list: write \"list %s '...'\" for each value", o.Name)
	case !list && o.List:
		return fmt.Errorf("has one value: write \"option %s '...'\"", o.Name)
	case !o.List && len(o.Lines) > 1:
		return fmt.Errorf("is given before, in line %d: remove one", o.Lines[0])
	}
	return nil
}

func optionNames() []string {
	var names []string
	for _, o := range options {
		names = append(names, o.name)
	}
	return names
}

// checkRole tells which option the section lacks, or has and must not, because
// of its role or of another option.
func checkRole(n *Network, s *uci.Section) (name string, err error) {
	_, coordinators := s.Option(listCoordinator)
	switch {
	case n.Role == "":
		return optionRole, fmt.Errorf("is missing: write %s or %s, or give an invitation", Peer, Coordinator)
	case n.Role == Peer && !coordinators && n.Invitation == nil:
		return listCoordinator, errors.New("is missing: write at least one endpoint of the coordinator, HOST:PORT")
	case n.Role == Coordinator && coordinators:
		return listCoordinator, errors.New("is for peers: where they find the coordinator `ginnel network rename-endpoint` says")
	case n.Role == Coordinator && n.ListenPort == 0:
		return "listen_port", errors.New("is missing: a coordinator needs one, from 1 to 65535")
	case n.Interface != "" && !n.Existing:
		return optionInterface, fmt.Errorf("is for an interface that somebody else makes (option %s '%s'): one of our own has the network's name", optionMode, existingInterface)
	}
	return "", nil
}

// checkLinks reports networks that would use the same interface.
func (r *reader) checkLinks() {
	for i := range r.config.Networks {
		n := &r.config.Networks[i]
		first := slices.IndexFunc(r.config.Networks, func(o Network) bool { return o.Link() == n.Link() })
		if other := &r.config.Networks[first]; first < i && other.Name != n.Name {
			n.Refused = true
			r.report(r.links[i], "section %s: interface %s is network %s's: give each its own", sectionName(n.Name), n.Link(), other.Name)
		}
	}
}

// checkPorts reports networks that would listen on the same port.
func (r *reader) checkPorts() {
	for i, p := range r.ports {
		first := slices.IndexFunc(r.ports, func(o portLine) bool { return o.port == p.port })
		if first < i {
			n, _ := r.config.Network(p.network)
			n.Refused = true
			r.report(p.line, "section %s, option listen_port: %d is taken by network %s, in line %d: give each its own",
				sectionName(p.network), p.port, r.ports[first].network, r.ports[first].line)
		}
	}
}

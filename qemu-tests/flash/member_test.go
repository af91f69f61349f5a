package flash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"ginnel/daemon/config"
	"ginnel/daemon/local"
)

// What the guests say on the console while one joins, each at a line's
// beginning. All but the first are followed by the number of the attempt.
const (
	sayInvitation = "flash: invitation "
	sayBegin      = "flash: begin"   // the daemon is about to be started for it
	sayAnswers    = "flash: answers" // its status does
	sayJoining    = "flash: joining" // by command
	sayWorks      = "flash: works"
	sayLeaving    = "flash: leaving"
	sayLeft       = "flash: left"
)

// runInvite is a coordinator who makes as many invitations as args says.
func runInvite(k kind, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	if err := k.begin(); err != nil {
		return err
	}
	c, err := startCoordinator()
	if err != nil {
		return err
	}
	for i := range n {
		token := filepath.Join(mountPoint, "token")
		if err := c.command("peer", "invite", fmt.Sprintf("p%d", i), "--cidr", networkName, "--output", token); err != nil {
			return err
		}
		text, err := os.ReadFile(token)
		if err != nil {
			return err
		}
		fmt.Printf("%s%s", sayInvitation, text)
		if err := os.Remove(token); err != nil {
			return err
		}
	}
	select {} // until its power is cut
}

// runMember joins and leaves until the power is cut. Args are the number of the
// first attempt, its invitation, those of the attempts that follow it, or
// "leave" where it is the leaving that was cut off.
func runMember(k kind, args []string) error {
	first, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	if err := k.begin(); err != nil {
		return err
	}
	fmt.Println(sayMounted)
	for i, token := range args[1:] {
		if err := attempt(first+i, token); err != nil {
			return fmt.Errorf("attempt %d: %w", first+i, err)
		}
	}
	select {}
}

// attempt is the life of a router that is new, or was stopped in its midst: the
// daemon is started, the invitation redeemed unless the network is there, and
// left. Everything is in a directory of its own, that each thing that is made is
// made for the first time. A person types no more than join and leave.
func attempt(n int, token string) error {
	dir := filepath.Join(mountPoint, strconv.Itoa(n))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	p := productAt(dir)
	fmt.Println(sayBegin, n)
	member, err := configured(p.config, token == "leave")
	if err != nil {
		return err
	}
	if err := p.start(); err != nil {
		return err
	}
	fmt.Println(sayAnswers, n)
	if token != "leave" {
		if err := p.enter(n, member, token); err != nil {
			return err
		}
	}
	fmt.Println(sayLeaving, n)
	if gone := token == "leave" && !member && p.forgotten(); !gone {
		if err := p.command("leave", networkName, "--yes"); err != nil {
			return err
		}
	}
	if !p.forgotten() {
		return errors.New("leave has left something")
	}
	fmt.Println(sayLeft, n)
	return errors.Join(p.stop(), os.RemoveAll(dir))
}

// configured tells whether the network is in the configuration, which is there
// as a whole or not at all.
func configured(path string, leaving bool) (bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	cfg, err := config.Parse(path, text)
	if err != nil {
		return false, err
	}
	n, member := cfg.Network(networkName)
	switch {
	case !member && !leaving:
		return false, fmt.Errorf("the configuration has lost its network: %q", text)
	case member && (n.Role != config.Peer || len(n.Endpoints) != 1 || n.ListenPort == 0):
		return false, fmt.Errorf("the configuration is not whole: %q", text)
	}
	return member, nil
}

// enter joins unless this machine is a member, and waits until the network works.
func (p *product) enter(n int, member bool, token string) error {
	if !member {
		fmt.Println(sayJoining, n)
		if err := p.command("join", token); err != nil {
			return errors.Join(err, errors.New(p.log.String()))
		}
	}
	err := p.until("the network does not work", func(st *local.Status) bool {
		return isUp(st) && !st.Networks[0].LastContact.IsZero()
	})
	fmt.Println(sayWorks, n)
	return err
}

// forgotten tells whether nothing of the network is kept.
func (p *product) forgotten() bool {
	left, err := filepath.Glob(filepath.Join(p.state, networkName+".*"))
	return err == nil && len(left) == 0
}

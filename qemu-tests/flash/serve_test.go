package flash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"ginnel/coordinator/store"
	"ginnel/network"
)

// coordinatorEndpoint is where the coordinator is, on the cable of a test that
// has one.
const coordinatorEndpoint = "192.0.2.1:51820"

// What the guest says on the console, each at a line's beginning.
const (
	sayMounted = "flash: mounted"
	sayFact    = "flash: fact " // and what it is
	sayReady   = "flash: ready" // all facts are told, commands follow
	sayTry     = "flash: try"   // and the revision that the command leads to
	sayDone    = "flash: done"  // and that revision: the command was acknowledged
)

// runServe is a coordinator on the file system, with an admin who gives it
// commands drawn from the seed in args until the power is cut.
func runServe(k kind, args []string) error {
	seed, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	if err := k.begin(); err != nil {
		return err
	}
	fmt.Println(sayMounted)
	c, err := startCoordinator()
	if err != nil {
		return err
	}
	for _, f := range facts(c.book) {
		fmt.Println(sayFact + f)
	}
	fmt.Println(sayReady)
	r := rand.New(rand.NewPCG(seed, 0))
	for {
		fmt.Println(sayTry, c.book.Revision()+1)
		if err := c.step(r); err != nil {
			return err
		}
		fmt.Println(sayDone, c.book.Revision())
	}
}

// coordinatorMachine is the product as it runs in the guest.
type coordinatorMachine struct {
	*product
	book *network.Book
}

// startCoordinator makes the network, unless it is there, reads its book and
// starts the daemon.
func startCoordinator() (*coordinatorMachine, error) {
	c := &coordinatorMachine{product: productAt(mountPoint)}
	if err := c.createNetwork(); err != nil {
		return nil, err
	}
	s, book, tail, err := store.Open(filepath.Join(c.state, networkName+".book"))
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	if last := tail[len(tail)-1].Revision; last != book.Revision() {
		return nil, fmt.Errorf("the tail ends at %d, the book is at %d", last, book.Revision())
	}
	c.book = book
	if err := c.start(); err != nil {
		return nil, err
	}
	return c, c.until("the daemon does not serve the network", isUp)
}

// createNetwork makes the network, unless it is there: the configuration comes
// last. What a power cut has left of it is not in the way.
func (c *coordinatorMachine) createNetwork() error {
	if text, err := os.ReadFile(c.config); len(text) > 0 || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return c.command("network", "create", networkName, root.String(), "--endpoint", coordinatorEndpoint, "--name", coordinatorName)
}

// step gives the next command.
func (c *coordinatorMachine) step(r *rand.Rand) error {
	cmd, next, _ := step(r, c.book)
	method, path, body := request(cmd)
	if err := c.client.Coordinator(context.Background(), networkName, method, path, body, nil); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	c.book = next
	return nil
}

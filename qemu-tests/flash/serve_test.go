package flash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"ginnel/coordinator/store"
	"ginnel/daemon/local"
	"ginnel/network"
)

// ginnel is the product, in the guest.
const ginnel = "/bin/ginnel"

// Where the product has its files.
const (
	configFile = mountPoint + "/ginnel.conf"
	bookFile   = mountPoint + "/ginnel/" + networkName + ".book"
	socket     = "/run/ginnel.sock"
)

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
	daemon *exec.Cmd
	log    bytes.Buffer  // of the daemon
	client *local.Client // as the command line has one
	book   *network.Book
}

// startCoordinator makes the network, unless it is there, reads its book and
// starts the daemon.
func startCoordinator() (*coordinatorMachine, error) {
	for name, value := range map[string]string{
		"GINNEL_CONFIG": configFile, "GINNEL_STATE": mountPoint + "/ginnel", "GINNEL_SOCKET": socket,
	} {
		os.Setenv(name, value)
	}
	if err := createNetwork(); err != nil {
		return nil, err
	}
	s, book, tail, err := store.Open(bookFile)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	if last := tail[len(tail)-1].Revision; last != book.Revision() {
		return nil, fmt.Errorf("the tail ends at %d, the book is at %d", last, book.Revision())
	}
	c := &coordinatorMachine{book: book, client: local.NewClient(socket)}
	return c, c.start()
}

// createNetwork makes the network, unless it is there: the configuration comes
// last. What a power cut has left of it is removed, as the product advises.
func createNetwork() error {
	if _, err := os.Stat(configFile); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(bookFile); err == nil {
		if err := command("network", "remove", networkName, "--yes"); err != nil {
			return err
		}
	}
	return command("network", "create", networkName, root.String(), "--endpoint", "192.0.2.1:51820", "--name", coordinatorName)
}

// command runs the product's command line.
func command(args ...string) error {
	out, err := exec.Command(ginnel, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ginnel %v: %w: %s", args, err, out)
	}
	return nil
}

// start starts the daemon and waits until it serves the network.
func (c *coordinatorMachine) start() error {
	c.daemon = exec.Command(ginnel, "daemon")
	c.daemon.Stdout, c.daemon.Stderr = &c.log, &c.log
	if err := c.daemon.Start(); err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if st, err := c.client.Status(context.Background()); err == nil && len(st.Networks) == 1 && st.Networks[0].State == local.Up {
			return nil
		}
	}
	return errors.Join(errors.New("the daemon does not serve the network"), c.stop())
}

// stop stops the daemon; its error has what the daemon logged if it failed.
func (c *coordinatorMachine) stop() error {
	if err := c.daemon.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := c.daemon.Wait(); err != nil {
		return fmt.Errorf("daemon: %w: %s", err, c.log.String())
	}
	return nil
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

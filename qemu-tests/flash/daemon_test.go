package flash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"ginnel/daemon/local"
)

// ginnel is the product, in the guest.
const ginnel = "/bin/ginnel"

// socket is where it listens.
const socket = "/run/ginnel.sock"

// product is where the product has its files, and its daemon.
type product struct {
	config, state string
	client        *local.Client // as the command line has one
	daemon        *exec.Cmd
	log           bytes.Buffer // of the daemon
}

// productAt is one with its files in a directory, which it makes itself.
func productAt(dir string) *product {
	p := &product{config: filepath.Join(dir, "ginnel.conf"), state: filepath.Join(dir, "ginnel"), client: local.NewClient(socket)}
	for name, value := range map[string]string{"GINNEL_CONFIG": p.config, "GINNEL_STATE": p.state, "GINNEL_SOCKET": socket} {
		os.Setenv(name, value)
	}
	return p
}

// command runs the product's command line.
func (p *product) command(args ...string) error {
	out, err := exec.Command(ginnel, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ginnel %v: %w: %s", args, err, out)
	}
	return nil
}

// start starts the daemon and waits until it answers.
func (p *product) start() error {
	p.daemon = exec.Command(ginnel, "daemon")
	p.daemon.Stdout, p.daemon.Stderr = &p.log, &p.log
	if err := p.daemon.Start(); err != nil {
		return err
	}
	return p.until("the daemon does not answer", func(*local.Status) bool { return true })
}

// until waits until status is as it should be; not says what is wrong when it
// does not become so.
func (p *product) until(not string, done func(*local.Status) bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if st, err := p.client.Status(context.Background()); err == nil && done(st) {
			return nil
		}
	}
	return errors.Join(errors.New(not), p.stop(), errors.New(p.log.String()))
}

// isUp tells whether the one network there is has an interface.
func isUp(st *local.Status) bool { return len(st.Networks) == 1 && st.Networks[0].State == local.Up }

// stop stops the daemon; its error has what the daemon logged if it failed.
func (p *product) stop() error {
	if err := p.daemon.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.daemon.Wait(); err != nil {
		return fmt.Errorf("daemon: %w: %s", err, p.log.String())
	}
	return nil
}

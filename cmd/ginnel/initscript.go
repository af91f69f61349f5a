package main

import (
	"context"
	"fmt"
	"os"
)

// reload makes a running daemon read the configuration. On OpenWrt what it says
// to the firewall is known by the service's script, which is told after that.
func (e *env) reload(ctx context.Context) error {
	if err := e.client().Reload(ctx); err != nil || e.paths.script == "" {
		return err
	}
	if err := runScript(e.paths.script, "reload"); err != nil {
		e.note("the firewall is as it was before: %v; try `%s reload`", err, e.paths.script)
	}
	return nil
}

// runScript runs a service's script to its end. What it says is our standard
// error's.
func runScript(path, action string) error {
	p, err := os.StartProcess(path, []string{path, action}, &os.ProcAttr{Files: []*os.File{nil, os.Stderr, os.Stderr}})
	if err != nil {
		return err
	}
	end, err := p.Wait()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !end.Success() {
		return fmt.Errorf("%s %s: %v", path, action, end)
	}
	return nil
}

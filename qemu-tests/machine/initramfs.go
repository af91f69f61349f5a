package machine

import (
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ginnel/qemu-tests/guest"
)

// initramfs is what a machine's root file system is made from.
type initramfs struct {
	tree    string            // modules, see modules
	modules []guest.Module    // paths are the tree's
	init    string            // path of the program, on the host
	files   map[string]string // paths in the guest and on the host
	plan    guest.Plan        // all but Modules, Time and Seed
}

// directories are mount points, and what netlab's hosts have overlays of.
var directories = []string{"/proc", "/sys", "/dev", "/tmp", "/run", "/root", "/etc", "/var/lib", "/usr/local/bin"}

// texts are the few files of a system that Go programs look for.
var texts = map[string]string{
	"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
	"/etc/group":  "root:x:0:\n",
	"/etc/hosts":  "127.0.0.1\tlocalhost\n::1\tlocalhost\n",
}

// write makes the compressed archive at path.
func (r initramfs) write(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make initramfs: %w", err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = fmt.Errorf("make initramfs: %w", closed)
		}
	}()
	// It is read once: more compression costs more than it saves.
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("make initramfs: %w", err)
	}
	if err := r.fill(&archive{w: z}); err != nil {
		return fmt.Errorf("make initramfs: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("make initramfs: %w", err)
	}
	return nil
}

func (r initramfs) fill(a *archive) error {
	for _, dir := range directories {
		a.dir(dir)
	}
	a.link("/var/run", "/run")
	a.char("/dev/console", 5, 1) // init's output, before anything is mounted
	for name, text := range texts {
		a.file(name, 0o644, []byte(text))
	}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		if err := a.copy(name, 0o755, r.files[name]); err != nil {
			return err
		}
	}
	plan := r.plan
	for _, m := range r.modules {
		at := "/modules/" + filepath.Base(m.Path)
		if err := a.copy(at, 0o644, filepath.Join(r.tree, m.Path)); err != nil {
			return err
		}
		plan.Modules = append(plan.Modules, guest.Module{Path: at, Parameters: m.Parameters})
	}
	if err := a.copy(guest.InitPath, 0o755, r.init); err != nil {
		return err
	}
	plan.Time, plan.Seed = time.Now().Unix(), make([]byte, 64)
	_, _ = rand.Read(plan.Seed) // never fails
	text, err := plan.Encode()
	if err != nil {
		return err
	}
	a.file(guest.PlanPath, 0o644, text)
	return a.close()
}

// copy adds a file of the host.
func (a *archive) copy(name string, mode uint32, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	a.file(name, mode, content)
	return a.err
}

package state

import "path/filepath"

// Path returns where the state of a network lies in the state directory.
func Path(dir, network string) string { return filepath.Join(dir, network+Extension) }

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRemoving: the script does its work, and succeeds whether or not that
// does, because opkg keeps a package whose script fails.
func TestRemoving(t *testing.T) {
	for _, tc := range []struct {
		name, env, program string
		calls, says        string
	}{
		{"removed", "PKG_UPGRADE=0", "exit 0", "stop clear ", ""},
		{"removed with a bad configuration", "PKG_UPGRADE=0", "exit 1", "stop clear ", "until the next boot"},
		{"upgraded", "PKG_UPGRADE=1", "exit 1", "", ""},
		{"in an image", "IPKG_INSTROOT=/image", "exit 1", "", ""},
	} {
		dir := t.TempDir()
		stub := "#!/bin/sh\nprintf '%s ' \"$1\" >>" + dir + "/calls\n" + tc.program + "\n"
		if err := os.WriteFile(filepath.Join(dir, "stub"), []byte(stub), 0o755); err != nil {
			t.Fatal(err)
		}
		here := strings.NewReplacer("/etc/init.d/ginnel", dir+"/stub", "/usr/bin/ginnel", dir+"/stub")
		cmd := exec.Command("sh", "-c", here.Replace(removing))
		cmd.Env = append(os.Environ(), tc.env)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), tc.says) || tc.says == "" && len(out) > 0 {
			t.Errorf("%s: %v, says %q, want %q", tc.name, err, out, tc.says)
		}
		calls, _ := os.ReadFile(filepath.Join(dir, "calls")) // none were made: there is no file
		if string(calls) != tc.calls {
			t.Errorf("%s: called %q, want %q", tc.name, calls, tc.calls)
		}
	}
}

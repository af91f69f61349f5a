package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ginnel/daemon/config"
)

// shells are how the real shells are asked what a line, their argument,
// becomes.
var shells = map[string][]string{
	"bash": {"bash", "--norc", "-c", `
source <(ginnel completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
# Taken apart as readline does, at spaces, = and :.
eval "COMP_WORDS=($(sed -E 's/([=:]+)/ \1 /g' <<< "$1"))"
[[ $1 == *[\ =:] ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ginnel ginnel "${COMP_WORDS[COMP_CWORD]}"
printf '%s\n' "${COMPREPLY[@]}"`, "bash"},
	"fish": {"fish", "--no-config", "-c", `
ginnel completion fish | source
complete -C $argv[1] | string replace -r '\t.*' ''; true`},
	// zsh completes on a terminal alone: zpty is one. What is offered is printed
	// between < and >. The script is found in $fpath, as it is when installed.
	"zsh": {"zsh", "-f", "-c", `
zmodload zsh/zpty
zpty z 'PS1= zsh -f -i'
ginnel completion zsh > _ginnel
zpty -w z 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D
compadd() { local -a got; builtin compadd -O got "$@"; print -r -- "<"$^got">"; }
ask() { zle complete-word; print -r -- EN""DED; }
zle -N ask; bindkey "^I" ask; print -r -- REA""DY'
zpty -r z out '*READY*'
zpty -w -n z "$1"$'\t'
zpty -r z out '*ENDED*'
print -r -- $out | grep -o '<[^<>]*>' | tr -d '<>' | sort -u`, "zsh"},
}

// TestBehaviour66Shells: what the real shells make of the scripts, with a
// daemon behind the real commands.
func TestBehaviour66Shells(t *testing.T) {
	m := newAdmin(t)
	m.configure("home", config.Coordinator)
	dir := t.TempDir()
	bin := filepath.Join(dir, "ginnel")
	build := exec.Command("go", "build", "-o", bin, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"anna.invitation", "a file"} {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	for name, shell := range shells {
		t.Run(name, func(t *testing.T) {
			for line, want := range map[string]string{
				"ginnel pee":                               "peer",
				"ginnel peer rename ":                      "ann bob carl dan eve",
				"ginnel peer rename c":                     "carl",
				"ginnel peer rename --network home b":      "bob",
				"ginnel association add servers ":          "home phones servers",
				"ginnel join anna.":                        "anna.invitation",
				"ginnel peer invite x --output=anna.":      "anna.invitation",
				"ginnel peer rename --network=h":           "home",
				"ginnel status --sh":                       "--short",
				"ginnel network create x fd00::/64 --list": "--listen-port",
			} {
				got := m.ask(t, dir, append(slices.Clone(shell), line))
				for i := range got {
					if name == "bash" && strings.Contains(got[i], "=") {
						t.Errorf("%q becomes %q, but readline leaves what is before = alone", line, got)
					}
					got[i] = got[i][strings.LastIndex(got[i], "=")+1:]
				}
				slices.Sort(got)
				if strings.Join(got, " ") != want {
					t.Errorf("%q becomes %q, want %q", line, got, want)
				}
			}
		})
	}
}

// ask runs a shell in dir, where ginnel is.
func (m *machine) ask(t *testing.T, dir string, line []string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir, "TERM=dumb", "LC_ALL=C.UTF-8",
		"GINNEL_CONFIG="+m.env.paths.config, "GINNEL_STATE="+m.env.paths.state, "GINNEL_SOCKET="+m.env.paths.socket)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Errorf("%s: %v\n%s", line[0], err, exit.Stderr)
	} else if err != nil {
		t.Fatalf("%s: %v: `make tools` installs the shells", line[0], err)
	}
	return strings.Fields(string(out))
}

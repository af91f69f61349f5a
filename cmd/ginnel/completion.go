package main

import (
	"context"
	_ "embed" // the scripts
)

// The scripts know nothing but how their shell is told what `ginnel complete`
// says, so what they offer is always what this binary takes.
var (
	//go:embed completion/ginnel.bash
	bashScript string
	//go:embed completion/ginnel.zsh
	zshScript string
	//go:embed completion/ginnel.fish
	fishScript string

	scripts = map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}
)

var completionCommands = []command{
	{
		name: "completion", args: "bash|zsh|fish", brief: "Print the script by which a shell completes this program's words",
		about: `To have it in the shell that runs:

  source <(ginnel completion bash)
  source <(ginnel completion zsh)
  ginnel completion fish | source

A package, or "make install", puts it where the shell finds it by itself.`,
		setup: func(*options) action {
			return func(_ context.Context, e *env, args []string) error {
				script := scripts[args[0]]
				if script == "" {
					return usagef("there is no script for %q: there are bash, zsh and fish", args[0])
				}
				return e.print(script)
			}
		},
	},
	{
		name: "complete", args: "[WORD...]", hidden: true, brief: "Print what the last of the words can become",
		about: `What is behind the words, up to the cursor, is a line for each choice: the word, and where there is
something to say of it, a tab and that. A line ":files" stands for the files there are.`,
		setup: func(*options) action {
			return func(ctx context.Context, e *env, args []string) error {
				if len(args) == 0 {
					args = []string{""}
				}
				return e.print(lines(e.complete(ctx, args)))
			}
		},
	},
}

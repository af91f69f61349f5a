package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/pflag"
)

var versionCommands = []command{{
	name: "version", brief: "Print the version",
	setup: func(fs *pflag.FlagSet) action {
		asJSON := jsonOption(fs)
		return func(_ context.Context, e *env, _ []string) error {
			if *asJSON {
				return e.printJSON(map[string]string{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			fmt.Fprintf(e.out, "ginnel %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		}
	},
}}

package main

import (
	"context"
	"fmt"
	"runtime"
)

// build says what this program was built from and for.
type build struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"` // "linux/mipsle"
}

func thisBuild() build {
	return build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
}

var versionCommands = []command{{
	name: "version", brief: "Print the version",
	setup: func(o *options) action {
		asJSON := jsonOption(o)
		return func(_ context.Context, e *env, _ []string) error {
			b := thisBuild()
			if *asJSON {
				return e.printJSON(b)
			}
			fmt.Fprintf(e.out, "ginnel %s (%s, %s)\n", b.Version, b.Go, b.Platform)
			return nil
		}
	},
}}

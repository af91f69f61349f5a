package main

import (
	"slices"
	"strings"
	"testing"
)

type parsed struct {
	yes, verbose  bool
	network, file string
	ranges        []string
	port          uint16
	args          []string
}

func parseLine(line []string) (parsed, error) {
	o := &options{}
	yes, verbose := o.Bool("yes", "y", "do not ask"), o.Bool("verbose", "v", "log more")
	network, file := o.String("network", "n", "", "the `NETWORK`"), o.String("file", "", "x", "a `FILE` to read")
	ranges, port := o.Strings("range", "a `RANGE`; may be repeated"), o.Uint16("port", 7, "a `PORT`")
	err := o.parse(line)
	return parsed{*yes, *verbose, *network, *file, *ranges, *port, o.args}, err
}

func TestParseOptions(t *testing.T) {
	for line, want := range map[string]parsed{
		"":                                  {file: "x", port: 7},
		"a -y b --file c":                   {yes: true, file: "c", port: 7, args: []string{"a", "b"}},
		"-yvn home --port=0":                {yes: true, verbose: true, network: "home", file: "x"},
		"-nhome -y":                         {yes: true, network: "home", file: "x", port: 7},
		"--network= --file=a=b":             {file: "a=b", port: 7},
		"--range a --range -b --range=c":    {ranges: []string{"a", "-b", "c"}, file: "x", port: 7},
		"--yes -- --file -v":                {yes: true, file: "x", port: 7, args: []string{"--file", "-v"}},
		"- --port 65535":                    {file: "x", port: 65535, args: []string{"-"}},
		"--network one --network two -n -y": {network: "-y", file: "x", port: 7},
	} {
		got, err := parseLine(strings.Fields(line))
		if err != nil || got.yes != want.yes || got.verbose != want.verbose || got.network != want.network || got.file != want.file ||
			got.port != want.port || !slices.Equal(got.ranges, want.ranges) || !slices.Equal(got.args, want.args) {
			t.Errorf("%q: got %+v, %v, want %+v", line, got, err, want)
		}
	}
}

func TestRefuseOptions(t *testing.T) {
	for line, want := range map[string]string{
		"--colour":     "there is no option --colour",
		"--net home":   "there is no option --net",
		"-yx":          "there is no option -x",
		"--yes=true":   "option --yes takes no value",
		"--network":    "option --network wants a value: --network NETWORK",
		"-yn":          "option -n wants a value: -n NETWORK",
		"--port 65536": `--port takes a number from 0 to 65535, not "65536"`,
		"--port=-1":    `--port takes a number from 0 to 65535, not "-1"`,
		"-y --help":    errHelp.Error(),
		"-vh":          errHelp.Error(),
	} {
		if got, err := parseLine(strings.Fields(line)); err == nil || err.Error() != want {
			t.Errorf("%q: got %+v, %v, want %q", line, got, err, want)
		}
	}
}

func TestOptionsHelp(t *testing.T) {
	o := &options{}
	o.Bool("yes", "y", "do not ask")
	o.String("hosts", "", "/etc/hosts", "the hosts `FILE`, or none")
	o.Uint16("port", 0, "a `PORT`")
	want := "  -y, --yes          do not ask\n" +
		"      --hosts FILE   the hosts FILE, or none (default /etc/hosts)\n" +
		"      --port PORT    a PORT\n"
	if got := o.usage(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

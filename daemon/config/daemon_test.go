package config_test

import (
	"math"
	"testing"

	"ginnel/daemon/config"
)

// TestDaemonSection has what the section means; other sections do not mind it.
func TestDaemonSection(t *testing.T) {
	const network = "config network a\n\toption role peer\n\tlist coordinator x:1\n"
	for _, c := range []struct {
		text  string
		gogc  int
		limit int64
	}{
		{"", 50, 0},
		{network, 50, 0},
		{"config daemon 'daemon'\n", 50, 0},
		{"config daemon 'daemon'\n\toption gogc '100'\n" + network, 100, 0},
		{network + "config daemon\n\toption gomemlimit '24MiB'\n", 50, 24 << 20},
		{"config daemon d\n\toption gogc 10\n\toption gomemlimit off\n", 10, math.MaxInt64},
		{"config daemon\n\toption gomemlimit 8388608\n", 50, 8 << 20},
		{"config daemon\n\toption gomemlimit 8388608B\n", 50, 8 << 20},
		{"config daemon\n\toption gomemlimit 8192KiB\n", 50, 8 << 20},
		{"config daemon\n\toption gomemlimit 1GiB\n", 50, 1 << 30},
		{"config daemon\n\toption gomemlimit 8388607TiB\n", 50, 8388607 << 40},
	} {
		got, err := config.Parse("f", []byte(c.text))
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if want := (config.Daemon{GOGC: c.gogc, MemoryLimit: c.limit}); got.Daemon != want {
			t.Errorf("%q means %+v, want %+v", c.text, got.Daemon, want)
		}
	}
}

func TestDaemonSectionErrors(t *testing.T) {
	const section = "config daemon 'daemon'\n\t"
	for _, c := range []struct{ text, want string }{
		{section + "option gogc off", `f:2: section daemon, option gogc: "off" is not a number from 10 to 1000`},
		{section + "option gogc 9", `f:2: section daemon, option gogc: "9" is not a number from 10 to 1000`},
		{section + "option gomemlimit 32MB", `f:2: section daemon, option gomemlimit: "32MB" is neither a number with B, KiB, MiB, GiB or TiB behind it, such as 32MiB, nor "off"`},
		{section + "option gomemlimit -1", `f:2: section daemon, option gomemlimit: "-1" is neither a number with B, KiB, MiB, GiB or TiB behind it, such as 32MiB, nor "off"`},
		{section + "option gomemlimit 8388608TiB", `f:2: section daemon, option gomemlimit: "8388608TiB" is neither a number with B, KiB, MiB, GiB or TiB behind it, such as 32MiB, nor "off"`},
		{section + "option gomemlimit 7MiB", "f:2: section daemon, option gomemlimit: 7MiB is too little to work in: 8MiB at least"},
		{section + "option gomemlimit 32", "f:2: section daemon, option gomemlimit: 32 is too little to work in: 8MiB at least"},
		{section + "option role peer", "f:2: section daemon, option role: is not known: those that are: gogc, gomemlimit"},
		{section + "list gogc 50", `f:2: section daemon, option gogc: has one value: write "option gogc '...'"`},
		{section + "option gogc 50\n\toption gogc 60", "f:3: section daemon, option gogc: is given before, in line 2: remove one"},
		{section + "\nconfig daemon\n", "f:3: section @daemon[1]: there is one of type daemon already: put its options there"},
		{"config daemon\n\toption gogc x", `f:2: section @daemon[0], option gogc: "x" is not a number from 10 to 1000`},
	} {
		_, err := config.Parse("f", []byte(c.text+"\n"))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: error\n%v\nwant\n%s", c.text, err, c.want)
		}
	}
}

// TestEditKeepsTheDaemon: what writes networks leaves the section as it is.
func TestEditKeepsTheDaemon(t *testing.T) {
	const section = "config daemon 'daemon'\n\toption gogc '70' # enough\n"
	text, err := config.Set("f", []byte(section), peer("home", nil))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = config.Remove("f", text, "home"); err != nil || string(text) != section {
		t.Errorf("left is %q (%v), want %q", text, err, section)
	}
	if text, err = config.Remove("f", []byte(section), "daemon"); err != nil || string(text) != section {
		t.Errorf("left is %q (%v) after a network daemon was removed", text, err)
	}
}

package config_test

import (
	"strings"
	"testing"

	"ginnel/daemon/config"
)

// TestRefused has what can be used of texts that something is wrong with.
func TestRefused(t *testing.T) {
	const (
		home   = "config network home\n\toption role peer\n\tlist coordinator x:1\n\toption listen_port 1\n"
		lab    = "config network lab\n\toption role peer\n\tlist coordinator x:1\n"
		daemon = "config daemon\n\toption gogc 20\n"
	)
	for _, c := range []struct{ name, text, good, refused, says string }{
		{"nothing is wrong", home + lab, "home lab", "", ""},
		{"an option", lab + "\toption newer 1\n" + home, "home", "lab", "f:4: section lab, option newer"},
		{"two sections", home + "\toption mtu 1\n" + lab + "\toption mtu 1\n", "", "home lab", "f:9: section lab, option mtu"},
		{"a value", home + lab + "\toption mtu big\n", "home", "lab", "f:8: section lab, option mtu"},
		{"a role that is missing", home + "config network lab\n", "home", "lab", "f:5: section lab, option role"},
		{"a name", home + "config network Lab\n\toption role peer\n\tlist coordinator x:1\n", "home", "Lab", "f:5: section Lab"},
		{"a port that another has", home + lab + "\toption listen_port 1\n", "home", "lab", "f:8: section lab, option listen_port"},
		{"a port that a refused one has", home + "\toption mtu 1\n" + lab + "\toption listen_port 1\n", "", "home lab", "f:9: section lab, option listen_port"},
		{"an interface that another has", home + lab + "\toption interface_mode existing\n\toption interface home\n", "home", "lab", "f:5: section lab: interface home"},
		{"a section of another kind", home + "config vpn x\n" + lab, "home lab", "", "f:5: section x"},
		{"one without a name", home + "config network\n\toption role peer\n" + lab, "home lab", "", "f:5: section @network[1]"},
		{"the daemon's section", daemon + "\toption more 1\n" + home, "home", "", "f:3: section @daemon[0], option more"},
		{"another section of the daemon's", daemon + daemon + home, "home", "", "f:3: section @daemon[1]"},
		{"what is not UCI", daemon + home + "option\n" + lab, "", "", "f:7: "},
	} {
		cfg, err := config.Parse("f", []byte(c.text))
		var good, refused []string
		for _, n := range cfg.Networks {
			if n.Refused {
				refused = append(refused, n.Name)
			} else {
				good = append(good, n.Name)
			}
		}
		if g, r := strings.Join(good, " "), strings.Join(refused, " "); g != c.good || r != c.refused {
			t.Errorf("%s: %q are right and %q refused, want %q and %q", c.name, g, r, c.good, c.refused)
		}
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.says)
		}
		want := config.DefaultGOGC
		if strings.HasPrefix(c.text, daemon+daemon) {
			want = 20 // the first is right
		}
		if cfg.Daemon.GOGC != want {
			t.Errorf("%s: gogc is %d, want %d", c.name, cfg.Daemon.GOGC, want)
		}
	}
}

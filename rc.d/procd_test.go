package rcd

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func newRouter(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, "ginnel")
	w.write("sbin/ujail", "")
	w.ok(os.Chmod(w.path("sbin/ujail"), 0o755))
	w.call("enable")
	return w
}

const (
	unprivileged = `user ginnel
group ginnel
capabilities /etc/capabilities/ginnel.json
no_new_privs 1
jail ginnel
`
	asked = `service ginnel
command /usr/bin/ginnel daemon
respawn 3600 5 0
file /usr/bin/ginnel /etc/capabilities/ginnel.json
stdout 1
stderr 1
term_timeout 10
` + unprivileged + `trigger: config.change of ginnel: reload
firewall:
`
)

// TestStart has all that procd is asked for. That there is no reload_signal, no
// limit and no mount matters as much as what there is.
func TestStart(t *testing.T) {
	w := newRouter(t)
	w.asks("start", asked+"procd: started\nchanged: firewall")
	w.asks("start", asked+"procd: goes on\nchanged: firewall")
	w.asks("stop", "procd: stopped\nchanged: firewall")
	w.asks("boot", asked+"procd: started\nchanged: firewall")
	w.asks("restart", "procd: stopped\nchanged: firewall\n"+asked+"procd: started\nchanged: firewall")
}

// TestStartWithoutJail: without ujail procd would give the user no capabilities.
func TestStartWithoutJail(t *testing.T) {
	w := newRouter(t)
	w.ok(os.Remove(w.path("sbin/ujail")))
	w.asks("start", strings.Replace(asked, unprivileged, "", 1)+"procd: started\nchanged: firewall")
}

// TestReload: the daemon is told, and not restarted; one that has just been
// started is not told, because it would die of it.
func TestReload(t *testing.T) {
	w := newRouter(t)
	w.call("start")
	w.write("etc/config/ginnel", "config network 'home'\n\toption listen_port '4000'\n")
	w.asks("reload", "signal ginnel HUP\n"+asked+"  type=rule target=ACCEPT src=* proto=udp dest_port=4000\n"+
		"  type=rule target=ACCEPT src=* device=home direction=in proto=icmp icmp_type=echo-request\n"+
		"  type=rule target=ACCEPT src=* device=home direction=in proto=udp dest_port=51819\nprocd: goes on\nchanged: firewall")
	w.call("stop")
	w.does("reload", "signal ginnel HUP, procd: started")
}

// TestUpgrade: opkg stops and starts what it upgrades, apk only starts it; both
// do so though it is disabled.
func TestUpgrade(t *testing.T) {
	const upgrade = "PKG_UPGRADE=1"
	for _, c := range []struct {
		name                   string
		opkg, enabled, running bool
		want                   string
	}{
		{"opkg, enabled and running", true, true, true, "procd: started"},
		{"opkg, enabled and stopped", true, true, false, "procd: started"},
		{"opkg, disabled and running", true, false, true, "procd: started"},
		{"opkg, disabled", true, false, false, ""},
		{"apk, enabled and running", false, true, true, "procd: restarted"},
		{"apk, enabled and stopped", false, true, false, "procd: started"},
		{"apk, disabled and running", false, false, true, "procd: restarted"},
		{"apk, disabled", false, false, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRouter(t)
			w.call("start")
			if !c.running {
				w.call("stop")
			}
			if !c.enabled {
				w.call("disable")
			}
			if c.opkg {
				w.does("stop", "procd: stopped", upgrade)
			}
			w.write("usr/bin/ginnel", "second")
			w.does("start", c.want, upgrade)
			if asked := w.read("asked"); c.want == "" && strings.Contains(asked, "trigger") {
				t.Errorf("a service that stays disabled is registered, and would be started by a change of its configuration: %s", asked)
			}
			if c.opkg && c.running {
				w.call("stop")
				w.call("disable")
				w.does("start", "", upgrade) // the upgrade before is forgotten
			}
		})
	}
}

// TestUpgradedCapabilities: they are the process's from its start on.
func TestUpgradedCapabilities(t *testing.T) {
	w := newRouter(t)
	w.call("start")
	w.write("etc/capabilities/ginnel.json", `{"bounding": []}`)
	w.does("start", "procd: restarted")
}

// TestFiles: the daemon's user can read and write what it has to, whoever wrote
// it before; what was right before is not written again, because it is in flash.
func TestFiles(t *testing.T) {
	w := newRouter(t)
	w.write("etc/ginnel/home.state", "root's, who ran a command")
	w.write("etc/shadow", "")
	w.ok(os.Symlink("/etc/shadow", w.path("etc/ginnel/link")))
	w.ok(os.Remove(w.path("etc/config/ginnel")))
	w.call("start")
	for _, f := range []struct {
		name     string
		perm     os.FileMode
		uid, gid uint32
	}{
		{"etc/config/ginnel", 0o640, 0, owner},
		{"etc/ginnel", 0o700, owner, owner},
		{"etc/ginnel/home.state", 0o644, owner, owner},
		{"var/run/ginnel", 0o755, owner, owner},
		{"tmp/hosts", 0o775, 0, owner},
		{"etc/shadow", 0o644, 0, 0},
	} {
		if perm, uid, gid := w.mode(f.name); perm != f.perm || uid != f.uid || gid != f.gid {
			t.Errorf("%s is %v of %d and %d, want %v of %d and %d", f.name, perm, uid, gid, f.perm, f.uid, f.gid)
		}
	}
	files := []string{"etc/config/ginnel", "etc/ginnel", "etc/ginnel/home.state", "etc/ginnel/link"}
	var before []syscall.Timespec
	for _, f := range files {
		before = append(before, w.changed(f))
	}
	w.call("start")
	for i, f := range files {
		if at := w.changed(f); at != before[i] {
			t.Errorf("%s was written again: %v, before %v", f, at, before[i])
		}
	}
	w.ok(os.Chown(w.path("etc/config/ginnel"), 0, 0)) // as uci writes it anew
	w.ok(os.Chmod(w.path("etc/config/ginnel"), 0o600))
	w.call("reload")
	if seen := w.read("seen"); !strings.HasPrefix(seen, "-rw-r-----") || !strings.Contains(seen, " ginnel ") {
		t.Errorf("the daemon reads its configuration again, and cannot: %s", seen)
	}
}

// changed tells when a file's owner, mode or content was written last.
func (w *world) changed(name string) syscall.Timespec {
	w.Helper()
	info, err := os.Lstat(w.path(name))
	w.ok(err)
	return info.Sys().(*syscall.Stat_t).Ctim
}

// TestFirewall has the rules that sections mean.
func TestFirewall(t *testing.T) {
	const (
		port    = "type=rule target=ACCEPT src=* proto=udp dest_port=51820"
		ping    = "type=rule target=ACCEPT src=* device=LINK direction=in proto=icmp icmp_type=echo-request"
		news    = "type=rule target=ACCEPT src=* device=LINK direction=in proto=udp dest_port=51819"
		api     = "type=rule target=ACCEPT src=* device=LINK direction=in proto=tcp dest_port=51820"
		input   = "type=rule target=ACCEPT src=* device=LINK direction=in proto=all"
		forward = "type=rule target=ACCEPT src=lan dest=* device=LINK direction=out proto=all"
		nat     = "type=nat target=MASQUERADE src=* device=LINK family=any proto=all"
	)
	w := newRouter(t)
	for _, c := range []struct {
		name, section, link string
		want                []string
	}{
		{"a port of any kind", "config network home\noption role peer", "home", []string{ping, news}},
		{"an invitation alone", "config network home\noption invitation ginnel1x", "home", []string{ping, news}},
		{"an invitation and a port", "config network home\noption invitation ginnel1x\noption listen_port 51820", "home", []string{port, ping, news}},
		{"a peer", "config network home\noption role peer\noption listen_port 51820", "home", []string{port, ping, news}},
		{"a dash", "config network my_home\noption role peer\noption listen_port 51820", "my-home", []string{port, ping, news}},
		{"a coordinator", "config network home\noption role coordinator\noption listen_port 51820", "home", []string{port, ping, news, api}},
		{"another's interface", "config network home\noption role peer\noption interface_mode existing\noption interface wg0", "wg0", []string{ping, news}},
		{"input", "config network home\noption role coordinator\noption listen_port 51820\noption allow_input on", "home", []string{port, input}},
		{"lan", "config network home\noption role peer\noption listen_port 51820\noption allow_lan 1", "home", []string{port, ping, news, forward, nat}},
		{"both", "config network home\noption role peer\noption allow_lan true\noption allow_input yes", "home", []string{input, forward, nat}},
		{"no firewall", "config network home\noption role peer\noption listen_port 51820\noption firewall 0\noption allow_lan 1", "home", nil},
		{"off", "config network home\noption role peer\noption listen_port 51820\noption enabled 0", "home", nil},
		{"the daemon's section", "config daemon daemon\noption gogc 50", "", nil},
	} {
		w.write("etc/config/ginnel", c.section+"\n")
		var got []string
		for _, line := range w.call("start") {
			if rule, ok := strings.CutPrefix(line, "  "); ok {
				got = append(got, rule)
			}
		}
		want := strings.ReplaceAll(strings.Join(c.want, "\n"), "LINK", c.link)
		if s := strings.Join(got, "\n"); s != want {
			t.Errorf("%s: rules\n%s\nwant\n%s", c.name, s, want)
		}
	}
}

// TestFirewallThatLetsIn: where the firewall's default lets in what is in no
// zone, peers get no further than elsewhere.
func TestFirewallThatLetsIn(t *testing.T) {
	const refuse = "  type=rule target=REJECT src=* device=home direction=in proto=all"
	w := newRouter(t)
	for _, c := range []struct {
		policy, option string
		want           bool
	}{
		{"ACCEPT", "", true}, {"accept", "", true},
		{"REJECT", "", false}, {"DROP", "", false}, {"", "", false},
		{"ACCEPT", "option allow_input 1", false}, {"ACCEPT", "option firewall 0", false},
	} {
		w.write("etc/config/firewall.input", c.policy+"\n")
		w.write("etc/config/ginnel", "config network home\noption role coordinator\noption listen_port 51820\n"+c.option+"\n")
		asked := w.call("start")
		at := slices.Index(asked, refuse)
		if got := at >= 0; got != c.want {
			t.Errorf("default %q, %q: peers are refused: %v, want %v", c.policy, c.option, got, c.want)
		}
		if accept := slices.IndexFunc(asked, func(s string) bool { return strings.Contains(s, "proto=tcp dest_port=51820") }); c.want && at < accept {
			t.Errorf("default %q: peers are refused in rule %d, before the API is let in by %d", c.policy, at, accept)
		}
	}
}

// TestTwoNetworks: one's options are not the other's.
func TestTwoNetworks(t *testing.T) {
	w := newRouter(t)
	w.write("etc/config/ginnel", "config network a\noption role peer\noption allow_input 1\nconfig network b\noption role peer\n")
	asked := strings.Join(w.call("start"), "\n")
	for _, rule := range []string{"device=a direction=in proto=all", "device=b direction=in proto=icmp"} {
		if !strings.Contains(asked, rule) {
			t.Errorf("no rule with %q:\n%s", rule, asked)
		}
	}
	if strings.Contains(asked, "device=b direction=in proto=all") {
		t.Errorf("b is open as a is:\n%s", asked)
	}
}

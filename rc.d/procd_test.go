package rcd

import (
	"os"
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
	w.write("rules", "rule ACCEPT src=* proto=udp dest_port=4000\nnat MASQUERADE src=*\n")
	w.asks("reload", "signal ginnel HUP\n"+asked+"  type=rule target=ACCEPT src=* proto=udp dest_port=4000\n"+
		"  type=nat target=MASQUERADE src=*\nprocd: goes on\nchanged: firewall")
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
			w.write("usr/bin/ginnel", program("second"))
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

// TestFirewall has the rules that the program makes of a configuration; which
// those are is for its own tests. Where the firewall's default lets in what is in
// no zone there is one more.
func TestFirewall(t *testing.T) {
	const (
		rules = `  type=rule target=ACCEPT src=* proto=udp dest_port=51820
  type=rule target=ACCEPT src=* device=home direction=in proto=icmp icmp_type=echo-request
  type=rule target=ACCEPT src=* device=home direction=in proto=udp dest_port=51819
`
		refuse = "  type=rule target=REJECT src=* device=home direction=in proto=all\n"
		lan    = `  type=rule target=ACCEPT src=lan dest=* device=home direction=out proto=all
  type=nat target=MASQUERADE src=* device=home family=any proto=all
`
		started = "procd: started\nchanged: firewall"
	)
	w := newRouter(t)
	w.build()
	w.write("etc/openwrt_release", "")
	w.write("etc/config/ginnel", "config network home\n\toption role peer\n\tlist coordinator 192.0.2.1:51820\n\toption listen_port 51820\n\toption allow_lan 1\n")
	for policy, want := range map[string]string{"": rules + lan, "REJECT": rules + lan, "ACCEPT": rules + refuse + lan} {
		w.write("etc/config/firewall.input", policy+"\n")
		w.asks("start", asked+want+started)
		w.call("stop")
	}
}

// TestRefusedConfiguration: a reload that the daemon refuses leaves its networks
// as they are, and their rules; at a start it runs those that are right.
func TestRefusedConfiguration(t *testing.T) {
	w := newRouter(t)
	w.build()
	w.write("etc/openwrt_release", "")
	const right = "config network home\n\toption role peer\n\tlist coordinator 192.0.2.1:51820\nconfig network work\n\toption role peer\n\tlist coordinator 192.0.2.1:51820\n\toption allow_input 1\n"
	for _, c := range []struct {
		name, line string
		home       bool // is right
	}{
		{"an unknown option", "\toption color red\n", true},
		{"a quote is open", "\toption mtu '1400\n", false},
	} {
		w.write("etc/config/ginnel", right)
		w.call("start")
		w.write("etc/config/ginnel", right+c.line)
		w.asks("reload", "signal ginnel HUP")
		w.call("stop")
		rules := strings.Join(w.call("start"), "\n")
		if home, work := strings.Contains(rules, "device=home"), strings.Contains(rules, "device=work"); home != c.home || work {
			t.Errorf("%s: rules for home %v, want %v, for work %v:\n%s", c.name, home, c.home, work, rules)
		}
		w.call("stop")
	}
}

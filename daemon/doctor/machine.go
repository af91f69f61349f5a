package doctor

import (
	"errors"
	"fmt"
	"time"

	"ginnel/daemon/local"
	"ginnel/platform"
	"ginnel/platform/dbfile"
)

func checkConfiguration(x *exam) Finding {
	c := &x.Config
	switch {
	case c.Missing, c.Err == nil && len(x.Networks)+len(x.Others) == 0:
		return failed("this machine is in no network",
			"`ginnel join` joins one, with an invitation of its admin.", "`ginnel network create` makes one.")
	case errors.Is(c.Err, platform.ErrPermission):
		return unknown("only root may read %s", c.Path)
	case c.Err != nil:
		return failed(c.Err.Error(), "Correct that line of "+c.Path+"; docs/ginnel.conf.example explains every option.")
	}
	return ok("%s has %s", c.Path, plural(len(x.Networks)+len(x.Others), "network"))
}

// othersMode are the permission bits by which others than the owner look in.
const othersMode = 0o077

func checkFiles(x *exam) Finding {
	s := &x.State
	switch {
	case errors.Is(s.Err, platform.ErrPermission):
		return unknown("only root may look into %s", s.Path)
	case errors.Is(s.Err, platform.ErrNotExist) && len(x.Networks) > 0:
		return failed(s.Path+" does not exist, with who this machine is in its networks",
			"Put a copy of the directory back, if there is one.", "Otherwise `ginnel leave` and join with a new invitation.")
	case errors.Is(s.Err, platform.ErrNotExist):
		return ok("none, and none are needed")
	case s.Err != nil:
		return failed(s.Err.Error())
	case s.Mode&othersMode != 0:
		return warning(fmt.Sprintf("%s, which holds private keys, is open to others (mode %04o)", s.Path, s.Mode),
			fmt.Sprintf("chmod 0700 %s", s.Path))
	}
	return ok("%s", s.Path)
}

// Below leastFree bytes a map or a book may not fit any more.
const leastFree = 512 << 10

func checkDisk(x *exam) Finding {
	m := &x.Machine
	switch {
	case m.Total == 0:
		return unknown("the file system of %s does not tell its size", x.State.Path)
	case m.Free == 0:
		return failed("the file system of "+x.State.Path+" is full", "Delete something there: nothing that changes can be kept.")
	case m.Free < leastFree:
		return warning(fmt.Sprintf("%d kB are free for %s", m.Free>>10, x.State.Path), "Make room: what does not fit is lost at the next restart.")
	}
	return ok("%d MB are free for %s", m.Free>>20, x.State.Path)
}

// born is before any clock that is right.
var born = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// Clocks that are farther apart are worth a word.
const clockSlack = time.Minute

func checkClock(x *exam) Finding {
	const sync = "Set the clock, and have it kept right: an NTP client (on OpenWrt: /etc/init.d/sysntpd enable; start)."
	if x.Now.Before(born) {
		return failed("this machine's clock says "+x.Now.Format(time.DateOnly), sync,
			"WireGuard takes no handshake that is older than the last one it had: until then peers refuse this machine.")
	}
	for i := range x.Networks {
		n := &x.Networks[i]
		if !n.API.Clock || n.IsCoordinator() {
			continue
		}
		if d := n.API.Ahead.Round(time.Second); d.Abs() > clockSlack {
			return warning(fmt.Sprintf("this machine's clock is %v %s the coordinator's of %s", d.Abs(), direction(d), n.Name), sync,
				"Whichever is ahead must not be set back by much while it runs: WireGuard takes no handshake older than the last.")
		}
		return ok("as the coordinator's of %s", n.Name)
	}
	return ok("%s, as far as can be told without a coordinator's", x.Now.UTC().Format("2006-01-02 15:04 MST"))
}

func direction(ahead time.Duration) string {
	if ahead > 0 {
		return "ahead of"
	}
	return "behind"
}

func checkDaemon(x *exam) Finding {
	d := &x.Daemon
	start := "systemctl start ginnel"
	if x.OpenWrt {
		start = "/etc/init.d/ginnel start"
	}
	switch {
	case errors.Is(d.Err, local.ErrNotPermitted):
		return unknown("%v", d.Err)
	case errors.Is(d.Err, local.ErrNotRunning):
		return failed("the daemon is not running", "Start it: "+start, "If it ends again its log says why ("+x.log()+").")
	case d.Err != nil:
		return failed(d.Err.Error(), "Its log may say why ("+x.log()+").")
	case len(d.Problems) > 0:
		return failed(d.Problems[0], "The daemon goes on with what it had. Correct the file, then: ginnel doctor")
	case d.Version != x.Version:
		return warning(fmt.Sprintf("the daemon that runs is version %s, this program is %s", d.Version, x.Version),
			"Restart the daemon: "+restarted(start))
	}
	return ok("version %s runs", d.Version)
}

func restarted(start string) string {
	if start == "systemctl start ginnel" {
		return "systemctl restart ginnel"
	}
	return "/etc/init.d/ginnel restart"
}

func (x *exam) log() string {
	if x.OpenWrt {
		return "logread -e ginnel"
	}
	return "journalctl -u ginnel"
}

// checkState looks at the file of one network.
func checkState(x *exam) Finding {
	n := x.n
	running := n.Status != nil && n.Status.State == local.Up
	switch {
	case n.StateErr == nil:
		return ok("this machine is %s in %s", n.Address, n.Root)
	case running:
		return ok("the daemon has it")
	case errors.Is(n.StateErr, platform.ErrPermission):
		return unknown("only root may read it")
	case errors.Is(n.StateErr, platform.ErrNotExist):
		return failed("who this machine is in the network is lost: "+n.StateErr.Error(), restore(n)...)
	case errors.Is(n.StateErr, dbfile.ErrDamaged):
		return failed(n.StateErr.Error(), restore(n)...)
	}
	return failed(n.StateErr.Error())
}

func restore(n *Network) []string {
	advice := []string{fmt.Sprintf("Put a copy of the file back and run: ginnel up %s", n.Name)}
	if n.IsCoordinator() {
		return append(advice, "Or `ginnel restore` a backup of the coordinator.")
	}
	return append(advice, fmt.Sprintf("Or `ginnel leave %s` and join with a new invitation.", n.Name))
}

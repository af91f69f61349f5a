package doctor

import (
	"errors"
	"strings"
	"time"

	"ginnel/daemon/local"
	"ginnel/platform"
	"ginnel/platform/dbfile"
)

func checkConfiguration(x *exam) *Finding {
	c := &x.Config
	switch {
	case c.Missing, c.Err == nil && len(x.Networks)+len(x.Others) == 0:
		return failed("this machine is in no network" +
			do + "`ginnel join` joins one, with an invitation of its admin." +
			do + "`ginnel network create` makes one.")
	case errors.Is(c.Err, platform.ErrPermission):
		return unknown("only root may read %s", c.Path)
	case c.Err != nil:
		return failed("%v"+do+"Correct that line of %s; docs/ginnel.conf.example explains every option.", c.Err, c.Path)
	}
	return ok("%s has %s", c.Path, plural(len(x.Networks)+len(x.Others), "network"))
}

// othersMode are the permission bits by which others than the owner look in.
const othersMode = 0o007

func checkFiles(x *exam) *Finding {
	s := &x.State
	switch {
	case errors.Is(s.Err, platform.ErrPermission):
		return unknown("only root may look into %s", s.Path)
	case errors.Is(s.Err, platform.ErrNotExist) && len(x.Networks) > 0:
		return failed("%s does not exist, with who this machine is in its networks"+
			do+"Put a copy of the directory back, if there is one."+
			do+"Otherwise `ginnel leave` and join with a new invitation.", s.Path)
	case errors.Is(s.Err, platform.ErrNotExist):
		return ok("none, and none are needed")
	case s.Err != nil:
		return failed("%v", s.Err)
	case s.Mode&othersMode != 0:
		return warning("%s, which holds private keys, is open to others (mode %04o)"+do+"chmod 0700 %[1]s", s.Path, s.Mode)
	}
	return ok("%s", s.Path)
}

// Below leastFree bytes a map or a book may not fit any more.
const leastFree = 512 << 10

func checkDisk(x *exam) *Finding {
	m := &x.Machine
	switch {
	case m.Total == 0:
		return unknown("the file system of %s does not tell its size", x.State.Path)
	case m.Free == 0:
		return failed("the file system of %s is full"+do+"Delete something there: nothing that changes can be kept.", x.State.Path)
	case m.Free < leastFree:
		return warning("%d kB are free for %s"+do+"Make room: what does not fit is lost at the next restart.", m.Free>>10, x.State.Path)
	}
	return ok("%d MB are free for %s", m.Free>>20, x.State.Path)
}

// born is before any clock that is right.
var born = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// Clocks that are farther apart are worth a word.
const clockSlack = time.Minute

func checkClock(x *exam) *Finding {
	const sync = do + "Set the clock, and have it kept right: an NTP client (on OpenWrt: /etc/init.d/sysntpd enable; start)."
	if x.Now.Before(born) {
		return failed("this machine's clock says %s"+sync+
			do+"WireGuard takes no handshake that is older than the last one it had: until then peers refuse this machine.", x.Now.Format(time.DateOnly))
	}
	for i := range x.Networks {
		n := &x.Networks[i]
		if !n.API.Clock || n.IsCoordinator() {
			continue
		}
		if d := n.API.Ahead.Round(time.Second); d.Abs() > clockSlack {
			return warning("this machine's clock is %v %s the coordinator's of %s"+sync+
				do+"Whichever is ahead must not be set back by much while it runs: WireGuard takes no handshake older than the last.", d.Abs(), direction(d), n.Name)
		}
		return ok("as the coordinator's of %s", n.Name)
	}
	return ok("%s, with no other to compare it with", x.Now.UTC().Format("2006-01-02 15:04 MST"))
}

func direction(ahead time.Duration) string {
	if ahead > 0 {
		return "ahead of"
	}
	return "behind"
}

func checkDaemon(x *exam) *Finding {
	d := &x.Daemon
	switch {
	case errors.Is(d.Err, local.ErrNotPermitted):
		return unknown("%v", d.Err)
	case errors.Is(d.Err, local.ErrNotRunning):
		return failed("the daemon is not running"+do+"Start it: %s"+do+"If it ends again its log says why (%s).", x.service("start"), x.log())
	case d.Err != nil:
		return failed("%v"+do+"Its log may say why (%s).", d.Err, x.log())
	case len(d.Problems) > 0:
		return failed("%s"+do+"Correct the file, then: %s", strings.Join(d.Problems, "; "), x.service("reload"))
	case d.Version != x.Version:
		return warning("the daemon that runs is version %s, this program is %s"+do+"Restart the daemon: %s", d.Version, x.Version, x.service("restart"))
	}
	return ok("version %s runs", d.Version)
}

func (x *exam) service(verb string) string {
	if x.OpenWrt {
		return "/etc/init.d/ginnel " + verb
	}
	return "systemctl " + verb + " ginnel"
}

func (x *exam) log() string {
	if x.OpenWrt {
		return "logread -e ginnel"
	}
	return "journalctl -u ginnel"
}

// checkState looks at the file of one network.
func checkState(x *exam) *Finding {
	n := x.n
	var daemon local.State
	if n.Status != nil {
		daemon = n.Status.State
	}
	switch {
	case n.StateErr == nil:
		return ok("this machine is %s in %s", n.Address, n.Root)
	case daemon == local.Joining:
		return nil // there was none yet, or it is lost: the network's error tells
	case daemon == local.Up:
		return ok("the daemon has it")
	}
	return n.missing("who this machine is in the network is lost", n.StateErr)
}

// checkBook looks at the coordinator's book.
func checkBook(x *exam) *Finding {
	switch n := x.n; {
	case !n.IsCoordinator():
		return nil
	case n.BookErr != nil:
		return n.missing("who is in the network is lost", n.BookErr)
	}
	return ok("it is in order")
}

// missing is about a file of the network that could not be read; lost says what
// that means where there is none.
func (n *Network) missing(lost string, err error) *Finding {
	advice := restore(n)
	switch {
	case errors.Is(err, platform.ErrPermission):
		return unknown("only root may read it")
	case errors.Is(err, platform.ErrNotExist):
		lost += ": "
	case errors.Is(err, dbfile.ErrDamaged):
		lost = ""
	default:
		lost, advice = "", ""
	}
	return failed(lost+"%[1]v"+advice, err, n.Name)
}

// restore is what to do about a lost file, where the network's name is the
// second argument.
func restore(n *Network) string {
	const copied = do + "Put a copy of the file back and run: ginnel up %[2]s"
	if n.IsCoordinator() {
		return copied + do + "Or, with a backup at hand: ginnel network remove %[2]s; ginnel restore FILE"
	}
	return copied + do + "Or `ginnel leave %[2]s` and join with a new invitation."
}

package netlab

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// victimVariable makes the test binary a plain program that builds a world and
// waits to be killed.
const victimVariable = "NETLAB_TEST_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		Program("victim", beVictim)
	}
	Main(m)
}

// beVictim says how to enter its host, and then waits.
func beVictim(t testing.TB) {
	w := New(t)
	r := w.Router("home", FullCone, w.Internet(), "192.168.1.0/24")
	h := w.Host("laptop", r.LAN)
	h.Start("sleep", "1000")
	fmt.Println(h.Enter())
	<-t.Context().Done()
}

// victim is a world inside this one.
type victim struct {
	cmd   *exec.Cmd
	enter string
}

func startVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{cmd: exec.Command("/proc/self/exe")}
	v.cmd.Env = append(os.Environ(), victimVariable+"=1")
	v.cmd.Stderr = os.Stderr
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	v.enter = strings.TrimSpace(line)
	return v
}

// descendants are the process ids of pid and of what it started, in that order.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	parents := map[int]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		parents[child], _ = strconv.Atoi(string(fields[1]))
	}
	found := []int{pid}
	for i := 0; i < len(found); i++ {
		for child, parent := range parents {
			if parent == found[i] {
				found = append(found, child)
			}
		}
	}
	return found
}

// Whichever of a world's processes is killed, nothing of it is left.
func TestNothingIsLeftAfterSIGKILL(t *testing.T) {
	for i, name := range []string{"keeper", "init", "world"} {
		t.Run(name, func(t *testing.T) {
			before := machine(t)
			v := startVictim(t)
			pids := descendants(t, v.cmd.Process.Pid)
			if len(pids) != 4 {
				t.Fatalf("processes %v, want keeper, init, world and sleep", pids)
			}
			here := rtnlHere(t)
			cable(t, here, pids[3])

			if err := syscall.Kill(pids[i], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if err := v.cmd.Wait(); err == nil {
				t.Error("the keeper reports success")
			}
			Eventually(t, soon, "everything is gone", func() error {
				for _, pid := range pids {
					if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
						return fmt.Errorf("process %d is there", pid)
					}
				}
				if cableExists(t, here) {
					return errors.New("the host's network namespace is there")
				}
				return nil
			})
			if after := machine(t); !slices.Equal(before, after) {
				t.Errorf("mounts and files before: %q\nafter: %q", before, after)
			}
		})
	}
}

// machine is what a world could leave behind: mounts and temporary files.
func machine(t *testing.T) []string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(os.TempDir() + "/*")
	if err != nil {
		t.Fatal(err)
	}
	return append(files, string(mounts))
}

const cableName = "to-victim"

// cable joins this namespace and the one that pid is in. It exists as long as
// both do.
func cable(t *testing.T, here *rtnetlink.Conn, pid int) {
	t.Helper()
	peer := &rtnetlink.LinkAttributes{Name: "from-outside", NetNS: rtnetlink.NetNSForPID(uint32(pid))}
	if _, err := makeVeth(here, cableName, peer); err != nil {
		t.Fatal(err)
	}
}

func cableExists(t *testing.T, here *rtnetlink.Conn) bool {
	t.Helper()
	links, err := here.Link.List()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(links, func(l rtnetlink.LinkMessage) bool { return l.Attributes.Name == cableName })
}

func rtnlHere(t *testing.T) *rtnetlink.Conn {
	t.Helper()
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// The command line for people leads into the host; a plain program that is
// asked to end ends well.
func TestEnterAndProgram(t *testing.T) {
	v := startVictim(t)
	out, err := exec.Command("sh", "-c", v.enter+` -c "hostname; ls /sys/class/net; cat /etc/hostname"`).CombinedOutput()
	if err != nil || !slices.Equal(strings.Fields(string(out)), []string{"laptop", "eth0", "lo", "laptop"}) {
		t.Errorf("%s: %v: %q", v.enter, err, out)
	}
	if err := v.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Wait(); err != nil {
		t.Errorf("the program that was asked to end: %v", err)
	}
}

func TestRootIsNeeded(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "must run as root") {
		t.Errorf("without root: %v: %q", err, out)
	}
}

// Orphans in the world are reaped by its init.
func TestOrphansAreReaped(t *testing.T) {
	out, err := exec.Command("sh", "-c", "sleep 0.01 >/dev/null & echo $!").Output()
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, soon, "orphan is reaped", func() error {
		if _, err := os.Stat("/proc/" + strings.TrimSpace(string(out))); err == nil {
			return errors.New("it is there")
		}
		return nil
	})
}

package uapi

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"

	"ginnel/platform"
	"ginnel/platform/platformtest"
)

// programs are wireguard-go's devices, each behind its socket, as separate
// programs have them.
type programs struct {
	dir     string
	enter   func()
	running map[string]func() // what ends each
}

// TestBehaviour57And59Tunnel holds the interfaces of other programs to the contract, with
// wireguard-go as the other program.
func TestBehaviour57And59Tunnel(t *testing.T) {
	platformtest.TunnelOfOthers(t, func(t *testing.T) *platformtest.Others {
		ps := &programs{enter: platformtest.Namespace(t), dir: shortDir(t), running: map[string]func(){}}
		t.Cleanup(func() {
			for name := range ps.running {
				ps.end(t, name)
			}
		})
		return &platformtest.Others{Tunnels: &Tunnels{ps.dir}, Make: ps.start, Remove: ps.end}
	})
}

// shortDir makes a directory whose path fits into a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "uapi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// start starts a program that makes the interface. Its socket is bound in the
// test's namespace, as is all that serving it opens.
func (ps *programs) start(t *testing.T, name string) {
	t.Helper()
	link, err := tun.CreateTUN(name, 1420)
	if err != nil {
		t.Fatal(err)
	}
	dev := device.NewDevice(link, conn.NewDefaultBind(), device.NewLogger(device.LogLevelSilent, ""))
	if err := dev.Up(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(ps.dir, name+".sock"))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		ps.enter()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			dev.IpcHandle(c)
		}
	}()
	ps.running[name] = func() {
		l.Close()
		<-served
		dev.Close()
	}
}

// end ends the program, and its interface with it.
func (ps *programs) end(_ *testing.T, name string) {
	ps.running[name]()
	delete(ps.running, name)
}

// TestOpenRefuses: what is there without a program, and a program that was
// killed, are told from one that answers.
func TestOpenRefuses(t *testing.T) {
	platformtest.Namespace(t)
	ts := &Tunnels{shortDir(t)}
	if out, err := exec.Command("ip", "tuntap", "add", "wg0", "mode", "tun").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	path := filepath.Join(ts.dir, "wg0.sock")
	wantNone := func(when string) {
		t.Helper()
		_, err := ts.Open("wg0", 1380)
		if !errors.Is(err, platform.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error is %v, want that nobody answers at %s", when, err, path)
		}
	}
	wantNone("without a socket")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	wantNone("with a dead program's socket")
}

// TestAnswers: an answer is whole or an error, whatever pieces it comes in.
func TestAnswers(t *testing.T) {
	long := strings.Repeat("public_key=00\n", 1000)
	for text, want := range map[string]string{
		"errno=0\n\n":                  "",
		long + "errno=0\n\n":           "",
		"errno=-98\n\n":                unix.EADDRINUSE.Error(),
		"errno=98\n\n":                 unix.EADDRINUSE.Error(),
		long + "errno=22\n\n":          unix.EINVAL.Error(),
		"":                             "does not answer to the end",
		long:                           "does not answer to the end",
		"errno=0\n":                    "does not answer to the end",
		"HTTP/1.1 400 Bad Request\n\n": "another language",
		"errno=\n\n":                   "another language",
	} {
		for _, piece := range []int{1, 7, 5000} {
			got, err := readAnswer([]byte("before"), &pieces{text, piece})
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%.20q... in pieces of %d: %v, want %q", text, piece, err, want)
			}
			if err == nil && string(got) != "before"+text {
				t.Errorf("%.20q...: %d bytes arrived of %d", text, len(got), len(text))
			}
		}
	}
}

// pieces reads text in pieces of some bytes.
type pieces struct {
	text string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, net.ErrClosed
	}
	n := copy(b[:min(len(b), p.size)], p.text)
	p.text = p.text[n:]
	return n, nil
}

// FuzzReadAnswer: whatever a program answers, in whatever pieces, all of it is
// there or an error.
func FuzzReadAnswer(f *testing.F) {
	f.Add("private_key=00\nerrno=0\n\n", 3)
	f.Add("errno=-98\n\n", 1)
	f.Fuzz(func(t *testing.T, text string, piece int) {
		got, err := readAnswer(nil, &pieces{text, max(1, piece)})
		if err == nil && (!strings.HasPrefix(text, string(got)) || !strings.HasSuffix(string(got), "0\n\n")) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

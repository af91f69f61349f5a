package systemdtests

import "testing"

// absent is what happens to a system that nobody runs: it is a chroot. Each line
// must succeed.
const absent = `
cd "$2/root"
mount -t proc proc proc
cat >script <<'END'
set -ex
dpkg -i /mnt/old.deb
getent passwd ginnel
getent group ginnel
test -L /etc/systemd/system/multi-user.target.wants/ginnel.service
ginnel version
dpkg -i /mnt/new.deb
mkdir -p /etc/ginnel /var/lib/ginnel
touch /etc/ginnel/ginnel.conf /var/lib/ginnel/home.state
dpkg -r ginnel
test -e /var/lib/ginnel/home.state
dpkg -i /mnt/new.deb
dpkg -P ginnel
! find /etc /var/lib /usr /run -iname '*ginnel*' | grep .
END
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot . sh script
`

// TestNotRunning: in a chroot the package is installed, upgraded, removed and
// purged as it should be, and its service will start when somebody boots it.
func TestNotRunning(t *testing.T) {
	does(t, absent)
}

// TestWithoutSystemd: the same where there is no systemd at all.
func TestWithoutSystemd(t *testing.T) {
	does(t, `rm "$2/root/usr/bin/systemctl" "$2/root/usr/bin/systemd-sysusers"`+absent)
}

// does runs a script on a system of its own; it must succeed.
func does(t *testing.T, script string) {
	t.Helper()
	if out, err := isolated(t, script).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Package machine boots emulated machines with real kernels, and runs Go
// programs in them. It is for tests only.
//
//	arch := machine.Find(t, "mipsle")
//	m := machine.Boot(t, machine.Spec{
//		Arch:    arch,
//		Modules: machine.Worlds,
//		Files:   map[string]string{"/bin/kernel.test": machine.TestBinary(t, arch, "./qemu-tests/kernel")},
//		Run:     [][]string{{"/bin/kernel.test", "-test.v"}},
//	})
//	m.Until(`^ok$`, time.Minute)
//	m.Wait().Check(t)
//
// # What a machine is
//
// A kernel of Debian's (or, for big-endian MIPS, one built by a script) and an
// initramfs that this package writes: an init of ours (package init), the
// kernel modules that were asked for with those they need, and the test's
// files. There is no shell, no library and no network configuration. /proc,
// /sys and /dev are as usual, /tmp and /run are empty tmpfs, loopback is up.
// The kernel cannot load modules by itself: what a test needs it must name. The
// commands run one after the other, as root, with their output on the console;
// then the machine switches itself off.
//
// The kernels come from a cache outside of the tree, which `make qemu-kernels`
// fills: see CacheVariable. A machine without its kernel, or whose emulator is
// not installed, fails the test.
//
// # Nothing is left behind
//
// An emulator ends with its test, and with the test's process, even if that is
// killed. A machine that is not off in time is killed, and the test fails. The
// console of a test that failed is shown. Initramfs and sockets are in the
// test's temporary directory, and built programs in bin/ of the module.
//
// # Slow
//
// There is no hardware virtualization in this: every architecture is emulated
// in software, one processor each, some 10 to 30 times slower than the host.
package machine

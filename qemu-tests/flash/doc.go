// Package flash tests that what the product keeps survives on the flash of a
// router. It is for tests only.
//
//	go test ./qemu-tests/flash                              # as `make qemu` does, 2 power cuts of each file system
//	go test -timeout 2h -run PowerCut ./qemu-tests/flash -v -kills 50    # `make qemu-flash`
//	go test -run PowerCut ./qemu-tests/flash -v -seed 17   # the commands and moments of a run that failed
//	go test -run Wear ./qemu-tests/flash -v -idle 5m
//
// The machine is a MIPS one (package machine). This package's test binary runs
// on both sides: on the host as tests, which boot machines and watch their
// consoles, and inside of them as a program with the commands of main_test.go.
//
//   - TestStores: book and state are made, changed and found again after
//     unmounting, on jffs2, overlayfs over jffs2, UBIFS, ext4 and tmpfs. The
//     first two, which refuse to map what is writable, also have the tests of
//     platform/dbfile and daemon/state run on them.
//   - TestPowerCut: a coordinator's power is cut while it accepts commands. Host
//     and guest draw the same commands from the same seed, so the host knows from
//     the console which were acknowledged, which one was being given, and so all
//     that the book must say after the next boot. A book that does not open, lacks
//     a command or has half of one fails the test.
//   - TestPowerCutJoin: a router's power is cut while its daemon starts for the
//     first time, it joins and leaves; a coordinator on a machine of its own stays.
//     After each boot the daemon must start, and what was cut off must be there and
//     work, or come by the same command again, or by another invitation.
//   - TestWear: how many bytes of flash a command costs, and that an idle
//     coordinator writes none.
//
// # The flash
//
// The chip is a part of the emulated machine's memory that its kernel is told
// does not exist; the memory is a file on the host that is mapped shared. The
// kernel's driver phram makes a flash of it. Whatever the guest had stored when
// the emulator is killed is in the file, byte by byte and in order, and nothing
// else is, which is how NOR flash behaves when the power is cut.
//
// block2mtd over a disk image does not: it writes to the guest's page cache of
// the disk, so after fsync(2) on jffs2 nothing has reached the image yet, and
// what reaches it later does so in any order. With a sync of the whole disk
// before each acknowledgement the commands survive, but then the power is in
// effect only ever cut between two commands, and an erased block that reaches
// the image before the copy of its content does would be the emulation's fault.
//
// UBI takes phram after a change of one instruction, see driver.
//
// The chip of TestPowerCut has 1 MB for jffs2, so that it is collecting garbage
// all the time. It has 8 MB for UBIFS, which takes no less.
package flash

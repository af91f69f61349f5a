// Package budget measures what the program costs the machine it runs on, inside
// emulated machines with real kernels: resident memory, wake-ups, and writes to
// its files. Each test prints what it measured beside the budget, in a line that
// begins with [Mark]; the host's side of it (qemu-tests/budget_test.go) shows
// these lines as one table.
//
// # What is measured
//
// A small network in netlab's world: a coordinator ("hub") and a router that
// has joined by invitation and fetched its map through the tunnel. Both run the
// real binary, stripped, with the kernel's WireGuard. The book has as many
// further peers as a test wants: they are written into it while the
// coordinator's daemon is stopped, as if they had joined. They are away, but in
// TestIdle, where each is an interface of the kernel's with a session of its
// own.
//
// Resident memory is VmRSS of /proc/PID/status when a map has been taken in and
// the daemon has come to rest: all pages of it in memory, those of the program's
// file too, which the kernel can drop and read again when memory gets short.
//
// A wake-up is a voluntary context switch of one of the process's threads: it
// had gone to sleep, and was woken. The one that is not counted, but printed, is
// the Go runtime's monitor (sysmon in runtime/proc.go): while another thread is
// at work, and only then, it naps for 20 µs to 10 ms at a time, so that a burst
// of 20 ms has some 60 of its naps. They wake no processor that sleeps.
//
// What is written is told by the files: all that the daemon keeps must be the
// same files, with the same times and the same content, before and after.
package budget

// Mark begins a line that is meant for the table.
const Mark = "budget: "

// Long is the environment variable that, when it is not empty, has the tests
// count for five minutes instead of one, and a coordinator be asked by a
// thousand peers instead of twenty: that takes half an hour.
const Long = "BUDGET_LONG"

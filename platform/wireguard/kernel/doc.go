// Package kernel makes WireGuard interfaces of the kernel, and configures them
// over generic netlink. What is said is made and read in package message; this
// one has the socket, and says what the answers mean.
package kernel

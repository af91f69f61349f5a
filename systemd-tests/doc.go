// Package systemdtests has no code: its tests install the Debian package on a
// Debian with a real systemd, in a container, and live with it there. The
// container's files are a directory that `make systemd` fills once, in
// ~/.cache/ginnel-debian (or GINNEL_DEBIAN_CACHE); a test changes a layer in
// memory above it. It has a network of its own, which leads nowhere.
package systemdtests

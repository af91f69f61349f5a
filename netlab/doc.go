// Package netlab builds small internets inside one machine: hosts, switches and
// NAT routers in network namespaces, joined by cables that can be cut. Tests
// run the real binary on them. It is for tests only, and needs root.
//
// A test package says, once:
//
//	func TestMain(m *testing.M) { netlab.Main(m) }
//
// and then, in any test:
//
//	w := netlab.New(t)
//	inet := w.Internet()
//	home := w.Router("home", netlab.PortRestricted, inet, "192.168.1.0/24")
//	server := w.Host("server", inet)
//	laptop := w.Host("laptop", home.LAN)
//	if err := laptop.Ping(server.Addr().String(), 10*time.Second); err != nil {
//		t.Fatal(err)
//	}
//
// # Nothing is left behind
//
// Main starts the test binary again in new PID, mount, network and UTS
// namespaces. Three processes result: the keeper, which go test started and
// which only waits; process 1 of the new PID namespace, which reaps orphans;
// and the world, which runs the tests. A host's namespaces are held by file
// descriptors of the world and by the host's processes, and by nothing else; all
// files the library writes lie in a tmpfs of the private mount namespace. Whichever of the three
// is killed, even with SIGKILL, the kernel ends the others, and with them
// everything else. The machine's own namespaces are never touched.
//
// # Hosts
//
// A host has its own network, mount and UTS namespace: its own links, its own
// host name, and its own /etc, /var/lib and /usr/local/bin (overlays whose
// changes stay in the host), /run and /sys. Everything else is the machine's. So a program uses its
// real default paths, and "getent hosts NAME" reads the host's own /etc/hosts.
// There is no name server: /etc/resolv.conf is empty. A router is a host too,
// and can run programs.
//
// Delay and random loss are not offered: they need the kernel's sch_netem, which
// many test machines do not have.
//
// # Addresses
//
// Internet uses the documentation ranges (RFC 5737, RFC 3849). A switch that
// has prefixes holds the first address of each and forwards between them, as a
// provider's equipment does; on a router's LAN the router does that. Hosts get
// a default route through it. IPv6 has no NAT: a LAN's IPv6 prefix is routed to
// the router, whose firewall drops what was not asked for.
//
// # Failures
//
// Methods that build or change the world fail the test themselves, and so must
// be called from the test's goroutine. Methods that return an error may be
// called from any.
package netlab

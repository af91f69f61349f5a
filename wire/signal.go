package wire

// SignalPort is the UDP port on every peer's overlay address for signals:
// datagrams of a few bytes inside the tunnel. WireGuard has authenticated
// their source address already, so they carry no secret.
const SignalPort = 51819

// SignalKind tells signals apart.
type SignalKind byte

// The signals.
const (
	// SignalNudge, from the coordinator: your map is now at revision Value (or
	// has endpoint news, when Value is one you have). Fetch it.
	SignalNudge SignalKind = 'n'
	// SignalProbe, between peers: are you there? Answered with SignalAnswer and
	// the same Value.
	SignalProbe SignalKind = 'p'
	// SignalAnswer answers a probe.
	SignalAnswer SignalKind = 'a'
)

// Signal is one datagram.
type Signal struct {
	Kind  SignalKind
	Value uint64
}

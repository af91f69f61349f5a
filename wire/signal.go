package wire

import (
	"encoding/binary"
	"errors"
)

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
	// SignalPoll, to the coordinator: is there news for me since my last Fetch,
	// whose answer was of epoch Value? Answered with a nudge, or with
	// SignalCurrent and the same Value. A coordinator that knows neither does
	// not answer: then the map is fetched.
	SignalPoll SignalKind = '?'
	// SignalCurrent answers a poll: there is none.
	SignalCurrent SignalKind = '='
)

// Signal is one datagram.
type Signal struct {
	Kind  SignalKind
	Value uint64
}

// signalVersion is the version of a signal's layout.
const signalVersion = 1

// SignalSize is the length of every signal in bytes.
const SignalSize = 12

// ErrSignal is returned for a datagram that is not a signal this program
// knows. It happens to whoever listens on a port: count it, do not log it.
var ErrSignal = errors.New("not a signal of this version")

// Append adds the datagram to b. Its layout, big-endian:
//
//	0  2  "gn"
//	2  1  version, 1
//	3  1  kind
//	4  8  value
func (s Signal) Append(b []byte) []byte {
	b = append(b, 'g', 'n', signalVersion, byte(s.Kind))
	return binary.BigEndian.AppendUint64(b, s.Value)
}

// ParseSignal reads a whole datagram, or returns ErrSignal. It keeps nothing
// of b and allocates nothing.
func ParseSignal(b []byte) (Signal, error) {
	if len(b) != SignalSize || b[0] != 'g' || b[1] != 'n' || b[2] != signalVersion {
		return Signal{}, ErrSignal
	}
	s := Signal{Kind: SignalKind(b[3]), Value: binary.BigEndian.Uint64(b[4:])}
	switch s.Kind {
	case SignalNudge, SignalProbe, SignalAnswer, SignalPoll, SignalCurrent:
		return s, nil
	}
	return Signal{}, ErrSignal
}

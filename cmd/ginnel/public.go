package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"ginnel/platform/random"
	"ginnel/wire"
	"ginnel/wire/stun"
)

// endpoints returns where others reach this machine's port, auto replaced by
// the addresses that it has itself, or that a STUN server sees.
func (e *env) endpoints(ctx context.Context, list []string, port uint16, server string) ([]string, error) {
	var out []string
	for _, text := range list {
		if text != autoEndpoint {
			out = append(out, text)
			continue
		}
		addresses, err := e.publicAddresses()
		if err == nil && len(addresses) == 0 {
			addresses, err = askSTUN(ctx, server)
		}
		if err != nil {
			return nil, err
		}
		for _, a := range addresses {
			out = append(out, netip.AddrPortFrom(a, port).String())
		}
	}
	return out, nil
}

// presetEndpoint suggests where others reach this machine's port; "" where it
// has no public address, and no STUN server may be asked.
func (e *env) presetEndpoint(port uint16, server string) string {
	addresses, err := e.publicAddresses()
	switch {
	case (err != nil || len(addresses) == 0) && server == "":
		return ""
	case err != nil || len(addresses) == 0:
		return autoEndpoint
	}
	return netip.AddrPortFrom(addresses[0], port).String()
}

// publicAddresses returns the first address of each family that this machine
// has itself and the whole internet can send to.
func (e *env) publicAddresses() ([]netip.Addr, error) {
	all, err := e.system(quiet).Network.Underlay()
	if err != nil {
		return nil, err
	}
	var v4, v6 []netip.Addr
	for _, u := range all {
		switch a := u.Prefix.Addr(); {
		case !wire.IsPublic(a):
		case a.Is4() && v4 == nil:
			v4 = append(v4, a)
		case a.Is6() && v6 == nil:
			v6 = append(v6, a)
		}
	}
	return append(v4, v6...), nil
}

// How long a STUN server is waited for: the pauses between the requests double
// (RFC 8489, section 6.2.1), 7.5 s in all.
const (
	stunPause = 500 * time.Millisecond
	stunTries = 4
)

// askSTUN asks a server for the address that it sees this machine at. The port
// is not asked for: it is the router's choice for this one question, and who
// wants to be reached through a router has a port forwarded there anyway.
func askSTUN(ctx context.Context, server string) ([]netip.Addr, error) {
	if server == "" {
		return nil, usagef("this machine has no public address itself, so --endpoint auto has none to choose: name the address or name of the router it is behind, with a UDP port that the router forwards (--endpoint HOST:PORT), or a STUN server that can tell the address (--stun HOST:PORT)")
	}
	if err := wire.CheckEndpoint(server); err != nil {
		return nil, usagef("--stun: %v", err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", server)
	if err != nil {
		return nil, fmt.Errorf("ask the STUN server: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	var id stun.ID
	if _, err := random.Reader.Read(id[:]); err != nil {
		return nil, fmt.Errorf("ask the STUN server: %w", err)
	}
	seen, err := exchangeSTUN(ctx, conn, id)
	if err != nil {
		return nil, fmt.Errorf("ask the STUN server %s: %w", server, err)
	}
	return []netip.Addr{seen.Addr()}, nil
}

// exchangeSTUN asks until there is an answer, or for long enough.
func exchangeSTUN(ctx context.Context, conn net.Conn, id stun.ID) (netip.AddrPort, error) {
	pause, b := stunPause, make([]byte, stun.MaxMessage)
	for range stunTries {
		if _, err := conn.Write(stun.Request(id)); err != nil {
			return netip.AddrPort{}, err
		}
		if err := conn.SetReadDeadline(time.Now().Add(pause)); err != nil {
			return netip.AddrPort{}, err
		}
		for {
			if ctx.Err() != nil {
				return netip.AddrPort{}, errUnchanged
			}
			n, err := conn.Read(b)
			if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
				break
			} else if err != nil {
				return netip.AddrPort{}, err
			}
			if seen, err := stun.Parse(b[:n], id); !errors.Is(err, stun.ErrForeign) {
				return seen, err
			}
		}
		pause *= 2
	}
	return netip.AddrPort{}, errors.New("it does not answer: " + strconv.Itoa(stunTries) + " requests were sent")
}

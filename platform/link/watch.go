package link

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"ginnel/platform/netlink"
)

const (
	// quiet is the shortest time between two calls of changed: a routing daemon,
	// or a link that comes up, makes hundreds of changes at once.
	quiet = 100 * time.Millisecond
	// settling is how long the first change of some waits for those that belong
	// to it: an address goes and then another comes, and who looks in between
	// sees neither.
	settling = 10 * time.Millisecond
)

// watched is the mask of multicast groups the monitor listens to. Rules are
// among them: to go over to another uplink some change nothing else (mwan3).
const watched = 1<<(unix.RTNLGRP_LINK-1) |
	1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1) |
	1<<(unix.RTNLGRP_IPV4_ROUTE-1) | 1<<(unix.RTNLGRP_IPV6_ROUTE-1) |
	1<<(unix.RTNLGRP_IPV4_RULE-1) | 1<<(unix.RTNLGRP_IPV6_RULE-1)

// Watch implements platform.Network. The first call of changed comes as soon
// as Watch listens, so that nothing is missed between an earlier Observe and
// now. A change is told after 10 ms, those that follow within 100 ms as one. When
// news were lost, because there were too many, that is a change too. Our own
// changes are told like any other's.
func (*Link) Watch(ctx context.Context, changed func()) error {
	nl, err := netlink.Listen(unix.NETLINK_ROUTE, watched)
	if err != nil {
		return fmt.Errorf("watch links: %w", netlinkError(err))
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = nl.Close() // ends a receive that is under way
		close(closed)
	})
	defer func() {
		if stop() {
			_ = nl.Close()
			return
		}
		<-closed
	}()
	changed()
	err = watch(nl, changed)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("watch links: %w", netlinkError(err))
}

// watch returns the error that ends it.
func watch(nl *os.File, changed func()) error {
	for {
		if err := nl.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		if err := receive(nl); err != nil {
			return err
		}
		if _, err := collect(nl, settling); err != nil {
			return err
		}
		for more := true; more; {
			changed()
			var err error
			if more, err = collect(nl, quiet); err != nil {
				return err
			}
		}
	}
}

// collect receives for some time and tells whether something came.
func collect(nl *os.File, d time.Duration) (came bool, err error) {
	if err := nl.SetReadDeadline(time.Now().Add(d)); err != nil {
		return false, err
	}
	for {
		err := receive(nl)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return came, nil
		}
		if err != nil {
			return came, err
		}
		came = true
	}
}

// receive waits for news, or for word that some were lost.
func receive(nl *os.File) error {
	var b [unix.NLMSG_HDRLEN]byte // whatever it says, it is news
	_, err := nl.Read(b[:])
	if errors.Is(err, unix.ENOBUFS) {
		return nil
	}
	return err
}

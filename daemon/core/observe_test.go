package core_test

import (
	"slices"
	"testing"
	"time"

	"ginnel/daemon/core"
	"ginnel/platform"
)

// TestNewsShortenTheWait: an interface that could not be opened for a long time
// is looked at again soon after the kernel told of something, and not only at
// once: a program answers for it a moment after it made it.
func TestNewsShortenTheWait(t *testing.T) {
	s := newScript(t, annConfig())
	s.do(0, core.Started{})
	absent := core.TunnelObserved{Err: platform.ErrNotExist}
	fail := func() time.Duration {
		s.do(0, absent)
		s.do(0, core.NetObserved{Err: platform.ErrNotExist})
		s.do(0, underlay("192.168.1.3/24"))
		return s.core.Deadline().Sub(s.now)
	}
	for range 10 {
		fail()
		s.do(40*time.Second, core.Tick{})
	}
	if d := fail(); d < 10*time.Second {
		t.Fatalf("after many failures it is looked at in %v", d)
	}
	if asked := s.do(time.Second, core.Changed{}); !slices.Contains(asked, "observe tunnel net underlay") {
		t.Fatalf("news bring about %q", asked)
	}
	if d := fail(); d > time.Second {
		t.Errorf("after news it is looked at in %v", d)
	}
}

package guest_test

import (
	"net/netip"
	"reflect"
	"testing"

	"ginnel/qemu-tests/guest"
)

func TestPlan(t *testing.T) {
	p := guest.Plan{
		Time: 1_800_000_000, Seed: []byte{1, 2, 3}, Modules: []guest.Module{{Path: "/modules/phram.ko", Parameters: "phram=a,0x1,2"}},
		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), {}}, Env: []string{"A=b c"}, Run: [][]string{{"/bin/x", "two words", ""}},
	}
	text, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := guest.DecodePlan(text); err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v, %v, want %+v", got, err, p)
	}
	if _, err := guest.DecodePlan(text[1:]); err == nil {
		t.Error("half a plan is taken for a plan")
	}
}

func TestMarks(t *testing.T) {
	for _, m := range []guest.Mark{
		{Event: guest.Began, Number: 3},
		{Event: guest.Ended, Number: 12, Status: 137},
		{Event: guest.Failed, Text: "load /x.ko: no such file"},
	} {
		for _, before := range []string{"", "no line end"} {
			got, mark, ok := guest.ParseMark(before + m.String())
			if got != before || mark != m || !ok {
				t.Errorf("%q after %q: %q, %+v, %v", m, before, got, mark, ok)
			}
		}
	}
	for _, line := range []string{"", "guest: ended 1 0 ", "\x02guest: ended 1", "\x02guest: ended x 0 ", "\x02guest: ended 0 x "} {
		if before, _, ok := guest.ParseMark(line); ok || before != line {
			t.Errorf("%q is taken for a mark", line)
		}
	}
}

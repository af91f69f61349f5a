package wire_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"ginnel/wire"
)

func TestDecode(t *testing.T) {
	var p wire.PeerPatch
	if err := wire.Decode([]byte(" {\"name\":\"a\",\"admin\":true}\n"), &p); err != nil || *p.Name != "a" || !*p.Admin || p.Disabled != nil {
		t.Errorf("got %+v, %v", p, err)
	}
	for body, want := range map[string]string{
		"":                           "empty",
		" \n":                        "empty",
		"{":                          "ends in the middle",
		"{\"name\":}":                "invalid character",
		"{\"nam\":\"a\"}":            `unknown field "nam"`,
		"{\"address\":\"10.0.0.1\"}": `unknown field "address"`,
		"{\"name\":1}":               `field "name" cannot hold a JSON number`,
		"[]":                         "cannot be a JSON array",
		"{} {}":                      "goes on",
		"{}x":                        "goes on",
		"{}]":                        "goes on",
	} {
		var problem *wire.Problem
		err := wire.Decode([]byte(body), &wire.PeerPatch{})
		if !errors.As(err, &problem) || problem.Status != wire.StatusBadRequest || !strings.Contains(problem.Detail, want) {
			t.Errorf("%s: got %v, want %q in it", body, err, want)
		}
	}
}

func TestDecodeKeyTellsWhatIsWrong(t *testing.T) {
	err := wire.Decode([]byte(`{"public_key":"abc"}`), &wire.RedeemRequest{})
	if err == nil || !strings.Contains(err.Error(), "public key has 3 characters") {
		t.Errorf("got %v", err)
	}
}

func TestUpdateRoundTrip(t *testing.T) {
	var got wire.Update
	if err := wire.Decode(wire.Encode(update()), &got); err != nil || !reflect.DeepEqual(&got, update()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzDecodeUpdate(f *testing.F) {
	f.Add(wire.Encode(update()))
	f.Add([]byte(`{"ranges":["::/0",""],"patches":[{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var u, again wire.Update
		if wire.Decode(b, &u) != nil || u.Check() != nil {
			return
		}
		if err := wire.Decode(wire.Encode(&u), &again); err != nil {
			t.Fatalf("a checked update does not read back: %v", err)
		}
		if err := again.Check(); err != nil {
			t.Fatalf("a checked update fails its second check: %v", err)
		}
	})
}

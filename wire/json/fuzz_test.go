package json_test

import (
	"bytes"
	std "encoding/json"
	"reflect"
	"testing"
	"time"

	"ginnel/wire/json"
)

// FuzzUnmarshal: what we accept encoding/json accepts with the same result,
// strict or not, and it reads back from what we make of it.
func FuzzUnmarshal(f *testing.F) {
	for _, v := range []sample{{}, full()} {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, text := range []string{
		"null", " {\"perhaps\":null,\"list\":null,\"text\":null,\"at\":null,\"sub\":null}\n", `{"unknown":[{},[1.5e-7,true,false,null,"\"\\"]]}`,
		`{"text":"\ud83d\ude00\ud83d\u00e4\ude00\ud83d"}`, `{"list":["a","b"],"list":["c"]}`, `{"sub":{"A":0,"B":-0}}`, "{\"text\":\"\xed\xa0\x80\"}",
		`{"TEXT":"a"}`, `{"more":[{"role":"a"},{}],"pair":["x","y"],"at":"2026-01-02T03:04:05+01:00"}`,
		`{"at":"2026-01-02T03:04:05.123456789+00:00"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var ours, strict sample
		if json.Unmarshal(b, &ours) != nil {
			if json.UnmarshalStrict(b, &strict) == nil {
				t.Fatal("only the strict reader accepts it")
			}
			return
		}
		if !std.Valid(b) {
			t.Fatal("encoding/json finds it invalid")
		}
		if json.UnmarshalStrict(b, &strict) != nil {
			return // some field is unknown, and may be known to encoding/json, which ignores case
		}
		var theirs sample
		d := std.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err := d.Decode(&theirs)
		theirs.At = sameZone(theirs.At)
		if err != nil || !reflect.DeepEqual(strict, theirs) || !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("got %+v, strictly %+v; encoding/json gets %+v, %v", ours, strict, theirs, err)
		}
		text, err := json.Marshal(ours)
		if err != nil {
			t.Fatal(err)
		}
		var again sample
		if err := json.UnmarshalStrict(text, &again); err != nil {
			t.Fatalf("%s does not read back: %v", text, err)
		}
		if same, err := json.Marshal(again); err != nil || !bytes.Equal(same, text) {
			t.Fatalf("%s reads back as %s, %v", text, same, err)
		}
	})
}

// sameZone returns t in its offset from UTC, which encoding/json calls Local
// where it happens to be that.
func sameZone(t time.Time) time.Time {
	_, offset := t.Zone()
	if t.Location() == time.UTC {
		return t
	}
	return t.In(time.FixedZone("", offset))
}

package json_test

import (
	std "encoding/json"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"ginnel/key"
	"ginnel/wire/json"
)

// sample has every kind of field that there is.
type sample struct {
	Inner
	Text    string             `json:"text"`
	Flag    bool               `json:"flag,omitempty"`
	Small   int8               `json:"small,omitempty"`
	Large   uint64             `json:"large,omitempty"`
	Port    uint16             `json:"port"`
	Signed  int64              `json:"signed"`
	Perhaps *string            `json:"perhaps,omitempty"`
	Pair    [2]string          `json:"pair"`
	List    []string           `json:"list"`
	Ranges  []netip.Prefix     `json:"ranges,omitempty"`
	At      time.Time          `json:"at,omitzero"`
	From    netip.AddrPort     `json:"from,omitzero"`
	More    []Inner            `json:"more,omitempty"`
	Sub     struct{ A, B int } `json:"sub,omitzero"`
	Secret  int                `json:"-"`
	own     int
}

// Inner stands among the fields of sample.
type Inner struct {
	Address netip.Addr `json:"address"`
	Role    kind       `json:"role,omitempty"`
}

type kind string

func full() sample {
	text := "\x00\b\f\n\r\t\"\\/<&>\u2028ä€😀\xff"
	return sample{
		Inner: Inner{netip.MustParseAddr("10.42.0.1"), "gateway"},
		Text:  text, Flag: true, Small: -128, Large: math.MaxUint64, Port: math.MaxUint16, Signed: math.MinInt64, Perhaps: &text,
		Pair: [2]string{"a", ""}, List: []string{}, Ranges: []netip.Prefix{netip.MustParsePrefix("fd00::/8"), {}},
		At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), From: netip.MustParseAddrPort("[fe80::1%eth0]:1"),
		More: []Inner{{}, {Role: "x"}}, Sub: struct{ A, B int }{1, -2}, Secret: 1, own: 1,
	}
}

// TestWritesWhatOthersRead: encoding/json reads from our text what it reads
// from its own.
func TestWritesWhatOthersRead(t *testing.T) {
	for _, v := range []sample{{}, full()} {
		ours, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := std.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var a, b sample
		if err := errors.Join(std.Unmarshal(ours, &a), std.Unmarshal(theirs, &b)); err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("got %+v from %s, want %+v from %s (%v)", a, ours, b, theirs, err)
		}
	}
}

func TestWritesFieldsInOrder(t *testing.T) {
	got, err := json.Marshal(sample{List: []string{"a"}, Port: 7})
	want := `{"address":"","text":"","port":7,"signed":0,"pair":["",""],"list":["a"]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestWritesNoUnknownTypes(t *testing.T) {
	for _, v := range []any{1.5, map[string]int{}, []any{nil, make(chan int)}, struct{ F func() }{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if b, err := json.Marshal(v); err == nil {
			t.Errorf("%T: got %s", v, b)
		}
	}
}

func TestIndent(t *testing.T) {
	b, err := json.Marshal([]any{full(), sample{}, []int{}, struct{}{}, `}"[,\`})
	if err == nil {
		t.Fatalf("interfaces have no JSON, got %s", b)
	}
	for _, v := range []any{full(), sample{}, []int{}, struct{}{}, `}"[,\`, []Inner{{}}, [][]int{{1}, {}}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		enc := std.NewEncoder(&want)
		enc.SetIndent("", "  ")
		if err := enc.Encode(std.RawMessage(b)); err != nil {
			t.Fatal(err)
		}
		got := string(json.Indent(b)) + "\n"
		if unescaped := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u2028`, "\u2028").Replace(want.String()); got != unescaped {
			t.Errorf("got %s, want %s", got, unescaped)
		}
	}
}

func TestSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                              "it ends in the middle",
		`{"text":"a`:                     "it ends in the middle",
		`{"text":}`:                      "it has the invalid character '}' at byte 8",
		`{"text":"` + "\n" + `"}`:        `it has the invalid character '\n' at byte 9`,
		`{"text" "a"}`:                   `it has the invalid character '"' at byte 8`,
		`{"text":"a",}`:                  "it has the invalid character '}' at byte 12",
		`{"text":"\x"}`:                  "it has the invalid character 'x' at byte 10",
		`{"port":01}`:                    "it has the invalid character '1' at byte 9",
		`{"port":-}`:                     "it has the invalid character '}' at byte 9",
		`{"flag":falsy}`:                 "it has the invalid character 'y' at byte 12",
		"{}\x00":                         "it goes on after its JSON value at byte 2",
		`{} {}`:                          "it goes on after its JSON value at byte 3",
		`[]`:                             "it cannot be a JSON array",
		`{"Text":"a"}`:                   `it has the unknown field "Text"`,
		`{"sub":{"C":1}}`:                `field "sub" has the unknown field "C"`,
		`{"text":1}`:                     `field "text" cannot hold a JSON number`,
		`{"more":[{"role":[]}]}`:         `field "more.role" cannot hold a JSON array`,
		`{"address":true}`:               `field "address" cannot hold a JSON boolean`,
		`{"address":"10.0.0.256"}`:       `field "address" is wrong: ParseAddr`,
		`{"port":65536}`:                 `field "port" cannot hold 65536: it is out of range`,
		`{"port":-1}`:                    `field "port" cannot hold -1: it is out of range`,
		`{"small":1.0}`:                  `field "small" cannot hold 1.0: it is no integer`,
		`{"pair":["a"]}`:                 `field "pair" has 1 elements, want 2`,
		`{"pair":["a","b","c"]}`:         `field "pair" has more than 2 elements`,
		strings.Repeat(`{"more":[`, 1e5): `field "more" has`,
	} {
		var v sample
		err := json.UnmarshalStrict([]byte(text), &v)
		var wrong *json.Error
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %s", text, err, want)
		}
	}
}

func TestNesting(t *testing.T) {
	deep := func(n int) []byte {
		return []byte(`{"unknown":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)
	}
	if err := json.Unmarshal(deep(json.MaxDepth-1), &sample{}); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal(deep(json.MaxDepth), &sample{}); err == nil {
		t.Error("nested too deep, and read")
	}
}

func TestReadsIntoAPointerOnly(t *testing.T) {
	if json.Unmarshal([]byte(`{}`), sample{}) == nil || json.Unmarshal([]byte(`{}`), (*sample)(nil)) == nil || json.Unmarshal([]byte(`{}`), nil) == nil {
		t.Error("read into nothing")
	}
}

func TestNames(t *testing.T) {
	got, err := json.Names([]byte(` {"a":{"b":[1]},"c":null} `))
	if err != nil || !reflect.DeepEqual(got, []string{"a", "c"}) {
		t.Errorf("got %q, %v", got, err)
	}
	for _, text := range []string{``, `[]`, `{"a"}`, `{} 1`} {
		if got, err := json.Names([]byte(text)); err == nil {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

// TestPrivateKeys: a type that refuses to be a text is neither written nor read.
func TestPrivateKeys(t *testing.T) {
	var v struct{ Key key.PrivateKey }
	if b, err := json.Marshal(v); err == nil {
		t.Errorf("a private key is written as %s", b)
	}
	if err := json.Unmarshal([]byte(`{"Key":"x"}`), &v); err == nil || !strings.Contains(err.Error(), "not read") {
		t.Errorf("a private key is read with the error %v", err)
	}
}

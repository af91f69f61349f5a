package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// Decode reads exactly one JSON value from b, the body of a request, into v.
// Unknown fields and anything behind the value are refused. Its error is a
// *[Problem] with StatusBadRequest that says where the body is wrong; what a
// well-formed value means is for the caller to check.
//
// Answers are read without this strictness: a newer coordinator may say more
// than an older peer knows.
func Decode(b []byte, v any) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return Errorf(StatusBadRequest, "the body is empty, want JSON")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return Errorf(StatusBadRequest, "the body is not the JSON wanted here: %s", decodeDetail(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return Errorf(StatusBadRequest, "the body goes on after its JSON value at byte %d", d.InputOffset())
	}
	return nil
}

// decodeDetail says in the words of the sender what encoding/json says in the
// words of Go.
func decodeDetail(err error) string {
	var typ *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &typ) && typ.Field != "":
		return "field \"" + typ.Field + "\" cannot hold a JSON " + typ.Value
	case errors.As(err, &typ):
		return "a JSON " + typ.Value + " stands in the wrong place"
	case errors.As(err, &syntax):
		return syntax.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends in the middle"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// Encode returns v as JSON. It panics when v is of a type that has no JSON:
// that is a mistake in the program, not in its input.
func Encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("wire: encode: " + err.Error())
	}
	return b
}

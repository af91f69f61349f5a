package wire

import (
	"bytes"

	"ginnel/wire/json"
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
	if err := json.UnmarshalStrict(b, v); err != nil {
		return Errorf(StatusBadRequest, "the body is not the JSON wanted here: %v", err)
	}
	return nil
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

package http1_test

import (
	"fmt"
	"strings"
	"testing"

	"ginnel/wire"
	"ginnel/wire/http1"
)

// next would be answered if the server lost track of where a request ends.
const next = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

// post returns a request with fields and a body, and one behind it.
func post(fields, body string) string {
	return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body + next
}

func get(fields string) string { return "GET / HTTP/1.1\r\n" + fields + "\r\n" + next }

// TestServerRefuses sends what is malformed, too large or framed in a way that
// two servers could understand differently. Each gets one answer, a problem,
// and the connection's end.
func TestServerRefuses(t *testing.T) {
	l := listen(t, "unix")
	start(t, &http1.Server{}, l)
	var many strings.Builder
	for i := range 64 {
		fmt.Fprintf(&many, "X-%d: 1\r\n", i)
	}
	long := strings.Repeat("x", 8<<10)
	for name, test := range map[string]struct {
		raw  string
		want int
	}{
		"CL.CL":                 {post("Content-Length: 4\r\nContent-Length: 5\r\n", "body"), 400},
		"CL.CL the same":        {post("Content-Length: 4\r\nContent-Length: 4\r\n", "body"), 400},
		"CL list":               {post("Content-Length: 4, 4\r\n", "body"), 400},
		"CL empty":              {post("Content-Length:\r\n", ""), 400},
		"CL signed":             {post("Content-Length: +4\r\n", "body"), 400},
		"CL negative":           {post("Content-Length: -4\r\n", "body"), 400},
		"CL hexadecimal":        {post("Content-Length: 0x4\r\n", "body"), 400},
		"CL with a space":       {post("Content-Length: 4 4\r\n", "body"), 400},
		"CL with underscore":    {post("Content-Length: 1_0\r\n", "body"), 400},
		"CL overflow":           {post("Content-Length: 18446744073709551620\r\n", "body"), 400},
		"CL.TE":                 {post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 501},
		"TE.CL":                 {post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"), 501},
		"TE":                    {post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), 501},
		"TE identity":           {post("Transfer-Encoding: identity\r\nContent-Length: 4\r\n", "body"), 501},
		"TE unknown":            {post("transfer-encoding: xchunked\r\n", "0\r\n\r\n"), 501},
		"TE tab":                {post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n"), 501},
		"TE empty":              {post("Transfer-Encoding:\r\n", ""), 501},
		"TE space before colon": {post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400},
		"CL space before colon": {post("Content-Length : 4\r\n", "body"), 400},
		"TE after vertical tab": {post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"), 400},
		"TE behind bare CR":     {post("X: a\rTransfer-Encoding: chunked\r\n", ""), 400},
		"TE behind bare LF":     {post("X: a\nTransfer-Encoding: chunked\r\n", ""), 400},
		"TE folded":             {post("Transfer-Encoding:\r\n chunked\r\n", ""), 400},
		"folded":                {get("Host: a\r\nX: a\r\n b\r\n"), 400},
		"first line folded":     {get(" Host: a\r\n"), 400},
		"bare LF":               {"GET / HTTP/1.1\nHost: a\n\n" + next, 400},
		"bare LF at the end":    {"GET / HTTP/1.1\r\nHost: a\r\n\n" + next, 400},
		"CR CR LF":              {"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n" + next, 400},
		"NUL in value":          {get("Host: a\r\nX: a\x00b\r\n"), 400},
		"DEL in value":          {get("Host: a\r\nX: a\x7fb\r\n"), 400},
		"NUL in name":           {get("Host: a\r\nX\x00: a\r\n"), 400},
		"no colon":              {get("Host: a\r\nX\r\n"), 400},
		"no name":               {get("Host: a\r\n: a\r\n"), 400},
		"name beyond ASCII":     {get("Host: a\r\nX\u00e4: a\r\n"), 400},
		"no host":               {get(""), 400},
		"two hosts":             {get("Host: a\r\nHost: a\r\n"), 400},
		"host with path":        {get("Host: a/b\r\n"), 400},
		"host list":             {get("Host: a b\r\n"), 400},
		"expectation":           {post("Content-Length: 4\r\nExpect: miracles\r\n", "body"), 417},
		"too large":             {post(fmt.Sprintf("Content-Length: %d\r\n", wire.MaxBody+1), ""), 413},
		"far too large":         {post("Content-Length: 9223372036854775807\r\n", ""), 413},
		"too large, expecting":  {post("Content-Length: 99999999\r\nExpect: 100-continue\r\n", ""), 413},
		"long line":             {"GET /" + long + " HTTP/1.1\r\nHost: a\r\n\r\n" + next, 414},
		"endless line":          {strings.Repeat("x", 1<<20), 414},
		"long field":            {get("Host: a\r\nX: " + long + "\r\n"), 431},
		"many fields":           {get("Host: a\r\n" + many.String()), 431},
		"long head":             {get("Host: a\r\n" + strings.Repeat("X: "+long[:4000]+"\r\n", 9)), 431},
		"HTTP/1.0":              {"GET / HTTP/1.0\r\n\r\n" + next, 505},
		"HTTP/2":                {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		"HTTP/0.9":              {"GET /\r\n" + next, 400},
		"version":               {"GET / HTTP/1.10\r\n\r\n", 400},
		"version in small":      {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
		"two spaces":            {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"space at the end":      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
		"tab for space":         {"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"bad method":            {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"no method":             {" / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"no slash":              {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"asterisk":              {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"authority":             {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"other scheme":          {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"absolute without host": {"GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"absolute with user":    {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"fragment":              {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"escape in path":        {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"escape in query":       {"GET /?a=%z HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"semicolon in query":    {"GET /?a=1;b=2 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"target with a quote":   {"GET /\"a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"target beyond ASCII":   {"GET /\u00e4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"two empty lines first": {"\r\n\r\n" + next, 400},
		"TLS":                   {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400},
		"ends in request line":  {"GET / HTT", 400},
		"ends in header":        {"GET / HTTP/1.1\r\nHost: a\r\n", 400},
		"ends in body":          {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbod", 400},
		"ends in 100-continue":  {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n", 413},
	} {
		answers := talk(t, l, test.raw)
		if len(answers) != 1 {
			t.Errorf("%s: got %d answers, want 1: %+v", name, len(answers), answers)
			continue
		}
		var p wire.Problem
		a := answers[0]
		if err := wire.Decode([]byte(a.body), &p); err != nil || p.Status != a.status || p.Detail == "" || p.Title == "Unknown" {
			t.Errorf("%s: body %q, %v", name, a.body, err)
		}
		if a.status != test.want || !a.closes || a.header.Get("Content-Type") != wire.ProblemType {
			t.Errorf("%s: got %d %s, want %d", name, a.status, a.body, test.want)
		}
	}
}

// TestServerAccepts sends what looks odd and is right; the request behind it is
// answered as well.
func TestServerAccepts(t *testing.T) {
	l := listen(t, "unix")
	start(t, &http1.Server{}, l)
	for name, test := range map[string]struct{ raw, want string }{
		"empty line first":   {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", `"Path":"/"`},
		"empty host":         {"GET / HTTP/1.1\r\nHost:\r\n\r\n", `"Host":""`},
		"host with port":     {"GET / HTTP/1.1\r\nhost:\t[fd00::1]:80 \r\n\r\n", `"Host":"[fd00::1]:80"`},
		"absolute form":      {"GET HTTP://b:1/c?q=d HTTP/1.1\r\nHost: a\r\n\r\n", `"Path":"/c","Q":"d","Body":"","Remote":"invalid AddrPort","Host":"b:1"`},
		"absolute and short": {"GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", `"Path":"/"`},
		"body in GET":        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\n" + next, "smuggled"},
		"leading zeros":      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0004\r\n\r\nbody", `"Body":"body"`},
		"no length":          {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", `"Method":"POST"`},
		"odd method":         {"M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", `"Method":"M-SEARCH"`},
		"value beyond ASCII": {"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\tb\r\nEmpty:\r\n\r\n", `"Path":"/"`},
		"longest line":       {"GET /" + strings.Repeat("x", 8<<10-16) + " HTTP/1.1\r\nHost: a\r\n\r\n", "xxx"},
		"dots and slashes":   {"GET //../%2e HTTP/1.1\r\nHost: a\r\n\r\n", `"Path":"//../%2e"`},
	} {
		answers := talk(t, l, test.raw+"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n")
		if len(answers) != 2 || !strings.Contains(answers[0].body, test.want) || !strings.Contains(answers[1].body, `"/behind"`) {
			t.Errorf("%s: got %+v, want %s", name, answers, test.want)
		}
	}
}

package wire

import "fmt"

// Problem is an error that crosses the wire: problem details for HTTP APIs
// (RFC 9457), sent as [ProblemType]. Its type is always about:blank, so Title
// is the status's own phrase and Detail says what was wrong and what would be
// right.
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// Errorf makes a Problem with a status of the API (see [PathMap]) and a detail.
func Errorf(status int, format string, args ...any) *Problem {
	return &Problem{Status: status, Title: StatusText(status), Detail: fmt.Sprintf(format, args...)}
}

// Error returns the detail alone: it is written for people.
func (p *Problem) Error() string { return p.Detail }

// The statuses the API uses (RFC 9110, section 15).
const (
	StatusOK             = 200
	StatusCreated        = 201
	StatusNoContent      = 204
	StatusBadRequest     = 400
	StatusUnauthorized   = 401
	StatusForbidden      = 403
	StatusNotFound       = 404
	StatusMethod         = 405
	StatusTimeout        = 408
	StatusConflict       = 409
	StatusGone           = 410
	StatusLengthRequired = 411
	StatusTooLarge       = 413
	StatusURITooLong     = 414
	StatusExpectation    = 417
	StatusUnprocessable  = 422
	StatusTooMany        = 429
	StatusHeaderTooLarge = 431
	StatusInternal       = 500
	StatusNotImplemented = 501
	StatusBadGateway     = 502
	StatusUnavailable    = 503
	StatusGatewayTimeout = 504
	StatusVersion        = 505
)

var statusText = [...]struct {
	status int
	text   string
}{
	{StatusOK, "OK"}, {StatusCreated, "Created"}, {StatusNoContent, "No Content"},
	{StatusBadRequest, "Bad Request"}, {StatusUnauthorized, "Unauthorized"}, {StatusForbidden, "Forbidden"},
	{StatusNotFound, "Not Found"}, {StatusMethod, "Method Not Allowed"}, {StatusTimeout, "Request Timeout"},
	{StatusConflict, "Conflict"}, {StatusGone, "Gone"}, {StatusLengthRequired, "Length Required"},
	{StatusTooLarge, "Content Too Large"}, {StatusURITooLong, "URI Too Long"},
	{StatusExpectation, "Expectation Failed"}, {StatusUnprocessable, "Unprocessable Content"},
	{StatusTooMany, "Too Many Requests"}, {StatusHeaderTooLarge, "Request Header Fields Too Large"},
	{StatusInternal, "Internal Server Error"}, {StatusNotImplemented, "Not Implemented"},
	{StatusBadGateway, "Bad Gateway"}, {StatusUnavailable, "Service Unavailable"},
	{StatusGatewayTimeout, "Gateway Timeout"}, {StatusVersion, "HTTP Version Not Supported"},
}

// StatusText returns the status's phrase, "Unknown" for one the API does not use.
func StatusText(status int) string {
	for i := range statusText {
		if statusText[i].status == status {
			return statusText[i].text
		}
	}
	return "Unknown"
}

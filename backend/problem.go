package backend

import (
	"encoding/json"
	"net/http"
)

// Problem is an error answer, RFC 9457. The zero values of Type, Title and
// Instance are filled in by Write.
type Problem struct {
	// Code names the problem for programs, in snake_case. It is the end of
	// Type and the reason in the log.
	Code   string `json:"-"`
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail tells the caller what to change. It never holds a credential.
	Detail string `json:"detail,omitempty"`
	// Instance is the request's id, by which it is found in the log.
	Instance string `json:"instance,omitempty"`
	// Errors are the findings about single fields.
	Errors []FieldError `json:"errors,omitempty"`
}

// FieldError is one finding, in the form of RFC 9457 section 3's example.
type FieldError struct {
	// Pointer is a JSON Pointer into the body, as URI fragment: "#/name".
	Pointer string `json:"pointer,omitempty"`
	// Parameter is a query parameter, Header a header field.
	Parameter string `json:"parameter,omitempty"`
	Header    string `json:"header,omitempty"`
	Detail    string `json:"detail"`
}

// typePrefix makes a problem type of a code. The URI identifies; it is not
// meant to be fetched.
const typePrefix = "urn:lambda-authorizer:problem:"

// ContentType is the media type of a Problem.
const ContentType = "application/problem+json"

// Error makes a Problem an error that a handler can return. It is the code
// alone: the rest is for the caller.
func (p Problem) Error() string { return p.Code }

// Write answers r with p and notes its code for the request's line.
func (p Problem) Write(w http.ResponseWriter, r *http.Request) {
	if p.Type == "" {
		p.Type = typePrefix + p.Code
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	if p.Instance == "" {
		p.Instance = EventOf(r.Context()).RequestID
	}
	note(r.Context(), p.Code)
	body, err := json.Marshal(p)
	if err != nil { // a Problem has nothing that does not encode
		body = []byte(`{"title":"Internal Server Error","status":500}`)
		p.Status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(p.Status)
	w.Write(body)
}

// Internal is the answer where something failed that the caller cannot mend.
var Internal = Problem{
	Code: "internal", Status: http.StatusInternalServerError,
	Detail: "Something failed here. Quote the instance when you report it.",
}

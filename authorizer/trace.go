package authorizer

import (
	"net/netip"
	"time"

	"lambda-authorizer/network"
	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// Outcome is one of the four ways a request can end.
type Outcome string

// The rows of the answer table.
const (
	Allow        Outcome = "allow"
	Unauthorized Outcome = "unauthorized"
	Deny         Outcome = "deny"
	Fault        Outcome = "fault"
)

// outcome sorts an error into its row. An error without a known code is a
// fault, so nothing unmapped lets anybody in.
func outcome(err error) Outcome {
	if err == nil {
		return Allow
	}
	switch reason.Of(err).Status() {
	case 401:
		return Unauthorized
	case 403:
		return Deny
	}
	return Fault
}

// Step is one check of the flow and how it ended.
type Step struct {
	// Name is the check: event, api, credential, revocation, address, route,
	// grants, replay, answer. After one that did not pass, answer is the only one that runs.
	Name string
	// Err is nil where the check passed.
	Err error
	// Took is how long it took.
	Took time.Duration
}

// Trace is everything the flow found out about one request. The decision
// line, the metrics and authctl explain only render it.
type Trace struct {
	Steps   []Step
	Outcome Outcome
	// Reason is empty for Allow.
	Reason reason.Code
	// Err is what the last step said; it holds no secret.
	Err error

	// Request is nil where the event could not be read.
	Request *Request
	// Caller is who asks; its parts are nil until they were verified.
	Caller Caller
	// Client is the caller's address, behind trusted proxies; the zero Addr
	// where it is not known or nothing asks for it.
	Client   netip.Addr
	networks *network.View
	// Revocation is how the revocation check went.
	Revocation revocation.Result
	// Route is the configured route, valid where Matched.
	Route    policy.RouteID
	Matched  bool
	Template string
	// Granted are the routes that the caller may use, set with caching.
	Granted policy.Set
	// Document is the policy of the answer; nil for errors and simple answers.
	Document *policy.Document
	// DocumentCached tells that the document was rendered earlier.
	DocumentCached bool

	// Answer is what the function returns, unless AnswerErr is set.
	Answer    []byte
	AnswerErr error
}

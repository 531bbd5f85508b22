// Package authorizer takes an API Gateway authorizer event to its answer: it
// finds the credential, has it verified, checks it against revocations and
// the caller's address, decides by the route table and renders the policy or
// the simple response. It fails closed: whatever is not decided is refused.
//
// It reads no environment and starts nothing; cmd/authorizer does.
package authorizer

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"lambda-authorizer/httpsig"
	"lambda-authorizer/policy"
)

// Kind is the shape of an authorizer event.
type Kind string

// The five shapes API Gateway sends.
const (
	RESTToken   Kind = "rest_token"
	RESTRequest Kind = "rest_request"
	HTTP1       Kind = "http_1.0"
	HTTP2       Kind = "http_2.0"
	WebSocket   Kind = "websocket"
)

// Form tells how the path in an event of this kind is written: HTTP APIs hand
// it over decoded, the others as the client sent it.
func (k Kind) Form() policy.PathForm {
	if k == HTTP1 || k == HTTP2 {
		return policy.Decoded
	}
	return policy.Encoded
}

// Request is what the five event shapes have in common.
type Request struct {
	Kind Kind
	// ARN is methodArn or routeArn. Its path is the path of record: the
	// string that API Gateway evaluates the policy against.
	ARN policy.ARN
	// ID is requestContext.requestId; TOKEN events have none.
	ID string
	// Chosen is the route that API Gateway says it chose, as "METHOD
	// /template"; empty where the event names none.
	Chosen string
	// Value is the one value a TOKEN event carries.
	Value string
	// IdentitySource is what an HTTP API's event says of it: in payload 2.0
	// the values in the order of the authorizer's settings, in 1.0 one text
	// that joins them.
	IdentitySource []string
	// Source is the caller's address; the zero Addr where the event has none.
	Source netip.Addr
	// ClientCertPEM is the client's certificate where mutual TLS is on.
	ClientCertPEM string

	// path and rawQuery are what a signature covers: the path with its stage or
	// base path, and the query string where the event has one.
	path, rawQuery string

	headers      map[string]string
	multiHeaders map[string][]string
	query        map[string]string
	multiQuery   map[string][]string
	// presented are the credentials found in it.
	presented credentials
	// queryUnreadable: a part of the query string is in no map.
	queryUnreadable bool
	cookies         []string
}

// Header returns every value of a header, in whatever case it was sent. REST
// events tell headers twice; a value that only one of the two has counts as
// one more, so that a disagreement shows as two values.
func (r *Request) Header(name string) []string {
	var values []string
	for n, v := range r.multiHeaders {
		if strings.EqualFold(n, name) {
			values = append(values, v...)
		}
	}
	for n, v := range r.headers {
		if strings.EqualFold(n, name) && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// forwarded returns the lines of X-Forwarded-For in the order they were sent,
// or none where the header is written in two ways: maps keep no order between
// names, and who stands last decides.
func (r *Request) forwarded() []string {
	const name = "X-Forwarded-For"
	spellings := 0
	for n := range r.multiHeaders {
		if strings.EqualFold(n, name) {
			spellings++
		}
	}
	if lines := r.Header(name); spellings < 2 && (spellings == 1 || len(lines) < 2) {
		return lines
	}
	return nil
}

// Query returns every value of a query parameter, decoded, counted as those of
// a header are.
func (r *Request) Query(name string) []string {
	values := r.multiQuery[name]
	if v, ok := r.query[name]; ok && !slices.Contains(values, v) {
		values = append(slices.Clip(values), v)
	}
	return values
}

// Cookies returns the Cookie header lines or, of HTTP API 2.0, the pairs that
// the event lists apart from the headers.
func (r *Request) Cookies() []string {
	if r.cookies != nil {
		return r.cookies
	}
	return r.Header("Cookie")
}

// message is the request in the words of RFC 9421. What the event does not
// tell stays empty, and a signature that covers it does not verify.
func (r *Request) message() *httpsig.Message {
	m := &httpsig.Message{
		Method: r.ARN.Method, Path: r.path, PathDecoded: r.Kind.Form() == policy.Decoded,
		RawQuery: r.rawQuery, Header: r.Header,
	}
	if host := r.Header("Host"); len(host) == 1 {
		m.Authority = host[0]
	}
	if r.Kind != HTTP2 {
		m.Params = make(map[string][]string, len(r.multiQuery))
		for _, names := range []iter.Seq[string]{maps.Keys(r.multiQuery), maps.Keys(r.query)} {
			for name := range names {
				m.Params[name] = r.Query(name)
			}
		}
	}
	return m
}

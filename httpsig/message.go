package httpsig

import (
	"errors"
	"fmt"
	"strings"
)

// Message is what a signature may cover of a request, as the event tells it.
type Message struct {
	// Method is the request's method, in the case it was sent.
	Method string
	// Authority is the Host header's value; the port stays unless it is 443.
	Authority string
	// Path is requestContext.path or rawPath: as the client sent it, stage or
	// base path included, except that rawPath lacks the key of an API mapping.
	// Empty where the event has none; then nothing that covers @path verifies.
	Path string
	// PathDecoded says that the gateway has percent-decoded Path already, as
	// HTTP APIs do. It is then never decoded again.
	PathDecoded bool
	// RawQuery is the query string as sent, without "?". It is read only
	// where Params is nil.
	RawQuery string
	// Params are the decoded parameters of an event that has no query string.
	// Not nil, even if empty, for such an event.
	Params map[string][]string
	// Header returns the values of a header field, named in lower case, in
	// the order they were sent. It must ignore the case of names.
	Header func(name string) []string
}

// Present tells whether m claims to be signed. What has no Signature-Input is
// no signature of RFC 9421.
func Present(m *Message) bool { return len(m.Header("signature-input")) > 0 }

// view is a Message with its canonical forms.
type view struct {
	method string
	path   string
	query  []parameter
	header func(string) []string
}

func newView(m *Message) (*view, error) {
	path, err := canonicalPath(m.Path, m.PathDecoded)
	if err != nil {
		return nil, err
	}
	v := &view{method: m.Method, path: path, header: m.Header}
	if m.Params != nil {
		v.query, err = sortedParameters(m.Params)
	} else {
		v.query, err = parseParameters(m.RawQuery)
	}
	return v, err
}

// value is a component's value in the signature base (RFC 9421 section 2).
func (v *view) value(c component, authority string) (string, error) {
	switch c.name {
	case "@method":
		return v.method, nil
	case "@authority":
		if authority == "" {
			return "", errors.New("the request has no authority")
		}
		return authority, nil
	case "@path":
		return v.path, nil
	case "@query":
		return canonicalQuery(v.query), nil
	case "@query-param":
		return v.param(c.param)
	}
	return v.field(c.name)
}

// param is the value of the parameter that occurs once under this decoded
// name. RFC 9421 section 2.2.8: one that occurs more often must not be
// covered by name.
func (v *view) param(name string) (string, error) {
	found := 0
	value := ""
	for _, p := range v.query {
		if p.name == name {
			found, value = found+1, p.value
		}
	}
	if found != 1 {
		return "", fmt.Errorf("a query parameter covered by name occurs %d times", found)
	}
	return escape(value, formSet), nil
}

// field combines the values of a header field (RFC 9421 section 2.1).
func (v *view) field(name string) (string, error) {
	values := v.header(name)
	if len(values) == 0 {
		return "", fmt.Errorf("the covered header field %s is not in the request", name)
	}
	trimmed := make([]string, len(values))
	for i, value := range values {
		trimmed[i] = strings.Trim(value, " \t")
	}
	return strings.Join(trimmed, ", "), nil
}

// canonicalAuthority is RFC 9421 section 2.2.3 for https, the only scheme of
// API Gateway: lower case, the default port left out.
func canonicalAuthority(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ":443")
}

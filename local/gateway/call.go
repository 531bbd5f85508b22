package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a request. AWS's are 10 MB of payload and 10,240 bytes of request
// line and header values together.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const (
	maxBody    = 10 << 20
	maxHeaders = 10_240
)

// call is one request on its way through a stage.
type call struct {
	request    *http.Request
	id         string // requestId
	connection string // connectionId of a WebSocket
	received   time.Time
	header     http.Header // as functions see it
	// sent is the path as sent, without the stage; path is the one in ARNs.
	sent, path string
	query      url.Values
	body       []byte

	route  *route
	params params

	arn             string
	identity        []string
	granted         *result
	consulted       Consulted
	authorizerError string
}

// receive reads a request. The call is there in any case.
func (s *Stage) receive(w http.ResponseWriter, r *http.Request) (*call, *failure) {
	failures := s.front.failures()
	c := &call{
		request: r, id: newID(), connection: newID(), received: s.Now(),
		query: r.URL.Query(), header: forwarded(r),
	}
	sent, ok := s.withoutStage(pathAsSent(r))
	if !ok {
		return c, &failures.noRoute
	}
	c.sent, c.path = sent, s.front.path(sent)
	if headersLength(r) > maxHeaders {
		return c, &failures.headersTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return c, &failures.bodyTooLarge
	}
	c.body = body // a client that hung up gets no answer anyway
	return c, nil
}

// pathAsSent is the path before anybody decoded or cleaned it.
func pathAsSent(r *http.Request) string {
	if path, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(path, "/") {
		return path
	}
	return r.URL.EscapedPath()
}

// withoutStage takes the stage off a path; $default does not stand in it.
func (s *Stage) withoutStage(path string) (string, bool) {
	if s.Stage == "$default" {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, "/"+s.Stage)
	switch {
	case !ok || rest != "" && rest[0] != '/':
		return "", false
	case rest == "":
		return "/", true
	}
	return rest, true
}

// withStage is the path that includes the stage, as in requestContext.path.
func (s *Stage) withStage(path string) string {
	if s.Stage == "$default" {
		return path
	}
	return "/" + s.Stage + path
}

// forwarded adds the headers that API Gateway adds.
func forwarded(r *http.Request) http.Header {
	h := r.Header.Clone()
	h.Set("Host", r.Host)
	chain := append(h.Values("X-Forwarded-For"), host(r.RemoteAddr))
	h.Set("X-Forwarded-For", strings.Join(chain, ", "))
	h.Set("X-Forwarded-Proto", "http")
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		h.Set("X-Forwarded-Port", port)
	}
	if h.Get("X-Amzn-Trace-Id") == "" {
		h.Set("X-Amzn-Trace-Id", fmt.Sprintf("Root=1-%08x-%x", time.Now().Unix(), random(12)))
	}
	return h
}

func headersLength(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value)
		}
	}
	return n
}

func (c *call) sourceIP() string { return host(c.request.RemoteAddr) }

// domain is the host name the client asked for, as with a custom domain.
func (c *call) domain() string { return host(c.request.Host) }

// time as in requestContext.
func (c *call) time() string { return c.received.UTC().Format("02/Jan/2006:15:04:05 -0700") }

// bodyText is the body as events have it, and whether it is in base64.
func (c *call) bodyText() (text any, encoded bool) {
	switch {
	case len(c.body) == 0:
		return nil, false
	case utf8.Valid(c.body):
		return string(c.body), false
	default:
		return base64.StdEncoding.EncodeToString(c.body), true
	}
}

func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}

// newID looks like API Gateway's extended request ids.
func newID() string { return base64.RawURLEncoding.EncodeToString(random(11)) + "=" }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, crypto/rand
	return b
}

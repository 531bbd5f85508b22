package httpsig

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"lambda-authorizer/reason"
)

// testSecret is test-shared-secret of RFC 9421 appendix B.1.5.
const testSecret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="

// otherSecret is 32 bytes of "o".
const otherSecret = "b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28="

var testNow = time.Date(2026, 11, 13, 12, 34, 56, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// keyring holds keys by id.
type keyring map[string]*Key

func (k keyring) Key(_ context.Context, id string) (*Key, error) { return k[id], nil }

func mustKeys(t testing.TB, doc string) keyring {
	t.Helper()
	keys, errs := ParseKeys([]byte(doc))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return keys
}

// partner is a ring with the key "partner" of testSecret; more is put into its
// record.
func partner(t testing.TB, more string) keyring {
	t.Helper()
	return mustKeys(t, fmt.Sprintf(`{"keys": {"partner": {"secret": %q, "principal": "acme", "scopes": ["items:read"]%s}}}`, testSecret, more))
}

// table is a nonces table in memory.
type table struct {
	mu      sync.Mutex
	used    map[string]string
	expires map[string]time.Time
	err     error
}

func newTable() *table { return &table{used: map[string]string{}, expires: map[string]time.Time{}} }

func (n *table) Use(_ context.Context, key, requestID string, expires time.Time) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return false, n.err
	}
	if by, ok := n.used[key]; ok {
		return by == requestID, nil
	}
	n.used[key], n.expires[key] = requestID, expires
	return true, nil
}

func verifier(t testing.TB, c Config, keys Keys, now time.Time) *Verifier {
	t.Helper()
	v, err := New(c, Options{Keys: keys, Nonces: newTable(), Now: at(now)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func signer(t testing.TB) *Signer {
	t.Helper()
	s, err := NewSigner("partner", testSecret)
	if err != nil {
		t.Fatal(err)
	}
	s.Now = at(testNow)
	return s
}

func request(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func signedRequest(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	r := request(t, method, target, body)
	if err := signer(t).Sign(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// forms make of a request what each kind of API leaves of it. They use none of
// the package's own decoding.
var forms = map[string]func(testing.TB, *http.Request) *Message{
	"REST": func(t testing.TB, r *http.Request) *Message {
		m := message(r)
		m.Path = r.URL.EscapedPath()
		m.Params = decodedParams(t, r)
		return m
	},
	"HTTP 1.0": func(t testing.TB, r *http.Request) *Message {
		m := message(r)
		m.Path, m.PathDecoded = gatewayPath(t, r), true
		m.Params = decodedParams(t, r)
		return m
	},
	"HTTP 2.0": func(t testing.TB, r *http.Request) *Message {
		m := message(r)
		m.Path, m.PathDecoded = gatewayPath(t, r), true
		m.RawQuery = r.URL.RawQuery
		m.Header = func(name string) []string {
			values := r.Header.Values(name)
			if len(values) == 0 {
				return nil
			}
			return []string{strings.Join(values, ",")}
		}
		return m
	},
}

func message(r *http.Request) *Message {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return &Message{Method: r.Method, Authority: host, Header: r.Header.Values}
}

// gatewayPath decodes the whole path and cuts it at a "?", as HTTP APIs do.
func gatewayPath(t testing.TB, r *http.Request) string {
	path, err := url.PathUnescape(r.URL.EscapedPath())
	if err != nil {
		t.Fatal(err)
	}
	path, _, _ = strings.Cut(path, "?")
	return path
}

func decodedParams(t testing.TB, r *http.Request) map[string][]string {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	return params
}

// crafted is a request with a Signature-Input written by hand and a MAC that
// is right for it.
type crafted struct {
	method, authority, path, query string
	header                         http.Header
	// components and params are texts of Signature-Input; label defaults to "sig".
	components, params, label string
	secret                    string
}

func defaults() crafted {
	return crafted{
		method: "GET", authority: "api.example.com", path: "/prod/items", query: "limit=10",
		header:     http.Header{},
		components: `"@method" "@authority" "@path" "@query"`,
		params:     fmt.Sprintf(`;created=%d;keyid="partner";nonce="n1"`, testNow.Unix()),
		label:      "sig", secret: testSecret,
	}
}

func (c crafted) message() *Message {
	return &Message{Method: c.method, Authority: c.authority, Path: c.path, RawQuery: c.query, Header: c.header.Values}
}

// sign sets Signature-Input and Signature. Where the signature has no base,
// the MAC is of an empty one.
func (c crafted) sign(t testing.TB) *Message {
	t.Helper()
	m := c.message()
	c.header.Set("Signature-Input", c.label+"=("+c.components+")"+c.params)
	base := c.base(m)
	raw, err := base64.StdEncoding.DecodeString(c.secret)
	if err != nil {
		t.Fatal(err)
	}
	c.header.Set("Signature", c.label+"=:"+base64.StdEncoding.EncodeToString(mac(raw, base))+":")
	return m
}

func (c crafted) base(m *Message) string {
	inputs, err := dictionary("Signature-Input", m.Header("signature-input"))
	if err != nil {
		return ""
	}
	p, err := ours(inputs)
	if err != nil || p.readComponents() != nil {
		return ""
	}
	view, err := newView(m)
	if err != nil {
		return ""
	}
	base, err := signatureBase(view, p.components, p.input, canonicalAuthority(m.Authority))
	if err != nil {
		return ""
	}
	return base
}

// wantCode fails unless err carries code.
func wantCode(t testing.TB, err error, code reason.Code) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want %s", code)
	}
	if got := reason.Of(err); got != code {
		t.Fatalf("got %s (%v), want %s", got, err, code)
	}
}

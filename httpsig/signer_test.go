package httpsig

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestSignerWritesWhatItSigns(t *testing.T) {
	t.Parallel()
	s := signer(t)
	s.Nonce = func() string { return "n1" }
	s.Lifetime, s.Tag = time.Minute, "app"
	r := request(t, "PUT", "https://API.Example.com:443/items/a:b/caf%c3%a9?b=x+y&a=2&a=1&flag#part", "{}")
	if err := s.Sign(r); err != nil {
		t.Fatal(err)
	}
	if got, want := r.URL.RequestURI(), "/items/a%3Ab/caf%C3%A9?a=2&a=1&b=x%20y&flag="; got != want {
		t.Errorf("sends %s, want %s", got, want)
	}
	for name, want := range map[string]string{
		"Content-Digest":  "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:",
		"Signature-Input": `sig=("@method" "@authority" "@path" "@query" "content-digest");created=1794573296;expires=1794573356;nonce="n1";keyid="partner";alg="hmac-sha256";tag="app"`,
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || string(body) != "{}" || r.ContentLength != 2 {
		t.Errorf("body %q, %v, length %d", body, err, r.ContentLength)
	}
}

func TestNoncesAreRandom(t *testing.T) {
	t.Parallel()
	a, b := signedRequest(t, "GET", "https://x/", ""), signedRequest(t, "GET", "https://x/", "")
	if a.Header.Get("Signature-Input") == b.Header.Get("Signature-Input") {
		t.Error("two signatures have one nonce")
	}
}

func TestSignerRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target string
		edit   func(*Signer, *http.Request)
	}{
		"an encoded slash":        {"https://x/a%2Fb", nil},
		"an encoded backslash":    {"https://x/a%5Cb", nil},
		"a dot segment":           {"https://x/a/../b", nil},
		"an encoded dot segment":  {"https://x/a/%2e%2e/b", nil},
		"an empty segment":        {"https://x/a//b", nil},
		"a raw semicolon":         {"https://x/a?b=1;c=2", nil},
		"a value without a name":  {"https://x/a?=1", nil},
		"an invalid query escape": {"https://x/a?b=%zz", nil},
		"an opaque URL":           {"https:x", nil},
		"no host":                 {"/a", nil},
		"a signed request": {"https://x/a", func(_ *Signer, r *http.Request) {
			r.Header.Set("Signature-Input", "sig=()")
		}},
		"a field that is not there":    {"https://x/a", func(s *Signer, _ *http.Request) { s.Fields = []string{"Date"} }},
		"a field that cannot be one":   {"https://x/a", func(s *Signer, _ *http.Request) { s.Fields = []string{"@status"} }},
		"a field that is not ASCII":    {"https://x/a", func(s *Signer, r *http.Request) { s.Fields = []string{"X"}; r.Header.Set("X", "é") }},
		"a nonce that is too long":     {"https://x/a", func(s *Signer, _ *http.Request) { s.Nonce = func() string { return strings.Repeat("n", 257) } }},
		"an empty nonce":               {"https://x/a", func(s *Signer, _ *http.Request) { s.Nonce = func() string { return "" } }},
		"a nonce that is not ASCII":    {"https://x/a", func(s *Signer, _ *http.Request) { s.Nonce = func() string { return "é" } }},
		"a body that cannot be read":   {"https://x/a", func(_ *Signer, r *http.Request) { r.Body = &failing{} }},
		"a body that cannot be closed": {"https://x/a", func(_ *Signer, r *http.Request) { r.Body = &failing{closes: true} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := signer(t), request(t, "GET", c.target, "")
			if c.edit != nil {
				c.edit(s, r)
			}
			err := s.Sign(r)
			if err == nil {
				t.Fatal("signed")
			}
			if !strings.HasPrefix(err.Error(), "httpsig: sign GET request: ") {
				t.Errorf("the error says %q", err)
			}
		})
	}
}

type failing struct {
	closes bool
	closed atomic.Int32
}

func (f *failing) Read([]byte) (int, error) {
	if f.closes {
		return 0, io.EOF
	}
	return 0, errors.New("read fails")
}

func (f *failing) Close() error {
	f.closed.Add(1)
	return errors.New("close fails")
}

func TestNewSignerRefusesWhatIsNoKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, secret string }{
		{"", testSecret}, {"a b", testSecret}, {"a", ""}, {"a", "c2hvcnQ="}, {"a", "%private%"},
	} {
		s, err := NewSigner(c.id, c.secret)
		if err == nil || s != nil {
			t.Errorf("%q is a key", c.id)
		}
		if c.secret != "" && err != nil && strings.Contains(err.Error(), c.secret) {
			t.Errorf("%v quotes the secret", err)
		}
	}
	if _, err := NewSigner("a", testSecret+"\n"); err != nil {
		t.Errorf("a line end after the secret: %v", err)
	}
}

// A server that verifies what net/http really sent.
func server(t *testing.T, next http.HandlerFunc) *httptest.Server {
	t.Helper()
	v, err := New(Config{}, Options{Keys: partner(t, ""), Nonces: newTable()})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, query, _ := strings.Cut(r.RequestURI, "?")
		m := &Message{Method: r.Method, Authority: r.Host, Path: path, RawQuery: query, Header: r.Header.Values}
		signature, err := v.Verify(r.Context(), m)
		if err == nil {
			err = v.Spend(r.Context(), signature, "")
		}
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.RequestURI, err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestTransportSignsWhatIsSent(t *testing.T) {
	t.Parallel()
	var got atomic.Value
	s := server(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got.Store(r.RequestURI + " " + string(body))
	})
	signing, err := NewSigner("partner", testSecret)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &Transport{Signer: signing}}
	for _, c := range []struct{ method, target, body, want string }{
		{"GET", "", "", "/ "},
		{"GET", "/a:b?z=1&y=a+b", "", "/a%3Ab?y=a%20b&z=1 "},
		{"POST", "/é", "text", "/%C3%A9 text"},
		{"DELETE", "/x", "", "/x "},
		{"", "/x", "", "/x "},
	} {
		var body io.Reader
		if c.body != "" {
			body = io.MultiReader(strings.NewReader(c.body)) // of unknown length
		}
		r, err := http.NewRequest(c.method, s.URL+c.target, body)
		if err != nil {
			t.Fatal(err)
		}
		before := r.URL.String()
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || got.Load() != c.want {
			t.Errorf("%s %s: %s, received %q, want %q", c.method, c.target, resp.Status, got.Load(), c.want)
		}
		if len(r.Header) != 0 || r.URL.String() != before {
			t.Errorf("the caller's request was changed: %v %v", r.URL, r.Header)
		}
	}
}

func TestTransportSignsARedirectAnew(t *testing.T) {
	t.Parallel()
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new?a=1", http.StatusTemporaryRedirect)
		}
	})
	signing, err := NewSigner("partner", testSecret)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &Transport{Signer: signing, Base: s.Client().Transport}}
	resp, err := client.Post(s.URL+"/old", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/new" {
		t.Errorf("%s from %s", resp.Status, resp.Request.URL)
	}
}

func TestTransportClosesTheBodyOfWhatItCannotSign(t *testing.T) {
	t.Parallel()
	body := &failing{}
	r, err := http.NewRequest("POST", "https://x/a%2Fb", body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&Transport{Signer: signer(t)}).RoundTrip(r); err == nil {
		t.Fatal("sent")
	}
	if body.closed.Load() == 0 {
		t.Error("the body is open")
	}
}

package jwks

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// idp is a real HTTP server on loopback that plays an issuer.
type idp struct {
	*httptest.Server
	mux                *http.ServeMux
	discovered, served atomic.Int32
}

// newIDP serves set at /jwks and a discovery document that says so.
func newIDP(t testing.TB, set string) *idp {
	t.Helper()
	p := &idp{mux: http.NewServeMux()}
	p.Server = httptest.NewServer(p.mux)
	t.Cleanup(p.Close)
	p.mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		p.discovered.Add(1)
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"x":{"a":1,"b":[]}}`, p.URL, p.URL+"/jwks")
	})
	p.mux.HandleFunc("/jwks", func(w http.ResponseWriter, r *http.Request) {
		p.served.Add(1)
		fmt.Fprint(w, set)
	})
	return p
}

// fetcher reads from path of p; without path it discovers.
func (p *idp) fetcher(path string) *fetcher {
	i := Issuer{Issuer: p.URL}
	if path != "" {
		i.JWKSURI = p.URL + path
	}
	f := newFetcher(nil, i, func() time.Time { return noon })
	f.pause = func() time.Duration { return 0 }
	return f
}

func fetchFails(t *testing.T, f *fetcher, why string) {
	t.Helper()
	got, err := f.fetch(context.Background())
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Fatalf("got %v keys and error %v, want an error with %q", got.keys, err, why)
	}
	if len(err.Error()) > 500 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

func TestKeySetIsDiscovered(t *testing.T) {
	t.Parallel()
	p := newIDP(t, keySetOf(signerFor("ES256", "k").jwk(), `{"kty":"oct"}`))
	got, err := p.fetcher("").fetch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got.keys.size != 1 || got.keys.skippedCount != 1 || got.maxAge != 15*time.Minute {
		t.Errorf("%d keys, %d skipped, max age %s", got.keys.size, got.keys.skippedCount, got.maxAge)
	}
}

func TestDiscoveryIsRepeatedAfterADayOrAFailure(t *testing.T) {
	t.Parallel()
	p := newIDP(t, keySetOf(signerFor("ES256", "k").jwk()))
	f, c := p.fetcher(""), new(clock)
	f.now = c.now
	p.mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	for _, step := range []struct {
		after      time.Duration
		moved      bool // what was discovered is gone
		discovered int32
	}{{0, false, 1}, {time.Hour, false, 1}, {24 * time.Hour, false, 2}, {time.Hour, true, 3}} {
		c.advance(step.after)
		if step.moved {
			f.discovery.Store(&discovery{p.URL + "/moved", c.now()})
		}
		if _, err := f.fetch(context.Background()); err != nil {
			t.Fatalf("after %s: %v", step.after, err)
		}
		if got := p.discovered.Load(); got != step.discovered {
			t.Errorf("after %s: %d discoveries, want %d", step.after, got, step.discovered)
		}
	}
}

func TestDiscoveryIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ issuer, body, why string }{
		"for another issuer":       {"https://a.example", `{"issuer":"https://b.example","jwks_uri":"https://a.example/k"}`, `discovery is for issuer "https://b.example"`},
		"for it with a slash":      {"https://a.example", `{"issuer":"https://a.example/","jwks_uri":"https://a.example/k"}`, "discovery is for issuer"},
		"without issuer":           {"https://a.example", `{"jwks_uri":"https://a.example/k"}`, "discovery is for issuer"},
		"without jwks_uri":         {"https://a.example", `{"issuer":"https://a.example"}`, "not an absolute URL"},
		"jwks_uri relative":        {"https://a.example", `{"issuer":"https://a.example","jwks_uri":"/k"}`, "not an absolute URL"},
		"jwks_uri in plain":        {"https://a.example", `{"issuer":"https://a.example","jwks_uri":"http://a.example/k"}`, "not https"},
		"jwks_uri a file":          {"https://a.example", `{"issuer":"https://a.example","jwks_uri":"file:///etc/passwd"}`, "not an absolute URL"},
		"jwks_uri on our loopback": {"https://a.example", `{"issuer":"https://a.example","jwks_uri":"http://127.0.0.1:9001/k"}`, "not https"},
		"issuer twice":             {"https://a.example", `{"issuer":"https://b.example","issuer":"https://a.example","jwks_uri":"https://a.example/k"}`, "not a discovery document"},
		"HTML":                     {"https://a.example", `<html>`, "not a discovery document"},
		"a list":                   {"https://a.example", `[]`, "not a discovery document"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFetcher(nil, Issuer{Issuer: tt.issuer}, time.Now)
			if uri, err := f.readDiscovery([]byte(tt.body)); err == nil || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %q, %v, want an error with %q", uri, err, tt.why)
			}
		})
	}
}

func TestDiscoveryOverHTTPIsForThisIssuerAlone(t *testing.T) {
	t.Parallel()
	p := newIDP(t, keySetOf(signerFor("ES256", "k").jwk()))
	f := p.fetcher("")
	f.issuer += "/"
	fetchFails(t, f, "discovery is for issuer")
	if p.served.Load() != 0 {
		t.Error("the key set was read all the same")
	}
}

func TestAnswersThatAreNoKeySetAreRefused(t *testing.T) {
	t.Parallel()
	good := keySetOf(signerFor("ES256", "k").jwk())
	elsewhere := newIDP(t, good)
	t.Cleanup(func() {
		if elsewhere.served.Load() != 0 {
			t.Error("the other host was asked")
		}
	})
	for name, tt := range map[string]struct {
		why    string
		answer http.HandlerFunc
	}{
		"HTML": {`not a JWK set: no JSON object with an array keys (content type "text/html")`, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!doctype html><title>Sign in</title>")
		}},
		"oversize": {"more than 512 KB", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, good+strings.Repeat(" ", maxBody))
		}},
		"error":        {"status 503", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503); fmt.Fprint(w, good) }},
		"no content":   {"status 204", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }},
		"not found":    {"status 404", http.NotFound},
		"nothing":      {"not a JWK set", func(w http.ResponseWriter, r *http.Request) {}},
		"no usable":    {"none of the 1 keys is usable", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"keys":[{"kty":"oct"}]}`) }},
		"closed early": {"EOF", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }},
		"cut off": {"unexpected EOF", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, good)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		"redirect to another host": {"redirect to another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/jwks", http.StatusFound)
		}},
		"redirect to another name of it": {"redirect to another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost"+strings.TrimPrefix(r.Host, "127.0.0.1")+"/jwks", http.StatusFound)
		}},
		"redirect to a file": {"redirect to another host", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}},
		"redirect for ever": {"more than 3 redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIDP(t, good)
			p.mux.HandleFunc("/odd", tt.answer)
			p.mux.HandleFunc("/oddx", tt.answer)
			p.mux.HandleFunc("/oddxx", tt.answer)
			p.mux.HandleFunc("/oddxxx", tt.answer)
			fetchFails(t, p.fetcher("/odd?api-key=hush"), tt.why)
			_, err := p.fetcher("/odd?api-key=hush").fetch(context.Background())
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("error tells the query: %v", err)
			}
		})
	}
}

// counting counts requests on their way out: a busy machine may not get them
// to the server in time.
type counting struct {
	http.Transport
	requests atomic.Int32
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.Transport.RoundTrip(r)
}

func TestSlowAnswersAreGivenUp(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{"before the first byte": "", "inside the body": `{"keys":[`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIDP(t, "")
			p.mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
				if begin != "" {
					fmt.Fprint(w, begin)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done() // until the client hangs up
			})
			f := p.fetcher("/slow")
			f.try = 20 * time.Millisecond
			asked := new(counting)
			f.client.Transport = asked
			fetchFails(t, f, "no answer within 20ms")
			if got := asked.requests.Load(); got != 2 {
				t.Errorf("asked %d times, want 2", got)
			}
		})
	}
}

func TestThreeRedirectsOnTheHostAreFollowed(t *testing.T) {
	t.Parallel()
	p := newIDP(t, keySetOf(signerFor("ES256", "k").jwk()))
	for from, to := range map[string]string{"/a": "/b", "/b": "/c", "/c": "/jwks"} {
		p.mux.Handle(from, http.RedirectHandler(to, http.StatusMovedPermanently))
	}
	if _, err := p.fetcher("/a").fetch(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestSecondTryIsEnough(t *testing.T) {
	t.Parallel()
	p := newIDP(t, "")
	var asked atomic.Int32
	p.mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, keySetOf(signerFor("ES256", "k").jwk()))
	})
	if _, err := p.fetcher("/flaky").fetch(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to string
		ok       bool
	}{
		{"https://a.example/x", "https://a.example/y", true},
		{"https://a.example/x", "https://A.example:443/y", true},
		{"http://127.0.0.1/x", "http://127.0.0.1:80/y", true},
		{"https://a.example/x", "http://a.example/y", false},
		{"https://a.example/x", "https://a.example:8443/y", false},
		{"https://a.example:8443/x", "http://a.example:8443/y", false},
		{"https://a.example/x", "https://b.a.example/y", false},
		{"https://a.example/x", "https://a.example.b.example/y", false},
		{"http://127.0.0.1/x", "https://127.0.0.1/y", false},
	} {
		from, to := must(http.NewRequest("GET", tt.from, nil)), must(http.NewRequest("GET", tt.to, nil))
		if err := sameHostOnly(to, []*http.Request{from}); (err == nil) != tt.ok {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
		}
	}
}

func TestKeysAreReadOverHTTPSOrLoopback(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"https://a.example/k": true, "https://a.example:8443/k?x=1": true, "http://localhost:1/k": true,
		"http://127.0.0.1/k": true, "http://127.9.9.9/k": true, "http://[::1]:9/k": true, "http://[::ffff:127.0.0.1]/k": true,
		"http://a.example/k": false, "http://10.0.0.1/k": false, "http://localhost.a.example/k": false, "http://127.0.0.1.a.example/k": false,
		"https://user:pass@a.example/k": false, "https://a.example/k#x": false, "ftp://a.example/k": false,
		"https:///k": false, "https:a.example": false, "a.example": false, "": false, "https://a example/": false, "http://[::1": false,
	} {
		if _, err := checkURL(raw); (err == nil) != ok {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestMaxAgeIsKeptWithinBounds(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"": 15 * time.Minute, "max-age=3600": time.Hour, "public, max-age=19845, must-revalidate, no-transform": 19845 * time.Second,
		"Max-Age=3600": time.Hour, `max-age="3600"`: time.Hour, "max-age=0": time.Minute, "max-age=15, stale-while-revalidate=15": time.Minute,
		"max-age=59": time.Minute, "max-age=61": 61 * time.Second, "max-age=86400": 24 * time.Hour, "max-age=86401": 24 * time.Hour,
		"max-age=99999999999999999999999999": 24 * time.Hour, "max-age=-1": 15 * time.Minute, "max-age=": 15 * time.Minute, "max-age": 15 * time.Minute,
		"max-age=1h": 15 * time.Minute, "s-maxage=60": 15 * time.Minute, "no-store": 15 * time.Minute, "max-age=x, max-age=600": 10 * time.Minute,
	} {
		h := http.Header{}
		if header != "" {
			h.Set("Cache-Control", header)
		}
		if got := maxAge(h); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
	if got := maxAge(http.Header{"Cache-Control": {"no-transform", "max-age=600"}}); got != 10*time.Minute {
		t.Errorf("two lines: %s", got)
	}
}

func TestTimeSpentInCachesIsTakenOffTheAge(t *testing.T) {
	t.Parallel()
	for age, want := range map[string]time.Duration{
		"0": time.Hour, "3000": 10 * time.Minute, " 600 ": 50 * time.Minute, "3600": time.Minute, "99999999999999999999": time.Minute,
		"-5": time.Hour, "x": time.Hour, "": time.Hour,
	} {
		if got := maxAge(http.Header{"Cache-Control": {"max-age=3600"}, "Age": {age}}); got != want {
			t.Errorf("Age %q: %s, want %s", age, got, want)
		}
	}
}

// A connection that slept through a freeze of the process is dead, and the
// fetch after it would hang.
func TestNoConnectionOutlivesItsFetch(t *testing.T) {
	t.Parallel()
	p := newIDP(t, keySetOf(signerFor("ES256", "k").jwk()))
	var opened atomic.Int64
	p.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	f := p.fetcher("/jwks")
	for range 3 {
		if _, err := f.fetch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 3 {
		t.Errorf("3 fetches over %d connections", n)
	}
}

package items_test

import (
	"net/http"
	"strings"
	"testing"

	"lambda-authorizer/items"
)

func withCORS(t *testing.T, origins string, credentials bool) service {
	t.Helper()
	cors, err := items.ParseCORS(origins, credentials)
	if err != nil {
		t.Fatal(err)
	}
	return newService(t, func(c *items.Config) { c.CORS = cors })
}

func TestOnlyListedOriginsMayRead(t *testing.T) {
	t.Parallel()
	s := withCORS(t, "https://app.example.com, http://localhost:3000", true)
	for _, alice := range []caller{s.as("main|alice"), s.as("main|alice").overHTTP()} {
		for origin, want := range map[string]string{
			"https://app.example.com": "https://app.example.com", "http://localhost:3000": "http://localhost:3000",
			"https://evil.example.com": "", "https://app.example.com.evil.com": "", "http://app.example.com": "", "null": "",
		} {
			a := alice.do(t, "GET", "/items", "", "Origin", origin)
			if got := a.header.Get("Access-Control-Allow-Origin"); got != want || a.status != 200 {
				t.Errorf("%s: %d, allowed %q", origin, a.status, got)
			}
			if want != "" && (a.header.Get("Access-Control-Allow-Credentials") != "true" || !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "Etag")) {
				t.Errorf("%s: %v", origin, a.header)
			}
			if a.header.Get("Vary") != "Origin" {
				t.Errorf("%s: Vary %q", origin, a.header.Get("Vary"))
			}
		}
	}
}

func TestPreflightNeedsNoAuthorizer(t *testing.T) {
	t.Parallel()
	s := withCORS(t, "https://app.example.com", false)
	for _, browser := range []caller{s.as(""), s.as("").overHTTP()} {
		a := browser.do(t, "OPTIONS", "/items/x", "", "Origin", "https://app.example.com",
			"Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization,content-type,idempotency-key,if-match")
		if a.status != http.StatusNoContent || a.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
			a.header.Get("Access-Control-Allow-Methods") != "PATCH" || a.header.Get("Access-Control-Allow-Headers") == "" {
			t.Errorf("%d %v", a.status, a.header)
		}
		if a := browser.do(t, "OPTIONS", "/items", "", "Origin", "https://evil.example.com", "Access-Control-Request-Method", "GET"); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("another origin: %v", a.header)
		}
	}
}

func TestErrorsCanBeReadByPagesToo(t *testing.T) {
	t.Parallel()
	s := withCORS(t, "https://app.example.com", false)
	for _, who := range []caller{s.as(""), s.as("main|alice").withScopes("")} {
		a := who.do(t, "GET", "/items", "", "Origin", "https://app.example.com")
		if a.status < 400 || a.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
			t.Errorf("%d %v", a.status, a.header)
		}
	}
}

func TestWithoutConfigurationNoPageMayRead(t *testing.T) {
	t.Parallel()
	a := newService(t).as("main|alice").do(t, "GET", "/items", "", "Origin", "https://app.example.com")
	for name := range a.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s: %s", name, a.header.Get(name))
		}
	}
}

func TestCORSThatWouldBeUnsafeOrUselessIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		origins     string
		credentials bool
		want        string
	}{
		{"*", true, "never"},
		{"https://a.example,*", false, "stands alone"},
		{"https://*.example.com", false, "not an origin"},
		{"https://a.example/", false, "not an origin"},
		{"https://a.example/path", false, "not an origin"},
		{"https://A.example", false, "not an origin"},
		{"a.example", false, "not an origin"},
		{"null", false, "not an origin"},
		{"ftp://a.example", false, "not an origin"},
		{"https://user@a.example", false, "not an origin"},
	} {
		if _, err := items.ParseCORS(c.origins, c.credentials); err == nil {
			t.Errorf("%q, credentials %v: taken", c.origins, c.credentials)
		} else if c.want != "never" && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.origins, err)
		}
	}
	s := withCORS(t, "*", false)
	a := s.as("main|alice").do(t, "GET", "/items", "", "Origin", "https://any.example")
	if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%v", a.header)
	}
}

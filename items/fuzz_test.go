package items_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"lambda-authorizer/items"
)

// Whatever a client sends, the answer is the client's fault or none.
func checkNoFault(t *testing.T, c caller, method, target, body string, header http.Header, allowed ...int) answer {
	t.Helper()
	a, err := c.try(method, target, body, header)
	if err != nil {
		t.Fatalf("%s %q: %v", method, target, err)
	}
	if !slices.Contains(allowed, a.status) {
		t.Fatalf("%s %q, body %q, header %q: %d %s", method, target, body, header, a.status, a.body)
	}
	if a.status >= 400 && a.decode(t).Type == "" {
		t.Fatalf("%s %q: %d without a problem: %s", method, target, a.status, a.body)
	}
	return a
}

func bothWays(c caller) []caller { return []caller{c, c.overHTTP()} }

func FuzzBody(f *testing.F) {
	for _, seed := range []string{lamp, lampAgain, `{}`, `[]`, `null`, `{"name":null}`, `{"name":"x","metadata":{"a":null}}`, `{"name":"\u0000"}`, "{\"name\":\"\xff\"}", `{"":""}`} {
		f.Add(seed)
	}
	alice := newService(f).as("main|alice")
	var target string
	{
		a, err := alice.try("POST", "/items", lamp, http.Header{"Content-Type": {"application/json"}})
		if err != nil {
			f.Fatal(err)
		}
		target = follow(f, "/prod", "/items", a.header.Get("Location"))
	}
	f.Fuzz(func(t *testing.T, body string) {
		header := http.Header{"Content-Type": {"application/json"}}
		for _, c := range bothWays(alice) {
			created := checkNoFault(t, c, "POST", "/items", body, header, 201, 400, 413, 422)
			replaced := checkNoFault(t, c, "PUT", target, body, header, 200, 400, 413, 422)
			checkNoFault(t, c, "PATCH", target, body, header, 200, 400, 413, 422)
			if (created.status == 201) != (replaced.status == 200) {
				t.Errorf("POST %d, PUT %d", created.status, replaced.status)
			}
			if created.status != 201 {
				continue
			}
			own := follow(t, "/prod", "/items", created.header.Get("Location"))
			if read := checkNoFault(t, c, "GET", own, "", nil, 200); read.body != created.body {
				t.Errorf("created %s, read %s", created.body, read.body)
			}
			checkNoFault(t, c, "DELETE", own, "", nil, 204)
		}
	})
}

func FuzzQuery(f *testing.F) {
	// Each fuzzing process has a key of its own, so that a cursor of one is
	// forged to the others.
	keys := fixedKeys{[]byte(rand.Text() + rand.Text())}
	alice := newService(f, func(c *items.Config) { c.Cursors = keys }).as("main|alice")
	alice.fill(f, 2)
	_, cursor := alice.page(f, 1, "")
	for _, seed := range []string{"limit=1", "limit=1&cursor=" + cursor, "cursor=" + cursor[1:], "limit=%zz", "a;b", "#", "\x00", "limit=1&limit", "=&=", "cursor=" + strings.Repeat("A", 44)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, c := range bothWays(alice) {
			a := checkNoFault(t, c, "GET", "/items?"+query, "", nil, 200, 400)
			values, err := url.ParseQuery(query)
			if err == nil && values.Has("cursor") && values.Get("cursor") != cursor && a.status != 400 {
				t.Errorf("query %q was taken", query)
			}
		}
	})
}

func FuzzPath(f *testing.F) {
	alice := newService(f).as("main|alice")
	for _, seed := range []string{"/items/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/items/%2e%2e", "/items/%", "/items//", "/items/a?b", "/\x00", "//", "/items/\xff", "/prod/items", "/health", "*", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		for _, c := range bothWays(alice) {
			checkNoFault(t, c, "GET", path, "", nil, 200, 400, 404)
			checkNoFault(t, c, "DELETE", path, "", nil, 404, 405)
		}
	})
}

func FuzzHeaders(f *testing.F) {
	alice := newService(f).as("main|alice")
	id := alice.fill(f, 1)[0]
	f.Add(`"1"`, `W/"1"`, "application/json", "application/json", "key")
	f.Add(`*`, `*`, "*/*;q=0", "application/json; charset=\"", "k,k")
	f.Add(`"a", W/"`, `,,"1"`, ";;", "/", "\x00")
	f.Fuzz(func(t *testing.T, match, noneMatch, accept, contentType, key string) {
		header := http.Header{"If-Match": {match}, "If-None-Match": {noneMatch}, "Accept": {accept}, "Content-Type": {contentType}, "Idempotency-Key": {key}}
		for _, c := range bothWays(alice) {
			checkNoFault(t, c, "GET", "/items/"+id, "", header, 200, 304, 400, 406, 412)
			checkNoFault(t, c, "PUT", "/items/"+id, `{"name":"x"}`, header, 200, 400, 406, 412, 415)
			checkNoFault(t, c, "PATCH", "/items/"+id, `{"name":"x"}`, header, 200, 400, 406, 412, 415)
			checkNoFault(t, c, "POST", "/items", `{"name":"x"}`, header, 201, 400, 406, 415)
		}
	})
}

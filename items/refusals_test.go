package items_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"lambda-authorizer/backend"
	"lambda-authorizer/items"
)

func TestBodyThatIsNoItemIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		id := alice.do(t, "POST", "/items", lamp).decode(t).ID
		for _, c := range []struct {
			name, body string
			status     int
			at         string // pointers, comma-separated
		}{
			{"nothing", " ", 400, ""},
			{"half an object", `{"name":"x"`, 400, ""},
			{"two objects", `{"name":"x"}{}`, 400, ""},
			{"a member twice", `{"name":"x","name":"y"}`, 400, ""},
			{"a member twice inside", `{"name":"x","metadata":{"a":"1","a":"2"}}`, 400, ""},
			{"a member twice by escape", `{"name":"x","na\u006de":"y"}`, 400, ""},
			{"half a surrogate", `{"name":"\ud800"}`, 400, ""},
			{"a comment", `{"name":"x"/**/}`, 400, ""},
			{"an array", `[{"name":"x"}]`, 422, "#"},
			{"null", `null`, 422, "#"},
			{"no name", `{"description":"x"}`, 422, "#/name"},
			{"an empty name", `{"name":""}`, 422, "#/name"},
			{"a long name", `{"name":"` + strings.Repeat("ü", 101) + `"}`, 422, "#/name"},
			{"a number for a name", `{"name":1}`, 422, "#/name"},
			{"null for a name", `{"name":null}`, 422, "#/name"},
			{"null for metadata", `{"name":"x","metadata":null}`, 422, "#/metadata"},
			{"a long description", `{"name":"x","description":"` + strings.Repeat("d", 1001) + `"}`, 422, "#/description"},
			{"metadata of numbers", `{"name":"x","metadata":{"a":1,"b":null}}`, 422, "#/metadata/a,#/metadata/b"},
			{"metadata without a name", `{"name":"x","metadata":{"":"x"}}`, 422, "#/metadata/"},
			{"too much metadata", `{"name":"x","metadata":{` + manyMembers(51) + `}}`, 422, "#/metadata"},
			{"an array for metadata", `{"name":"x","metadata":[]}`, 422, "#/metadata"},
			{"unknown fields", `{"name":"x","owner":"bob","a/b~c":1}`, 422, "#/a~1b~0c,#/owner"},
			{"fields of the service", `{"name":"x","id":"1","created_at":"2026-01-01T00:00:00Z"}`, 422, "#/created_at,#/id"},
			{"another case", `{"Name":"x"}`, 422, "#/Name,#/name"},
			{"several at once", `{"name":"","description":1}`, 422, "#/description"},
		} {
			for method, target := range map[string]string{"POST": "/items", "PUT": "/items/" + id} {
				a := alice.do(t, method, target, c.body)
				if a.status != c.status {
					t.Errorf("%s %s: %d %s, want %d", method, c.name, a.status, a.body, c.status)
					continue
				}
				var at []string
				for _, e := range a.decode(t).Errors {
					at = append(at, e.Pointer)
				}
				slices.Sort(at)
				if got := strings.Join(at, ","); strings.ReplaceAll(got, "%20", " ") != c.at {
					t.Errorf("%s %s: errors at %s, want %s", method, c.name, got, c.at)
				}
			}
		}
		if n := alice.count(t); n != 1 {
			t.Errorf("%d items", n)
		}
	})
}

func manyMembers(n int) string {
	members := make([]string, n)
	for i := range n {
		members[i] = fmt.Sprintf(`"k%d":"v"`, i)
	}
	return strings.Join(members, ",")
}

func TestItemAtItsBoundsIsTaken(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		body := fmt.Sprintf(`{"name":%q,"description":%q,"metadata":{%s}}`,
			strings.Repeat("ü", 100), strings.Repeat("😀", 1000), manyMembers(50))
		a := alice.do(t, "POST", "/items", body)
		if a.status != http.StatusCreated {
			t.Fatalf("%d %s", a.status, a.body)
		}
		got := alice.do(t, "GET", "/items/"+a.decode(t).ID, "").decode(t)
		if got.Name != strings.Repeat("ü", 100) || got.Description != strings.Repeat("😀", 1000) || len(got.Metadata) != 50 {
			t.Errorf("read back: %+v", got)
		}
	})
}

func TestBodyOver64KBIsRefused(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		sized := func(n int) string {
			frame := `{"name":"x","metadata":{"k":""}}`
			return strings.Replace(frame, `""`, `"`+strings.Repeat("v", n-len(frame))+`"`, 1)
		}
		most := alice.do(t, "POST", "/items", sized(items.MaxBody))
		if most.status != http.StatusCreated {
			t.Fatalf("64 KB: %d %.200s", most.status, most.body)
		}
		target := "/items/" + most.decode(t).ID
		for method, to := range map[string]string{"POST": "/items", "PUT": target, "PATCH": target, "DELETE": target} {
			a := alice.do(t, method, to, sized(items.MaxBody+1))
			if a.status != http.StatusRequestEntityTooLarge || a.code(t) != "body_too_large" {
				t.Errorf("%s of 64 KB and one: %d %.200s", method, a.status, a.body)
			}
		}
		// No single body is too large, but the item would be.
		a := alice.do(t, "PATCH", target, `{"metadata":{"more":"`+strings.Repeat("w", 1000)+`"}}`)
		if a.status != http.StatusUnprocessableEntity || a.decode(t).Errors[0].Pointer != "#" {
			t.Errorf("PATCH beyond 64 KB: %d %.200s", a.status, a.body)
		}
	})
}

func TestOnlyJSONIsTakenAndGiven(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		target := "/items/" + alice.do(t, "POST", "/items", lamp).decode(t).ID
		for _, c := range []struct {
			header, value     string
			post, patch, read int
		}{
			{"Content-Type", "application/json", 201, 200, 200},
			{"Content-Type", "Application/JSON; charset=UTF-8", 201, 200, 200},
			{"Content-Type", "application/merge-patch+json", 415, 200, 200},
			{"Content-Type", "application/json; charset=latin1", 415, 415, 200},
			{"Content-Type", "application/json-patch+json", 415, 415, 200},
			{"Content-Type", "text/plain", 415, 415, 200},
			{"Content-Type", "application/json, text/plain", 415, 415, 200},
			{"Content-Type", "", 415, 415, 200},
			{"Content-Encoding", "gzip", 415, 415, 200},
			{"Content-Encoding", "identity", 201, 200, 200},
			{"Accept", "application/json", 201, 200, 200},
			{"Accept", "text/html, application/xhtml+xml, */*;q=0.8", 201, 200, 200},
			{"Accept", "application/*", 201, 200, 200},
			{"Accept", "", 201, 200, 200},
			{"Accept", "text/html", 406, 406, 406},
			{"Accept", "application/json;q=0, */*", 406, 406, 406},
			{"Accept", "application/xml, text/*", 406, 406, 406},
		} {
			for _, r := range []struct {
				method, target, body string
				want                 int
			}{
				{"POST", "/items", `{"name":"x"}`, c.post}, {"PATCH", target, `{"name":"x"}`, c.patch},
				{"GET", target, "", c.read}, {"GET", "/items", "", c.read},
			} {
				a := alice.do(t, r.method, r.target, r.body, c.header, c.value)
				if a.status != r.want {
					t.Errorf("%s with %s %q: %d %s, want %d", r.method, c.header, c.value, a.status, a.body, r.want)
				}
				if a.status == 415 && r.method == "PATCH" && c.header == "Content-Type" &&
					!strings.HasPrefix(a.header.Get("Accept-Patch"), "application/merge-patch+json") {
					t.Errorf("415 with Accept-Patch %q", a.header.Get("Accept-Patch"))
				}
			}
		}
	})
}

func TestOtherMethodsGet405WithWhatIsAllowed(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		for target, c := range map[string]struct {
			wrong []string
			allow string
		}{
			"/items":                            {[]string{"PUT", "PATCH", "DELETE", "TRACE"}, "GET, HEAD, OPTIONS, POST"},
			"/items/01ARZ3NDEKTSV4RRFFQ69G5FAV": {[]string{"POST", "PROPFIND"}, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"},
			"/health":                           {[]string{"POST", "DELETE"}, "GET, HEAD, OPTIONS"},
		} {
			for _, method := range c.wrong {
				a := alice.do(t, method, target, "")
				if a.status != http.StatusMethodNotAllowed || a.code(t) != "method_not_allowed" || a.header.Get("Allow") != c.allow {
					t.Errorf("%s %s: %d, Allow %q", method, target, a.status, a.header.Get("Allow"))
				}
			}
			a := alice.do(t, "OPTIONS", target, "")
			if a.status != http.StatusNoContent || a.header.Get("Allow") != c.allow {
				t.Errorf("OPTIONS %s: %d, Allow %q", target, a.status, a.header.Get("Allow"))
			}
		}
	})
}

func TestPathsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		id := alice.do(t, "POST", "/items", lamp).decode(t).ID
		for path, code := range map[string]string{
			"/items/": "path_not_found", "//items": "path_not_found", "/items//" + id: "path_not_found",
			"/items/../items": "path_not_found", "/items/./" + id: "path_not_found", "/items/" + id + "/": "path_not_found",
			"/items/" + id + "/x": "path_not_found", "/other": "path_not_found",
			"/items/" + strings.ToLower(id): "item_not_found", "/items/" + id[:25]: "item_not_found",
			"/items/" + id + "0": "item_not_found", "/items/%20": "item_not_found", "/items/8" + id[1:]: "item_not_found",
			"/items/" + id[:25] + "%3F": "item_not_found",
		} {
			if a := alice.do(t, "GET", path, ""); a.status != http.StatusNotFound || a.code(t) != code {
				t.Errorf("%s: %d %s, want %s", path, a.status, a.body, code)
			}
		}
	})
	// What no gateway hands over today.
	for _, c := range bothWays(newService(t).as("main|alice")) {
		for path, code := range map[string]string{"/": "path_not_found", "/items/%zz": "item_not_found"} {
			if a := c.do(t, "GET", path, ""); a.status != http.StatusNotFound || a.code(t) != code {
				t.Errorf("%s: %d %s, want %s", path, a.status, a.body, code)
			}
		}
	}
}

func TestProblemHasAllThatRFC9457Names(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		a := alice.do(t, "POST", "/items", `{}`)
		p := a.decode(t)
		if p.Type != "urn:lambda-authorizer:problem:item_invalid" || p.Title != "Unprocessable Entity" || p.Status != 422 || p.Detail == "" {
			t.Errorf("%s", a.body)
		}
		if id := a.header.Get("X-Request-Id"); id == "" || p.Instance != id {
			t.Errorf("instance %q, X-Request-Id %q", p.Instance, id)
		}
		if got := a.header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("Content-Type %s", got)
		}
		if got := a.header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("Cache-Control %s", got)
		}
	})
}

func TestHealthIsPublicAndTheRestIsNot(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, nobody := range []caller{s.as(""), s.as("").overHTTP()} {
		if a := nobody.do(t, "GET", "/health", ""); a.status != 200 || a.body != `{"status":"ok"}` {
			t.Errorf("GET /health: %d %s", a.status, a.body)
		}
		for _, r := range [][2]string{{"GET", "/items"}, {"POST", "/items"}, {"DELETE", "/items/x"}, {"GET", "/items/"}, {"TRACE", "/items"}, {"GET", "/else"}} {
			a := nobody.do(t, r[0], r[1], "")
			if a.status != http.StatusInternalServerError || a.code(t) != "context_missing" {
				t.Errorf("%s %s without context: %d %s", r[0], r[1], a.status, a.body)
			}
		}
	}
}

func TestSignedBodyIsCheckedBeforeAnItemIsWritten(t *testing.T) {
	t.Parallel()
	bothKinds(t, "signing_key|acme", func(t *testing.T, acme caller) {
		signed := func(digest string) caller {
			return acme.withContext(map[string]any{"auth_method": "signature", "content_digest": digest})
		}
		sum := sha256.Sum256([]byte(lamp))
		digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
		for body, want := range map[string]int{lamp: 201, lampAgain: 400} {
			if a := signed(digest).do(t, "POST", "/items", body); a.status != want {
				t.Errorf("%s: %d %s", body, a.status, a.body)
			}
		}
		if a := signed("").do(t, "POST", "/items", lamp); a.status != 400 || a.code(t) != "digest_missing" {
			t.Errorf("without digest: %d %s", a.status, a.body)
		}
		if n := acme.count(t); n != 1 {
			t.Errorf("%d items", n)
		}
	})
}

func TestLineNamesTheRouteAndHoldsNothingOfTheItem(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := newService(t, func(c *items.Config) {
		c.Line = &backend.Line{Out: &out, Log: slog.New(slog.DiscardHandler), Namespace: "LambdaAuthorizer/Items"}
	})
	alice := s.as("main|alice")
	id := alice.do(t, "POST", "/items", `{"name":"private thing"}`, "Idempotency-Key", "private key").decode(t).ID
	for _, r := range []struct{ method, target, route, reason string }{
		{"GET", "/items/" + id + "?private=query", "GET /items/{id}", "ok"},
		{"GET", "/items?cursor=private", "GET /items", "query_invalid"},
		{"TRACE", "/items", "TRACE /items", "method_not_allowed"},
		{"GET", "/private", "none", "path_not_found"},
		{"GET", "/items/private", "GET /items/{id}", "item_not_found"},
		{"GET", "/health", "GET /health", "ok"},
	} {
		out.Reset()
		alice.do(t, r.method, r.target, "")
		var line struct{ Route, Reason string }
		if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Route != r.route || line.Reason != r.reason {
			t.Errorf("%s %s: %s", r.method, r.target, out.String())
		}
		if strings.Contains(out.String(), "private") || strings.Contains(out.String(), id) {
			t.Errorf("%s %s: %s", r.method, r.target, out.String())
		}
	}
}

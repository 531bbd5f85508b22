package backend_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/backend"
)

// The three shapes of event that carry a caller, with room for the
// authorizer's context, a path, a body and more.
var shapes = map[string]string{
	"REST": `{"resource":"/items","path":"/items","httpMethod":"POST","headers":{"Content-Type":"text/plain"},
		"multiValueHeaders":{"Content-Type":["text/plain"],"X-Twice":["a","b"]},
		"queryStringParameters":{"q":"2"},"multiValueQueryStringParameters":{"q":["1 &","2"]},"pathParameters":null,
		"requestContext":{"requestId":"r1","apiId":"a1","stage":"prod","path":"/prod/items","httpMethod":"POST","resourcePath":"/items",
		"identity":{"sourceIp":"192.0.2.1"},"authorizer":CONTEXT},"body":BODY,"isBase64Encoded":false}`,
	"HTTP 1.0": `{"version":"1.0","resource":"/items","path":"/prod/items","httpMethod":"POST","headers":{"content-type":"text/plain"},
		"multiValueHeaders":{"content-type":["text/plain"],"x-twice":["a","b"]},
		"queryStringParameters":{"q":"2"},"multiValueQueryStringParameters":{"q":["1 &","2"]},
		"requestContext":{"requestId":"r1","apiId":"a1","stage":"prod","path":"/prod/items","httpMethod":"POST","resourcePath":"/items",
		"identity":{"sourceIp":"192.0.2.1"},"authorizer":CONTEXT},"body":BODY,"isBase64Encoded":false}`,
	"HTTP 2.0": `{"version":"2.0","routeKey":"POST /items","rawPath":"/prod/items","rawQueryString":"q=1+%26&q=2",
		"headers":{"content-type":"text/plain","x-twice":"a,b"},"cookies":["s=1"],
		"requestContext":{"requestId":"r1","apiId":"a1","stage":"prod","routeKey":"POST /items","http":{"method":"POST","path":"/prod/items","sourceIp":"192.0.2.1"},
		"authorizer":{"lambda":CONTEXT}},"body":BODY,"isBase64Encoded":false}`,
}

func event(shape, authorizer, body string) []byte {
	quoted, _ := json.Marshal(body)
	return []byte(strings.NewReplacer("CONTEXT", authorizer, "BODY", string(quoted)).Replace(shapes[shape]))
}

// invoke sends an event through Protect to handler.
func invoke(t *testing.T, payload []byte, o backend.Options, handler http.HandlerFunc) (status int, body string) {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	raw, err := backend.NewLambda(backend.Protect(handler, o)).Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Body
}

func ok(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "done") }

func TestCallerIsTheSameFromEveryShape(t *testing.T) {
	t.Parallel()
	for name := range shapes {
		// A REST API hands on strings, an HTTP API what the authorizer gave.
		expires, admin := `"1790000000"`, `"true"`
		if name == "HTTP 2.0" {
			expires, admin = `1790000000`, `true`
		}
		authorizer := fmt.Sprintf(`{"principalId":"main|u1","integrationLatency":12,"principal":"main|u1","subject":"u1","auth_method":"jwt+signature",
			"issuer":"main","client_id":"web","token_id":"t1","scope":"a:read  a:write","expires_at":%s,"key_id":"k1","admin":%s}`, expires, admin)
		var got *backend.Caller
		status, _ := invoke(t, event(name, authorizer, ""), backend.Options{}, func(w http.ResponseWriter, r *http.Request) {
			got, _ = backend.From(r.Context())
			ok(w, r)
		})
		if status != 200 {
			t.Fatalf("%s: %d", name, status)
		}
		if fmt.Sprint(got.Values["admin"]) != "true" {
			t.Errorf("%s: admin is %v", name, got.Values["admin"])
		}
		shown := *got
		shown.Values = nil
		want := backend.Caller{
			Principal: "main|u1", Subject: "u1", AuthMethods: []string{"jwt", "signature"}, Issuer: "main", ClientID: "web",
			TokenID: "t1", KeyID: "k1", Scopes: []string{"a:read", "a:write"}, ExpiresAt: got.ExpiresAt,
		}
		if diff := cmp.Diff(want, shown); diff != "" || got.ExpiresAt.Unix() != 1790000000 {
			t.Errorf("%s: %s, expires %v", name, diff, got.ExpiresAt)
		}
	}
}

func TestRequestWithoutTheAuthorizersContextIsRefusedWithAnAlarm(t *testing.T) {
	t.Parallel()
	for name := range shapes {
		for authorizer, code := range map[string]string{
			`null`:                                       "context_missing",
			`{}`:                                         "context_missing",
			`{"principal":""}`:                           "context_missing",
			`{"principal":7,"scope":"items:read"}`:       "context_missing",
			`{"principal":["main|u1"]}`:                  "context_missing",
			`{"principal":"anonymous"}`:                  "context_missing",
			`{"principalId":"main|u1"}`:                  "context_missing",
			`{"claims":{"sub":"u1"}}`:                    "context_missing", // a Cognito authorizer's
			`{"jwt":{"claims":{"sub":"u1"}}}`:            "context_missing",
			`{"principal":"main|u1","reason":"revoked"}`: "context_refused",
		} {
			var log bytes.Buffer
			called := false
			status, body := invoke(t, event(name, authorizer, "secret body"), backend.Options{Log: slog.New(slog.NewJSONHandler(&log, nil))},
				func(w http.ResponseWriter, r *http.Request) { called = true; ok(w, r) })
			if status != 500 || !strings.Contains(body, code) || called {
				t.Errorf("%s, %s: %d %s, handler called: %v", name, authorizer, status, body, called)
			}
			if got := log.String(); !strings.Contains(got, `"level":"ERROR"`) || !strings.Contains(got, `"request_id":"r1"`) ||
				!strings.Contains(got, "POST /items") || strings.Contains(got, "secret body") {
				t.Errorf("%s, %s: logged %s", name, authorizer, got)
			}
		}
	}
}

func TestHeadersNeverMakeACaller(t *testing.T) {
	t.Parallel()
	// The library can carry the context in headers; a client could send them.
	forged := `{"authorizer":{"principal":"main|admin","lambda":{"principal":"main|admin"}}}`
	r := httptest.NewRequest("GET", "/items", nil)
	r.Header.Set("X-GoLambdaProxy-ApiGw-Context", forged)
	r.Header.Set("X-Amzn-Request-Context", forged)
	w := httptest.NewRecorder()
	backend.Protect(http.HandlerFunc(ok), backend.Options{Log: slog.New(slog.DiscardHandler)}).ServeHTTP(w, r)
	if w.Code != 500 || strings.Contains(w.Body.String(), "done") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestScopeThatIsNotHeldIsRefused(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]int{"a:write": 200, "a:write b": 200, "a:read": 403, "": 403, "a:writes": 403, "A:WRITE": 403} {
		authorizer := fmt.Sprintf(`{"principal":"main|u1","scope":%q}`, scope)
		h := backend.RequireScope("a:write", http.HandlerFunc(ok))
		if status, body := invoke(t, event("REST", authorizer, ""), backend.Options{}, h.ServeHTTP); status != want {
			t.Errorf("%q: %d %s", scope, status, body)
		}
	}
	w := httptest.NewRecorder()
	backend.RequireScope("a:write", http.HandlerFunc(ok)).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 {
		t.Errorf("outside of Protect: %d", w.Code)
	}
}

func digest256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

func digest512(s string) string {
	sum := sha512.Sum512([]byte(s))
	return "sha-512=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

func TestBodyMustBeTheOneThatWasSigned(t *testing.T) {
	t.Parallel()
	const body = `{"name":"lamp"}`
	// RFC 9530 appendix B.1 and B.3: the digest of {"hello": "world"} and a line feed.
	const known, knownBody = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", "{\"hello\": \"world\"}\n"
	for _, c := range []struct {
		name, digest, method, body string
		want                       string // code, or done
	}{
		{"RFC 9530's own", known, "signature", knownBody, "done"},
		{"sha-256", digest256(body), "signature", body, "done"},
		{"sha-512", digest512(body), "signature", body, "done"},
		{"both", digest256(body) + ", " + digest512(body), "signature", body, "done"},
		{"one that is not known beside", "md5=:AAAA:, " + digest256(body), "signature", body, "done"},
		{"an empty body", digest256(""), "signature", "", "done"},
		{"with a token", digest256(body), "jwt", body, "done"},
		{"another body", digest256(body), "signature", body + " ", "digest_mismatch"},
		{"no body where one was signed", digest256(body), "signature", "", "digest_mismatch"},
		{"a body where none was signed", digest256(""), "signature", body, "digest_mismatch"},
		{"only one of two fits", digest256(body) + ", " + digest512("x"), "signature", body, "digest_mismatch"},
		{"the second of one name does not fit", digest256(body) + ", " + digest256("x"), "signature", body, "digest_mismatch"},
		{"only what is not known", "md5=:AAAA:", "signature", body, "digest_mismatch"},
		{"broken", "sha-256=:!!:", "signature", body, "digest_mismatch"},
		{"a string", `sha-256="AAAA"`, "signature", body, "digest_mismatch"},
		{"a list", `sha-256=(:AAAA:)`, "signature", body, "digest_mismatch"},
		{"a flag", "sha-256", "signature", body, "digest_mismatch"},
		{"signed, with a body and no digest", "", "signature", body, "digest_missing"},
		{"signed too, with a body and no digest", "", "jwt+signature", body, "digest_missing"},
		{"signed, without body", "", "signature", "", "done"},
		{"a token and a body", "", "jwt", body, "done"},
	} {
		for shape := range shapes {
			authorizer, _ := json.Marshal(map[string]string{"principal": "main|u1", "auth_method": c.method, "content_digest": c.digest})
			seen := ""
			status, answer := invoke(t, event(shape, string(authorizer), c.body), backend.Options{}, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				seen = string(b)
				ok(w, r)
			})
			switch {
			case c.want == "done" && (status != 200 || seen != c.body):
				t.Errorf("%s, %s: %d %s; the handler saw %q", shape, c.name, status, answer, seen)
			case c.want != "done" && (status != 400 || !strings.Contains(answer, c.want) || seen != ""):
				t.Errorf("%s, %s: %d %s; the handler saw %q", shape, c.name, status, answer, seen)
			}
		}
	}
}

func TestBodyOverTheBoundIsRefusedBeforeTheHandler(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{10: 200, 11: 413} {
		body := strings.Repeat("x", size)
		status, _ := invoke(t, event("HTTP 2.0", `{"principal":"main|u1"}`, body), backend.Options{MaxBody: 10}, ok)
		if status != want {
			t.Errorf("%d bytes: %d", size, status)
		}
	}
}

func FuzzContentDigest(f *testing.F) {
	for _, s := range []string{digest256("body"), digest512("body"), "sha-256=:AAAA:;a=1", "sha-256", "a=(1 2);x, sha-512=?1", `sha-256=:` + strings.Repeat("A", 100), ""} {
		f.Add(s)
	}
	h := backend.NewLambda(backend.Protect(http.HandlerFunc(ok), backend.Options{Log: slog.New(slog.DiscardHandler)}))
	f.Fuzz(func(t *testing.T, digest string) {
		authorizer, err := json.Marshal(map[string]string{"principal": "p", "auth_method": "signature", "content_digest": digest})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := h.Invoke(context.Background(), event("REST", string(authorizer), "body"))
		if err != nil {
			t.Fatal(err)
		}
		taken := bytes.Contains(raw, []byte(`"statusCode":200`))
		if taken && !strings.Contains(digest, digest256("body")[9:52]) && !strings.Contains(digest, digest512("body")[9:90]) {
			t.Errorf("%q was taken for the digest of another body", digest)
		}
	})
}

package backend_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/backend"
)

// show answers with what a handler sees of a request.
var show = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "text/plain")
	http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
	http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
	fmt.Fprintf(w, "%s %s q=%q type=%q twice=%q body=%q client=%s", r.Method, r.URL.EscapedPath(), r.URL.Query()["q"],
		strings.Join(r.Header["Content-Type"], ","), strings.Join(r.Header["X-Twice"], ","), body, backend.EventOf(r.Context()).Path)
})

func TestHandlerSeesTheSameRequestFromEveryShape(t *testing.T) {
	t.Parallel()
	const want = `POST /items q=["1 &" "2"] type="text/plain" twice="a,b" body="hé" client=/prod/items`
	for name := range shapes {
		raw, err := backend.NewLambda(show).Invoke(t.Context(), event(name, `null`, "hé"))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			StatusCode        int
			Body              string
			Cookies           []string
			MultiValueHeaders http.Header
		}
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Body != want {
			t.Errorf("%s:\n got %s\nwant %s", name, answer.Body, want)
		}
		if got := append(answer.Cookies, answer.MultiValueHeaders["Set-Cookie"]...); cmp.Diff([]string{"a=1", "b=2"}, got) != "" {
			t.Errorf("%s: cookies %v", name, got)
		}
	}
}

func TestQueryOfAnHTTPAPIReachesTheHandlerWhole(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{`a b`, `a#b`, `a\u007fb`, `a\u0001b`, `a\tb`, `aéb`} {
		var want string
		if err := json.Unmarshal([]byte(`"`+sent+`"`), &want); err != nil {
			t.Fatal(err)
		}
		payload := strings.Replace(string(event("HTTP 2.0", `null`, "")), `q=1+%26&q=2`, `q=`+sent+`&last=1`, 1)
		_, err := backend.NewLambda(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query(); q.Get("q") != want || q.Get("last") != "1" {
				t.Errorf("%q: the handler sees %q", want, r.URL.RawQuery)
			}
			ok(w, r)
		})).Invoke(t.Context(), []byte(payload))
		if err != nil {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestFieldOfAnHTTPAPIIsNotSplitAtItsCommas(t *testing.T) {
	t.Parallel()
	payload := strings.Replace(string(event("HTTP 2.0", `null`, "")), `"x-twice":"a,b"`, `"x-twice":"\"a, b\", c","date":"Sun, 01 Mar 2026 00:00:00 GMT"`, 1)
	_, err := backend.NewLambda(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header["X-Twice"]; len(got) != 1 || got[0] != `"a, b", c` {
			t.Errorf("X-Twice: %q", got)
		}
		if got := r.Header.Get("Date"); got != "Sun, 01 Mar 2026 00:00:00 GMT" {
			t.Errorf("Date: %q", got)
		}
		if c, err := r.Cookie("s"); err != nil || c.Value != "1" {
			t.Errorf("cookie: %v, %v", c, err)
		}
		ok(w, r)
	})).Invoke(t.Context(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
}

func TestBinaryBodiesPassBothWays(t *testing.T) {
	t.Parallel()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	for name := range shapes {
		payload := strings.Replace(string(event(name, `null`, "/wD+")), `"isBase64Encoded":false`, `"isBase64Encoded":true`, 1)
		raw, err := backend.NewLambda(echo).Invoke(t.Context(), []byte(payload))
		if err != nil || !strings.Contains(string(raw), `"body":"/wD+"`) || !strings.Contains(string(raw), `"isBase64Encoded":true`) {
			t.Errorf("%s: %s, %v", name, raw, err)
		}
	}
}

func TestPathIsTheAPIsOwnWhateverStandsBeforeIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, event, want string }{
		{"REST, default domain", rest("/items/x", "/items/{id}", ""), "/items/x"},
		{"REST, base path", rest("/v1/items/x", "/items/{id}", ""), "/items/x"},
		{"REST, greedy with base path", rest("/v1/items/x/y", "/items/{rest+}", `{"rest":"x/y"}`), "/items/x/y"},
		{"REST, all greedy", rest("/items/x", "/{proxy+}", `{"proxy":"items/x"}`), "/items/x"},
		{"REST, encoded", rest("/items/a%2Fb", "/items/{id}", ""), "/items/a%2Fb"},
		{"REST, raw colon", rest("/items/a:b", "/items/{id}", ""), "/items/a:b"},
		{"REST, invalid escape", rest("/items/%zz", "/items/{id}", ""), "/items/%25zz"},
		{"REST, trailing slash", rest("/items/", "/items", ""), "/"},
		{"HTTP 2.0, default stage", http2("/items/x", "GET /items/{id}", "$default", ""), "/items/x"},
		{"HTTP 2.0, named stage", http2("/prod/items/x", "GET /items/{id}", "prod", ""), "/items/x"},
		{"HTTP 2.0, base path", http2("/v1/items/x", "GET /items/{id}", "prod", ""), "/items/x"},
		{"HTTP 2.0, stage called as the route", http2("/items/items", "GET /items", "items", ""), "/items"},
		{"HTTP 2.0, base path and stage called as the route", http2("/items", "GET /items", "items", ""), "/items"},
		{"HTTP 2.0, catch-all", http2("/prod/items/x", "$default", "prod", ""), "/items/x"},
		{"HTTP 2.0, catch-all, stage as prefix of a name", http2("/production/x", "$default", "prod", ""), "/production/x"},
		{"HTTP 2.0, catch-all at the stage itself", http2("/prod", "$default", "prod", ""), "/"},
		{"HTTP 2.0, greedy", http2("/prod/a/b/c", "ANY /a/{proxy+}", "prod", `{"proxy":"b/c"}`), "/a/b/c"},
		{"HTTP 2.0, decoded percent", http2("/prod/items/%2F", "GET /items/{id}", "prod", ""), "/items/%252F"},
		{"HTTP 2.0, decoded blank and letter", http2("/prod/items/a ü", "GET /items/{id}", "prod", ""), "/items/a%20%C3%BC"},
		{"HTTP 1.0, named stage", http1("/prod/items/x", "/items/{id}", "prod"), "/items/x"},
		{"HTTP 1.0, default stage", http1("/items/x", "/items/{id}", "$default"), "/items/x"},
		{"HTTP 1.0, catch-all", http1("/prod/items/x", "$default", "prod"), "/items/x"},
		{"HTTP 1.0, decoded percent", http1("/prod/items/%zz", "/items/{id}", "prod"), "/items/%25zz"},
	} {
		var got string
		_, err := backend.NewLambda(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.EscapedPath()
			ok(w, r)
		})).Invoke(t.Context(), []byte(c.event))
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

func rest(path, resource, parameters string) string {
	return fmt.Sprintf(`{"resource":%q,"path":%q,"httpMethod":"GET","pathParameters":%s,"requestContext":{"stage":"prod","path":%q}}`,
		resource, path, orNull(parameters), "/prod"+path)
}

func http1(path, resource, stage string) string {
	return fmt.Sprintf(`{"version":"1.0","resource":%q,"path":%q,"httpMethod":"GET","requestContext":{"stage":%q,"path":%q}}`, resource, path, stage, path)
}

func http2(path, routeKey, stage, parameters string) string {
	return fmt.Sprintf(`{"version":"2.0","routeKey":%q,"rawPath":%q,"pathParameters":%s,"requestContext":{"stage":%q,"http":{"method":"GET","path":%q}}}`,
		routeKey, path, orNull(parameters), stage, path)
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func TestEventOfAnotherKindIsAnErrorThatQuotesNoCredential(t *testing.T) {
	t.Parallel()
	const token = "eyJ-very-secret"
	for name, payload := range map[string]string{
		"an authorizer's TOKEN event": `{"type":"TOKEN","authorizationToken":"` + token + `","methodArn":"arn:aws:execute-api:eu-central-1:1:a/prod/GET/items"}`,
		"a queue's":                   `{"Records":[{"body":"` + token + `"}]}`,
		"a WebSocket's":               `{"requestContext":{"eventType":"CONNECT","routeKey":"$connect"},"headers":{"Authorization":"` + token + `"}}`,
		"a version to come":           `{"version":"3.0","httpMethod":"GET","headers":{"authorization":"` + token + `"}}`,
		"a field of another type":     `{"version":"2.0","headers":"` + token + `","requestContext":{"http":{"method":"GET"}}}`,
		"a REST field of another":     `{"httpMethod":"GET","headers":["` + token + `"]}`,
		"not JSON":                    token,
		"nothing":                     ``,
		"null":                        `null`,
		"broken base64":               `{"httpMethod":"GET","path":"/","body":"` + token + `","isBase64Encoded":true}`,
	} {
		_, err := backend.NewLambda(http.HandlerFunc(ok)).Invoke(t.Context(), []byte(payload))
		if err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The recorded events are an authorizer's. Whatever of their shape a proxy
// integration shares must not upset this end either.
func FuzzEvent(f *testing.F) {
	files, err := filepath.Glob("../testdata/events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for name := range shapes {
		f.Add(event(name, `{"principal":"main|u1","expires_at":1e400}`, "x"))
	}
	h := backend.NewLambda(backend.Protect(show, backend.Options{Log: quiet}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		raw, err := h.Invoke(t.Context(), payload)
		if err == nil && !json.Valid(raw) {
			t.Errorf("an answer that is no JSON: %q", raw)
		}
	})
}

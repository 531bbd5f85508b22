package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"lambda-authorizer/local/gateway"
)

// Whatever an authorizer answers, only one that says Allow, or true, lets
// anybody in.
func FuzzAnswer(f *testing.F) {
	f.Add(policy("Allow", "*", `{"a":1}`))
	f.Add(policy("Deny", "*", `{"a":[]}`))
	f.Add(simple(true, `{"a":{"b":null}}`))
	f.Add(simple(false, ""))
	f.Add(`{"isAuthorized":1,"policyDocument":{"Statement":{}}}`)
	f.Fuzz(func(t *testing.T, answer string) {
		for _, kind := range httpKinds {
			w := deploy(t, kind)
			w.answer = func(map[string]any) (string, error) { return answer, nil }
			if got := w.send("GET", "/test/items", token); got.StatusCode != 200 {
				continue
			}
			var said any
			if err := json.Unmarshal([]byte(answer), &said); err != nil {
				t.Fatalf("%s: %q lets in", kind, answer)
			}
			plain, _ := json.Marshal(said)
			if !strings.Contains(string(plain), `"Effect":"Allow"`) && !strings.Contains(string(plain), `"isAuthorized":true`) {
				t.Errorf("%s: %s lets in", kind, plain)
			}
		}
	})
}

// Whatever path is sent, what the authorizer is asked about is that path, and
// nothing reaches the backend unasked.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/items", "/items/%2e%2e", "/files/a%3Fb", "//", "/files/%zz", "/files/é", "/files/\xc3\xc1"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		target := "/test" + path
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.ContainsAny(path, "?# \r\n") {
			return // net/http would not hand it on
		}
		for _, kind := range httpKinds {
			w := deploy(t, kind)
			w.answer = func(map[string]any) (string, error) { return allow(kind, "*", ""), nil }
			r := &http.Request{Method: "GET", URL: u, RequestURI: target, Proto: "HTTP/1.1", Header: http.Header{"Authorization": {"x"}}, Body: http.NoBody, RemoteAddr: "192.0.2.1:1"}
			recorder := httptest.NewRecorder()
			w.ServeHTTP(recorder, r)
			if len(w.answered) > len(w.asked) || recorder.Code >= 500 {
				t.Errorf("%s %q: %d, authorizer asked %d times", kind, path, recorder.Code, len(w.asked))
			}
			if len(w.asked) == 0 || kind != gateway.RESTToken && kind != gateway.RESTRequest {
				continue
			}
			if got := arnOf(w.asked[0]); got != stageARN+"GET"+string([]rune(path)) {
				t.Errorf("%s %q: ARN %q", kind, path, got)
			}
		}
	})
}

package local_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// signedPrefixes are the stages that take signatures: those whose results are
// not cached.
var signedPrefixes = []string{"/rest", "/http"}

// exchange is a request of the independent client, and what it was answered.
type exchange struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Body   string `json:"body,omitempty"`
	// Fields are the covered components; nil leaves that to the client.
	Fields []string `json:"fields,omitempty"`
	// Send: the client sends it, and sets the last two.
	Send    bool              `json:"send"`
	Headers map[string]string `json:"headers,omitempty"`
	Status  int               `json:"status,omitempty"`
	Answer  string            `json:"answer,omitempty"`
}

// client has npm's http-message-signatures sign requests with the stack's key,
// and node send them.
func (s *stack) client(t *testing.T, requests ...exchange) []exchange {
	t.Helper()
	for i := range requests {
		requests[i].URL = s.URL() + requests[i].URL
	}
	in, err := json.Marshal(map[string]any{"keyid": s.Keys().SigningKeyID, "secret": s.Keys().SigningKey, "requests": requests})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "../testdata/record/client.mjs")
	node.Stdin = bytes.NewReader(in)
	var said strings.Builder
	node.Stderr = &said
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, said.String())
	}
	var done []exchange
	if err := json.Unmarshal(out, &done); err != nil {
		t.Fatal(err)
	}
	return done
}

// again sends a signed request another time, after change.
func (e exchange) again(t *testing.T, change ...func(*exchange)) reply {
	t.Helper()
	e.Headers = maps.Clone(e.Headers)
	for _, f := range change {
		f(&e)
	}
	r, err := http.NewRequestWithContext(t.Context(), e.Method, e.URL, strings.NewReader(e.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range e.Headers {
		r.Header.Set(name, value)
	}
	return do(t, r)
}

func signedItem(prefix, name string) exchange {
	return exchange{Method: "POST", URL: prefix + "/items", Body: `{"name":"` + name + `"}`}
}

func sent(e exchange) exchange {
	e.Send = true
	return e
}

// The shipped uncached configuration, and an independent client of RFC 9421.
func TestSignatures(t *testing.T) {
	t.Parallel()
	s := uncachedStack(t)
	for _, prefix := range signedPrefixes {
		for name, test := range map[string]func(*testing.T, *stack, string){
			"of an independent signer pass":     independentSignerPasses,
			"are good for one request once":     signedRequestIsServedOnce,
			"open no other request":             signatureOpensNoOtherRequest,
			"are no proof of another body":      tamperedBodyIsRefused,
			"that cover too little are refused": shortSignatureIsRefused,
		} {
			t.Run(prefix[1:]+"/"+name, func(t *testing.T) { t.Parallel(); test(t, s, prefix) })
		}
	}
}

// wantsOf checks what the client was answered, request by request.
func wantsOf(t *testing.T, done []exchange, statuses ...int) {
	t.Helper()
	for i, want := range statuses {
		if e := done[i]; e.Status != want {
			t.Errorf("%s %s: %d %s, want %d", e.Method, e.URL, e.Status, e.Answer, want)
		}
	}
}

func independentSignerPasses(t *testing.T, s *stack, prefix string) {
	name := "signed through " + prefix
	done := s.client(t,
		sent(signedItem(prefix, name)),
		exchange{Method: "GET", URL: prefix + "/items?limit=100", Send: true},
		exchange{Method: "GET", URL: prefix + "/items", Send: true},
	)
	wantsOf(t, done, 201, 200, 200)
	if !strings.Contains(done[1].Answer, name) {
		t.Errorf("the item is not listed: %s", done[1].Answer)
	}
	var item struct{ ID string }
	if err := json.Unmarshal([]byte(done[0].Answer), &item); err != nil {
		t.Fatal(err)
	}
	path := prefix + "/items/" + item.ID
	done = s.client(t,
		exchange{Method: "PUT", URL: path, Body: `{"name":"changed"}`, Send: true},
		exchange{Method: "GET", URL: path, Send: true},
		exchange{Method: "DELETE", URL: path, Body: `{}`, Send: true}, // its route takes tokens alone
	)
	wantsOf(t, done, 200, 200, 403)
	if !strings.Contains(done[1].Answer, `"changed"`) {
		t.Errorf("%s: %s", path, done[1].Answer)
	}
}

func signedRequestIsServedOnce(t *testing.T, s *stack, prefix string) {
	name := "once through " + prefix
	done := s.client(t, sent(signedItem(prefix, name)), exchange{Method: "GET", URL: prefix + "/items?limit=7", Send: true})
	wantsOf(t, done, 201, 200)
	for _, first := range done {
		for range 2 {
			if got := first.again(t); got.status != 401 {
				t.Errorf("%s %s again: %d %s, want 401", first.Method, first.URL, got.status, got.body)
			}
		}
	}
	s.decided(t, func(d decision) bool { return d.Reason == "signature_replayed" && d.Stage == prefix[1:] })
	s.wantsNamed(t, prefix, name, 1)
}

// wantsNamed counts the items of a name that the key's principal has.
func (s *stack) wantsNamed(t *testing.T, prefix, name string, want int) {
	t.Helper()
	list := s.client(t, exchange{Method: "GET", URL: prefix + "/items?limit=100", Send: true})
	wantsOf(t, list, 200)
	if n := strings.Count(list[0].Answer, `"name":"`+name+`"`); n != want {
		t.Errorf("%d items %q, want %d: %s", n, name, want, list[0].Answer)
	}
}

func tamperedBodyIsRefused(t *testing.T, s *stack, prefix string) {
	for i, body := range []string{`{"name":"forged through ` + prefix + `"}`, ""} {
		unsent := s.client(t, signedItem(prefix, "never made"))[0]
		if got := unsent.again(t, func(e *exchange) { e.Body = body }); got.status != 400 {
			t.Errorf("body %d: %d %s, want 400", i, got.status, got.body)
		}
	}
	s.wantsNamed(t, prefix, "forged through "+prefix, 0)
	s.wantsNamed(t, prefix, "never made", 0)
}

func signatureOpensNoOtherRequest(t *testing.T, s *stack, prefix string) {
	other := map[string]func(*exchange){
		"method":    func(e *exchange) { e.Method = "GET" },
		"path":      func(e *exchange) { e.URL, e.Method = e.URL+"/01ARZ3NDEKTSV4RRFFQ69G5FAV", "PUT" },
		"query":     func(e *exchange) { e.URL += "?limit=1" },
		"digest":    func(e *exchange) { e.Headers["Content-Digest"] = "sha-256=:" + strings.Repeat("A", 43) + "=:" },
		"no digest": func(e *exchange) { delete(e.Headers, "Content-Digest") },
		"type":      func(e *exchange) { e.Headers["Content-Type"] = "text/plain" },
		"parameters": func(e *exchange) {
			e.Headers["Signature-Input"] = strings.Replace(e.Headers["Signature-Input"], "interop", "other", 1)
		},
		"no input": func(e *exchange) { delete(e.Headers, "Signature-Input") },
		"no value": func(e *exchange) { delete(e.Headers, "Signature") },
		"API": func(e *exchange) {
			i := slices.Index(signedPrefixes, prefix)
			e.URL = strings.Replace(e.URL, prefix, signedPrefixes[1-i], 1)
		},
	}
	names := slices.Sorted(maps.Keys(other))
	var unsent []exchange
	for _, what := range names {
		unsent = append(unsent, signedItem(prefix, what))
	}
	for i, e := range s.client(t, unsent...) {
		if got := e.again(t, other[names[i]]); got.status != 401 {
			t.Errorf("another %s: %d %s, want 401", names[i], got.status, got.body)
		}
		if got := e.again(t); got.status != 201 {
			t.Errorf("after another %s, as it was signed: %d %s, want 201", names[i], got.status, got.body)
		}
	}
}

func shortSignatureIsRefused(t *testing.T, s *stack, prefix string) {
	post := sent(signedItem(prefix, "short"))
	post.Fields = []string{"@method", "@authority", "@path", "@query"} // no digest
	get := exchange{Method: "GET", URL: prefix + "/items", Fields: []string{"@method", "@authority", "@path"}, Send: true}
	wantsOf(t, s.client(t, post, get), 401, 401)
}

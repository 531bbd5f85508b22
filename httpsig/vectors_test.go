package httpsig

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rfcRequest is test-request of RFC 9421 appendix B.2.
func rfcRequest() *Message {
	h := http.Header{
		"Date":           {"Tue, 20 Apr 2021 02:07:55 GMT"},
		"Content-Type":   {"application/json"},
		"Content-Digest": {"sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"},
		"Content-Length": {"18"},
	}
	return &Message{Method: "POST", Authority: "example.com", Path: "/foo", RawQuery: "param=Value&Pet=dog", Header: h.Values}
}

func withInput(m *Message, input, signature string) *Message {
	inner := m.Header
	m.Header = func(name string) []string {
		switch name {
		case "signature-input":
			return []string{input}
		case "signature":
			return []string{signature}
		}
		return inner(name)
	}
	return m
}

func baseOf(t *testing.T, m *Message) string {
	t.Helper()
	p, err := parse(m.Header)
	if err != nil {
		t.Fatal(err)
	}
	view, err := newView(m)
	if err != nil {
		t.Fatal(err)
	}
	base, err := signatureBase(view, p.components, p.input, canonicalAuthority(m.Authority))
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func TestAppendixB25SignatureBaseAndMACAreTheRFCs(t *testing.T) {
	t.Parallel()
	m := withInput(rfcRequest(),
		`sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
		`sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:`)
	want := `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@authority": example.com
"content-type": application/json
"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`
	base := baseOf(t, m)
	if diff := cmp.Diff(want, base); diff != "" {
		t.Fatal(diff)
	}
	secret, err := base64.StdEncoding.DecodeString(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parse(m.Header)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.mac, mac(secret, base)); diff != "" {
		t.Fatal(diff)
	}
}

// The signatures of these are made with other algorithms; what is signed is
// the same for all.
func TestSignatureBasesOfTheRFCAreRebuilt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, input, want string }{
		{"B.2.1, nothing covered", `sig=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"`,
			`"@signature-params": ();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"`},
		{"B.2.3, full coverage without the query parameters' order",
			`sig=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"`,
			`"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@query": ?param=Value&Pet=dog
"@authority": example.com
"content-type": application/json
"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"`},
		{"B.2.6, with ed25519 in the RFC", `sig=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`,
			`"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`},
		{"B.2.2, a query parameter and a tag", `sig=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"`,
			`"@authority": example.com
"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:
"@query-param";name="Pet": dog
"@signature-params": ("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := withInput(rfcRequest(), c.input, "sig=:AAAA:")
			if diff := cmp.Diff(c.want, baseOf(t, m)); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestComponentValuesAreTheRFCs(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	for _, line := range []string{
		"X-OWS-Header:   Leading and trailing whitespace.   ",
		"Cache-Control: max-age=60",
		"Cache-Control:    must-revalidate",
		"Example-Dict:  a=1,    b=2;x=1;y=2,   c=(a   b   c)",
		"X-Empty-Header: ",
	} {
		name, value, _ := strings.Cut(line, ":")
		header.Add(name, value)
	}
	const forms = "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something"
	for _, c := range []struct {
		section, path, query string
		component            component
		want                 string
	}{
		{"2.1", "/", "", component{name: "x-ows-header"}, "Leading and trailing whitespace."},
		{"2.1", "/", "", component{name: "cache-control"}, "max-age=60, must-revalidate"},
		{"2.1", "/", "", component{name: "example-dict"}, "a=1,    b=2;x=1;y=2,   c=(a   b   c)"},
		{"2.1", "/", "", component{name: "x-empty-header"}, ""},
		{"2.2.1", "/path", "param=value", component{name: "@method"}, "POST"},
		{"2.2.3", "/path", "param=value", component{name: "@authority"}, "www.example.com"},
		{"2.2.6", "/path", "param=value", component{name: "@path"}, "/path"},
		{"2.2.7", "/path", "param=value&foo=bar&baz=bat%2Dman", component{name: "@query"}, "?param=value&foo=bar&baz=bat-man"}, // the RFC leaves %2D
		{"2.2.7", "/path", "queryString", component{name: "@query"}, "?queryString="},                                          // the RFC has no "="
		{"2.2.7", "/path", "", component{name: "@query"}, "?"},
		{"2.2.8", "/path", "param=value&foo=bar&baz=batman&qux=", component{name: "@query-param", param: "baz"}, "batman"},
		{"2.2.8", "/path", "param=value&foo=bar&baz=batman&qux=", component{name: "@query-param", param: "qux"}, ""},
		{"2.2.8", "/parameters", forms, component{name: "@query-param", param: "var"}, "this%20is%20a%20big%0Amultiline%20value"},
		{"2.2.8", "/parameters", forms, component{name: "@query-param", param: "bar"}, "with%20plus%20whitespace"},
		{"2.2.8", "/parameters", forms, component{name: "@query-param", param: "façade\": "}, "something"},
	} {
		view, err := newView(&Message{Method: "POST", Path: c.path, RawQuery: c.query, Header: header.Values})
		if err != nil {
			t.Fatal(err)
		}
		got, err := view.value(c.component, canonicalAuthority("www.EXAMPLE.com:443"))
		if err != nil || got != c.want {
			t.Errorf("section %s, %s %s: got %q, %v; want %q", c.section, c.component.name, c.component.param, got, err, c.want)
		}
	}
}

func TestNameOfAQueryParamIsComparedDecoded(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.query = "fa%C3%A7ade%22%3A%20=something"
	c.components = `"@method" "@authority" "@path" "@query-param";name="fa%C3%A7ade%22%3A%20"`
	if _, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), c.sign(t)); err != nil {
		t.Fatal(err)
	}
}

package authorizer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
)

// Whatever single bit of a signed request changes on its way into the event, the
// request is refused. (The Host's case means nothing, RFC 9421 section 2.2.3.)
func TestEverySingleBitOfASignedRequestCounts(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "machine", Principal: "machine", Scopes: []string{"items:write"}})
	s := p.connect(t, strings.Replace(everything, "{secrets: [signing-keys]}", "{secrets: [signing-keys], replay: allow}", 1))
	event := s.event(t, gateway.HTTP2IAM, request(t, "POST /items?b=2&a=1", signed(machine)))
	if answer := s.ask(event); !strings.Contains(answer, `"Allow"`) {
		t.Fatalf("the request as it was sent: %s", answer)
	}
	var parsed map[string]any
	if err := json.Unmarshal(event, &parsed); err != nil {
		t.Fatal(err)
	}
	headers := parsed["headers"].(map[string]any)
	for _, place := range []struct {
		in   map[string]any
		name string
	}{
		{parsed, "rawPath"}, {parsed, "rawQueryString"},
		{headers, "host"}, {headers, "content-digest"}, {headers, "signature-input"}, {headers, "signature"},
	} {
		was := place.in[place.name].(string)
		for n := range was {
			for bit := range 8 {
				changed := []byte(was)
				changed[n] ^= 1 << bit
				if place.name == "host" && strings.EqualFold(string(changed), was) {
					continue
				}
				place.in[place.name] = string(changed)
				text, err := json.Marshal(parsed)
				if err != nil {
					t.Fatal(err)
				}
				if answer := s.ask(text); strings.Contains(answer, `"Allow"`) {
					t.Errorf("%s: byte %d, bit %d: %q is allowed", place.name, n, bit, changed)
				}
			}
		}
		place.in[place.name] = was
	}
}

// The method that is signed is the one of the ARN, which is what the policy is
// evaluated on.
func TestSignedMethodIsTheOneOfTheARN(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "machine", Principal: "machine", Scopes: []string{"items:read", "items:write"}})
	s := p.connect(t, strings.Replace(everything, "{secrets: [signing-keys]}", "{secrets: [signing-keys], replay: allow}", 1))
	for _, kind := range everyAPI {
		event := string(s.event(t, kind, request(t, "POST /items", signed(machine))))
		moved := strings.NewReplacer("/prod/POST/items", "/prod/GET/items", "POST /items", "GET /items").Replace(event)
		if moved == event || s.ask([]byte(event)) == s.ask([]byte(moved)) || strings.Contains(s.ask([]byte(moved)), `"Allow"`) {
			t.Errorf("%s: another method is answered %s", kind, s.ask([]byte(moved)))
		}
	}
}

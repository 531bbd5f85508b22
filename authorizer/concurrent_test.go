package authorizer_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
)

// Managed Instances run several invocations in one process: what one is
// answered must not depend on what the others ask. Payloads are recycled, as
// aws-lambda-go does it.
func TestConcurrentInvocationsAreAnsweredLikeSingleOnes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	legacySecret(t, p)
	acme := p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: []string{"items:read", "vault"}, Networks: []string{"office"}, Context: map[string]any{"tenant": "t"}})
	machine := p.signer(t, httpsig.Grant{ID: "machine", Principal: "machine", Scopes: []string{"items:write"}})
	p.revoke(t, "token#"+issuerURL+"#revoked")
	// The same request may be asked about again and again.
	s := p.connect(t, strings.Replace(everything, "{secrets: [signing-keys]}", "{secrets: [signing-keys], replay: allow}", 1))
	ring := func(n int) *http.Request {
		alice := mint(t, claims{"sub": fmt.Sprint("user-", n), "jti": fmt.Sprint("id-", n)})
		return [...]*http.Request{
			request(t, "GET /items", bearer(alice)),
			request(t, "GET /office", bearer(alice), from("203.0.113.9")),
			request(t, "GET /vault", bearer(alice), key(acme), from("203.0.113.9")),
			request(t, "GET /items", key(acme), from("192.0.2.1")),
			request(t, "POST /items", signed(machine)),
			request(t, "GET /items", bearer(mintHS(t, 'a', "", claims{"sub": fmt.Sprint("legacy-", n)}))),
			request(t, "GET /items", bearer(mint(t, claims{"jti": "revoked", "sub": fmt.Sprint("thief-", n)}))),
			request(t, "POST /items", bearer(alice)),
			request(t, "GET /items"),
		}[n%9]
	}
	var events []([]byte)
	for n := range 45 {
		for _, kind := range append([]gateway.Kind{gateway.RESTToken}, everyAPI...) {
			if event := s.event(t, kind, ring(n)); event != nil { // no credential, no TOKEN event
				events = append(events, event)
			}
		}
	}
	want := make([]string, len(events))
	for n, event := range events {
		want[n] = s.ask(event)
	}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			buffer := make([]byte, 0, 64<<10)
			for n := range events {
				n = (n*7 + worker*31) % len(events)
				buffer = append(buffer[:0], events[n]...)
				if got := s.ask(buffer); got != want[n] {
					t.Errorf("event %d is answered\n%s, alone\n%s", n, got, want[n])
				}
				clear(buffer)
			}
		})
	}
	all.Wait()
	kinds := map[string]bool{}
	for _, answer := range want {
		kinds[answer[:min(len(answer), 8)]] = true
	}
	if len(kinds) < 2 {
		t.Errorf("all answers are alike: %v", kinds)
	}
}

// ask invokes the function and returns its answer or its error.
func (s *service) ask(event []byte) string {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "one"})
	answer, err := s.Invoke(ctx, event)
	if err != nil {
		return "error: " + err.Error()
	}
	return string(answer)
}

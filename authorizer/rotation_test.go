package authorizer_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

// held is what clients hold while their keys are rotated: most have the new
// ones, some have not been told yet.
type held struct {
	key, oldKey       string
	signer, oldSigner *httpsig.Signer
}

// credential is the one that a caller uses in its nth request.
func (h held) credential(caller, n int) part {
	old, signs := n%2 == 0 && h.oldKey != "", caller%2 == 1
	switch {
	case signs && old:
		return signed(h.oldSigner)
	case signs:
		return signed(h.signer)
	case old:
		return key(h.oldKey)
	}
	return key(h.key)
}

func TestRotationUnderLoadRefusesNobodyWhoseKeyCounts(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	var mu sync.RWMutex // the clock stands still during a request
	now := held{
		key:    p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: reads}),
		signer: p.signer(t, httpsig.Grant{ID: "machine", Principal: "machine", Scopes: reads}),
	}
	first := now
	// Nonces are another test's: here a busy machine must not be an outage.
	s := p.connect(t, strings.NewReplacer("{secrets: [signing-keys]}", "{secrets: [signing-keys], replay: allow}", "timeout: 4s", "timeout: 8s").Replace(everything))
	s.stage(t, api)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var served atomic.Int64
	for caller := range 8 {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				time.Sleep(5 * time.Millisecond)
				mu.RLock()
				if got := s.send(t, api, request(t, "GET /items", now.credential(caller, n))); got.status != http.StatusOK {
					t.Errorf("caller %d: %d, %v", caller, got.status, got.line["detail"])
				}
				mu.RUnlock()
				served.Add(1)
			}
		})
	}
	defer all.Wait()
	defer stop()
	more := func() {
		for begin := served.Load(); served.Load() < begin+80; {
			time.Sleep(time.Millisecond)
		}
	}
	for range 2 {
		more()
		mu.Lock()
		now.oldKey, now.oldSigner = "", nil
		p.Add(time.Hour) // the grace before is over
		mu.Unlock()
		more()
		keys, signing := p.rotate(t)
		mu.Lock()
		now = held{keys, now.key, signing, now.signer}
		mu.Unlock()
		more()
		p.Add(31 * time.Second)
		more()
	}
	stop()
	all.Wait()

	s.wants(t, api, request(t, "GET /items", key(first.key)), reason.APIKeyUnknown)
	s.wants(t, api, request(t, "GET /items", signed(first.signer)), reason.SignatureInvalid)
	p.Add(time.Hour)
	s.wants(t, api, request(t, "GET /items", key(now.oldKey)), reason.APIKeyExpired)
	s.wants(t, api, request(t, "GET /items", signed(now.oldSigner)), reason.SignatureInvalid)
	s.wants(t, api, request(t, "GET /items", key(now.key)), "")
	s.wants(t, api, request(t, "GET /items", signed(now.signer)), "")
}

// rotate gives both keys a new secret, and the old ones an hour.
func (p *place) rotate(t testing.TB) (string, *httpsig.Signer) {
	t.Helper()
	keys, err := p.apiKeys(t).Rotate(context.Background(), "api-keys", "acme", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	signing, err := p.signingKeys(t).Rotate(context.Background(), "signing-keys", "machine", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return keys.Text, p.signerOf(t, "machine", signing.Text)
}

func TestBackendIsToldWhenAReplacedSecretEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	oldKey := p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: reads})
	oldSigner := p.signer(t, httpsig.Grant{ID: "machine", Principal: "machine", Scopes: reads, ExpiresAt: noon.Add(24 * time.Hour)})
	newKey, newSigner := p.rotate(t)
	s := p.connect(t, everything)
	for what, c := range map[string]struct {
		credential part
		ends       any
	}{
		"an API key":                 {key(newKey), nil},
		"an API key's old secret":    {key(oldKey), float64(noon.Add(time.Hour).Unix())},
		"a signing key":              {signed(newSigner), float64(noon.Add(24 * time.Hour).Unix())},
		"a signing key's old secret": {signed(oldSigner), float64(noon.Add(time.Hour).Unix())},
	} {
		got := s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", c.credential), "")
		if got.context["expires_at"] != c.ends {
			t.Errorf("%s: the backend is told %v, want %v", what, got.context["expires_at"], c.ends)
		}
	}
}

// A shared secret has no grace of its own: AWSPREVIOUS counts for
// secrets.previous_grace after the current version was made.
func TestRotatedSharedSecretIsAcceptedForItsGrace(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	legacySecret(t, p)
	s := p.connect(t, everything+"secrets: {previous_grace: 1h}\n")
	far := claims{"exp": noon.Add(48 * time.Hour).Unix()}
	before, after := mintHS(t, 'a', "", far), mintHS(t, 'b', "", far)
	s.wants(t, api, request(t, "GET /items", bearer(before)), "")
	_, text := shared('b')
	p.put(t, "legacy-jwt", `{"keys":{"default":"`+text+`"}}`)
	s.wants(t, api, request(t, "GET /items", bearer(after)), "")
	s.wants(t, api, request(t, "GET /items", bearer(before)), "")
	p.at(time.Hour-time.Second, func() { s.wants(t, api, request(t, "GET /items", bearer(before)), "") })
	p.Add(time.Hour)
	s.wants(t, api, request(t, "GET /items", bearer(before)), reason.SignatureInvalid)
	s.wants(t, api, request(t, "GET /items", bearer(after)), "")
}

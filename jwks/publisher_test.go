package jwks

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"lambda-authorizer/reason"
)

// publisher is an issuer without a network: what it answers and how long
// that takes is up to the test. Within synctest the time is the bubble's.
type publisher struct {
	mu      sync.Mutex
	set     string
	err     error
	takes   time.Duration
	maxAge  time.Duration
	fetches int
	events  []RefreshEvent
}

func (p *publisher) fetch(ctx context.Context) (fetched, error) {
	p.mu.Lock()
	p.fetches++
	set, err, takes, maxAge := p.set, p.err, p.takes, p.maxAge
	p.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return fetched{}, errors.New("no answer")
	}
	if err != nil {
		return fetched{}, err
	}
	keys, err := parseKeySet([]byte(set))
	return fetched{keys, max(maxAge, minMaxAge)}, err
}

func (p *publisher) change(f func(*publisher)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// fetched is how often the issuer was asked.
func (p *publisher) fetched() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetches
}

// reported is what OnRefresh was told.
func (p *publisher) reported() []RefreshEvent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

func publish(keys ...signer) func(*publisher) {
	var members []string
	for _, k := range keys {
		members = append(members, k.jwk())
	}
	return func(p *publisher) { p.set, p.err = keySetOf(members...), nil }
}

func down(p *publisher) { p.err = errors.New("connection refused") }

// remoteVerifier has an issuer for each of names whose keys come from a
// publisher. Its clock is time.Now: the bubble's within synctest.
func remoteVerifier(t testing.TB, now func() time.Time, names ...string) (*Verifier, map[string]*publisher) {
	t.Helper()
	var issuers []Issuer
	for _, name := range names {
		issuers = append(issuers, mainIssuer(func(i *Issuer) { i.Name, i.Issuer = name, "https://"+name+"/" }))
	}
	publishers := map[string]*publisher{}
	v, err := New(issuers, Options{Now: now, OnRefresh: func(e RefreshEvent) {
		publishers[e.Issuer].change(func(p *publisher) { p.events = append(p.events, e) })
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range v.remotes {
		p := new(publisher)
		publishers[r.issuer], r.fetch = p, p.fetch
	}
	return v, publishers
}

// tokenOf is a token of an issuer of remoteVerifier, valid for ten years.
func tokenOf(name string, s signer) string {
	now := time.Now()
	return s.token(with(map[string]any{"iss": "https://" + name + "/", "iat": now.Unix(), "exp": now.AddDate(10, 0, 0).Unix()}))
}

// check verifies and returns the reason for refusal, empty if there is none.
func check(v *Verifier, raw string) reason.Code {
	if _, err := v.Verify(context.Background(), raw, ""); err != nil {
		return reason.Of(err)
	}
	return ""
}

func wantCheck(t *testing.T, v *Verifier, raw string, want reason.Code) {
	t.Helper()
	if got := check(v, raw); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

package jwks

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lambda-authorizer/reason"
)

// generation is a key that the issuer publishes for a while.
type generation struct {
	signer
	token               string
	published, withdrew time.Time // zero: not yet
}

// rotation is an issuer that replaces its key again and again, and remembers
// what it published when.
type rotation struct {
	mu   sync.Mutex
	all  []*generation
	list signer // published always
	p    *publisher
}

// turn publishes one more generation and withdraws the last but one.
func (r *rotation) turn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := newEd25519(fmt.Sprintf("generation-%d", len(r.all)))
	r.all = append(r.all, &generation{signer: s, token: longLived(s)})
	published := []signer{r.list}
	for n := max(0, len(r.all)-2); n < len(r.all); n++ {
		published = append(published, r.all[n].signer)
	}
	r.p.change(publish(published...))
	r.all[len(r.all)-1].published = time.Now()
	if n := len(r.all) - 3; n >= 0 {
		r.all[n].withdrew = time.Now()
	}
}

// pick returns a generation as it is now.
func (r *rotation) pick(n int) (generation, *generation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.all[max(0, len(r.all)-1-n%5)]
	return *g, g
}

func (r *rotation) now(g *generation) generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *g
}

func longLived(s signer) string {
	return s.token(with(map[string]any{"iss": "https://idp/", "iat": nil, "exp": noon.AddDate(1, 0, 0).Unix()}))
}

// Eight goroutines verify 10,000 tokens while the issuer rotates its keys
// every 40 s. Every answer must be one that the times of publication allow.
// The time is a synctest bubble's: it passes only while everybody waits, so a
// busy machine cannot put half a minute between two lines of a verification.
func TestNoAnswerIsWrongWhileKeysRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, each = 8, 1250
		v, ps := remoteVerifier(t, time.Now, "idp")
		ps["idp"].change(func(p *publisher) { p.takes = 700 * time.Millisecond })
		r := &rotation{p: ps["idp"], list: newEd25519("constant")}
		r.turn()
		v.Prefetch(t.Context())
		forged := longLived(newEd25519("constant"))
		expired := r.list.token(with(map[string]any{"iss": "https://idp/", "exp": time.Now().Unix() - 3600}))
		repeated := longLived(r.list)
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				for n := range each {
					time.Sleep(rand.N(2 * time.Second)) // 1 s on average
					if w == 0 && n%40 == 39 {
						r.turn()
					}
					switch n % 5 {
					case 0:
						wantCheck(t, v, repeated, "")
					case 1:
						wantCheck(t, v, r.list.token(with(map[string]any{"iss": "https://idp/", "jti": fmt.Sprint(w, n), "exp": time.Now().Unix() + 3600, "iat": nil})), "")
					case 2:
						wantCheck(t, v, forged, reason.SignatureInvalid)
					case 3:
						wantCheck(t, v, expired, reason.TokenExpired)
					case 4:
						checkRotating(t, v, r, n/5)
					}
				}
			})
		}
		all.Wait()
	})
}

func checkRotating(t *testing.T, v *Verifier, r *rotation, n int) {
	before, g := r.pick(n)
	start := time.Now()
	_, err := v.Verify(t.Context(), before.token, "")
	var got reason.Code
	if err != nil {
		got = reason.Of(err)
	}
	after := r.now(g)
	switch {
	case got != "" && got != reason.KeyUnknown:
		t.Errorf("%s: %v", before.kid, err)
	case got == "" && !before.withdrew.IsZero() && start.Sub(before.withdrew) > minMaxAge+serveWhileFetching:
		t.Errorf("%s was withdrawn %s ago and still verifies", before.kid, start.Sub(before.withdrew))
	case got != "" && after.withdrew.IsZero() && start.Sub(before.published) > coolDown:
		t.Errorf("%s was published %s ago and is not seen", before.kid, start.Sub(before.published))
	}
}

func TestTokenIsSharedSafely(t *testing.T) {
	t.Parallel()
	s := newEd25519("k")
	v := staticVerifier(t, new(clock), keySetOf(s.jwk()))
	raw := s.token(with(map[string]any{"scope": "a b c"}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				tok, err := v.Verify(t.Context(), raw, "")
				if err != nil || len(tok.Scopes) != 3 || tok.Claims["sub"] != "alice" {
					t.Errorf("%+v, %v", tok, err)
				}
			}
		})
	}
	all.Wait()
}

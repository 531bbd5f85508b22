package jwks

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/reason"
)

func TestThousandRandomKidsCauseTwoFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		p["idp"].change(publish(newEd25519("k")))
		v.Prefetch(t.Context())
		forger := newEd25519("")
		var all sync.WaitGroup
		for n := range 1000 {
			forger.kid = fmt.Sprintf("random-%d", n)
			raw := tokenOf("idp", forger)
			all.Go(func() {
				if got := check(v, raw); got != reason.KeyUnknown {
					t.Errorf("got %q", got)
				}
			})
		}
		all.Wait()
		if got := p["idp"].fetched(); got != 2 {
			t.Errorf("%d fetches, want the prefetch and one more", got)
		}
	})
}

func TestRotationIsSeenWithinThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		old, next := newEd25519("old"), newEd25519("next")
		p["idp"].change(publish(old))
		wantCheck(t, v, tokenOf("idp", old), "") // fetches: the cool-down begins
		time.Sleep(time.Second)
		p["idp"].change(publish(next))
		raw := tokenOf("idp", next)
		wantCheck(t, v, raw, reason.KeyUnknown)
		time.Sleep(28 * time.Second)
		wantCheck(t, v, raw, reason.KeyUnknown)
		time.Sleep(time.Second)
		wantCheck(t, v, raw, "")
		wantCheck(t, v, tokenOf("idp", old), reason.KeyUnknown)
		if got := p["idp"].fetched(); got != 2 {
			t.Errorf("%d fetches", got)
		}
	})
}

func TestRotationRightAfterPrefetchIsSeenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		p["idp"].change(publish(newEd25519("old")))
		v.Prefetch(t.Context())
		next := newEd25519("next")
		p["idp"].change(publish(next))
		wantCheck(t, v, tokenOf("idp", next), "")
	})
}

func TestRotationWithoutKidsIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		old, next, forger := newEd25519(""), newEd25519(""), newEd25519("")
		p["idp"].change(publish(old))
		v.Prefetch(t.Context())
		wantCheck(t, v, tokenOf("idp", old), "")
		p["idp"].change(publish(next))
		wantCheck(t, v, tokenOf("idp", next), "")
		for range 100 {
			wantCheck(t, v, tokenOf("idp", forger), reason.SignatureInvalid)
		}
		wantCheck(t, v, tokenOf("idp", old), reason.SignatureInvalid) // remembered, but its key is gone
		if got := p["idp"].fetched(); got != 2 {
			t.Errorf("%d fetches", got)
		}
		time.Sleep(time.Minute)
		p["idp"].change(down) // a forgery is no fault, whatever the issuer does
		wantCheck(t, v, tokenOf("idp", forger), reason.SignatureInvalid)
	})
}

func TestExpiredSetIsRefreshedByOneRequestAndServesTheOthersMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		old, next := newEd25519("old"), newEd25519("next")
		p["idp"].change(publish(old))
		v.Prefetch(t.Context())
		time.Sleep(119 * time.Second) // its age is a minute
		p["idp"].change(publish(old, next))
		p["idp"].change(func(p *publisher) { p.takes = 2 * time.Second })
		begin := time.Now()
		var all sync.WaitGroup
		all.Go(func() { wantCheck(t, v, tokenOf("idp", old), "") })
		synctest.Wait()
		wantCheck(t, v, tokenOf("idp", old), "")
		if late := time.Since(begin); late != 0 {
			t.Errorf("a known key waited %s", late)
		}
		wantCheck(t, v, tokenOf("idp", next), "") // joins
		all.Wait()
		if late := time.Since(begin); late != 2*time.Second {
			t.Errorf("waited %s", late)
		}
		if got := p["idp"].fetched(); got != 2 {
			t.Errorf("%d fetches", got)
		}
	})
}

func TestSetLongExpiredServesNobodyDuringARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		old, next := newEd25519("old"), newEd25519("next")
		p["idp"].change(publish(old))
		v.Prefetch(t.Context())
		time.Sleep(121 * time.Second)  // its age is a minute
		p["idp"].change(publish(next)) // the old key is withdrawn
		p["idp"].change(func(p *publisher) { p.takes = 2 * time.Second })
		begin := time.Now()
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { wantCheck(t, v, tokenOf("idp", old), reason.KeyUnknown) })
		}
		all.Wait()
		if late := time.Since(begin); late != 2*time.Second {
			t.Errorf("waited %s", late)
		}
		if got := p["idp"].fetched(); got != 2 {
			t.Errorf("%d fetches", got)
		}
	})
}

func TestKeyPublishedDuringAFetchIsFetchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		old, next := newEd25519("old"), newEd25519("next")
		p["idp"].change(publish(old))
		p["idp"].change(func(p *publisher) { p.takes = time.Second })
		var all sync.WaitGroup
		all.Go(func() { v.Prefetch(t.Context()) })
		synctest.Wait()
		p["idp"].change(publish(old, next)) // too late for the fetch under way
		wantCheck(t, v, tokenOf("idp", next), "")
		all.Wait()
		if got := p["idp"].fetched(); got != 2 {
			t.Errorf("%d fetches", got)
		}
	})
}

func TestPrefetchIsParallelAndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"a", "b", "c", "d"}
		v, p := remoteVerifier(t, time.Now, names...)
		for _, name := range names {
			p[name].change(func(p *publisher) { p.takes = 3 * time.Second })
		}
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		v.Prefetch(ctx)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %s although its context was done", took)
		}
		v.Prefetch(t.Context()) // joins
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("four fetches of 3s took %s", took)
		}
	})
}

func TestRefreshesAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "a", "b")
		k, next := newEd25519("k"), newEd25519("next")
		start := time.Now()
		p["a"].change(func(p *publisher) {
			p.set, p.takes, p.maxAge = keySetOf(k.jwk(), `{"kty":"oct"}`), time.Second, time.Hour
		})
		p["b"].change(publish(k))
		v.Prefetch(t.Context())
		wantCheck(t, v, tokenOf("a", next), reason.KeyUnknown)
		time.Sleep(2 * time.Hour)
		p["a"].change(down)
		wantCheck(t, v, tokenOf("a", k), "")
		var got []RefreshEvent
		for _, e := range p["a"].reported() {
			e.Started = time.Time{}.Add(e.Started.Sub(start))
			if e.Err != nil {
				e.Err = nil
				e.Cause += ": " + p["a"].err.Error()
			}
			got = append(got, e)
		}
		skipped := []string{"keys[1]: kty oct is a shared secret, not a public key"}
		want := []RefreshEvent{
			{Issuer: "a", Cause: "prefetch", Took: time.Second, Keys: 1, Skipped: skipped, SkippedCount: 1, MaxAge: time.Hour},
			{Issuer: "a", Cause: "unknown_key", Started: time.Time{}.Add(time.Second), Took: time.Second, Keys: 1, Skipped: skipped, SkippedCount: 1, MaxAge: time.Hour},
			{Issuer: "a", Cause: "expired: connection refused", Started: time.Time{}.Add(2*time.Hour + 2*time.Second), Took: time.Second},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if e := p["b"].reported(); len(e) != 1 || e[0].Issuer != "b" {
			t.Errorf("issuer b: %+v", e)
		}
	})
}

func TestNothingIsFetchedForATokenThatCannotPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		s := newEd25519("k")
		p["idp"].change(publish(s))
		good := with(map[string]any{"iss": "https://idp/"})
		for want, raw := range map[reason.Code]string{
			reason.AlgorithmForbidden:  s.sign(`{"alg":"RS512","kid":"k"}`, good),
			reason.TypeForbidden:       s.sign(s.header(`"typ":"logout+jwt"`), good),
			reason.IssuerUnknown:       s.token(with(nil)),
			reason.CredentialMalformed: s.sign(s.header(`"crit":["x"]`), good),
		} {
			wantCheck(t, v, raw, want)
		}
		if got := p["idp"].fetched(); got != 0 {
			t.Errorf("%d fetches", got)
		}
	})
}

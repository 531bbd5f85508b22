package jwks

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lambda-authorizer/reason"
)

func TestKnownTokensVerifyWhileTheIssuerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		k, unknown := newEd25519("k"), newEd25519("unknown")
		p["idp"].change(publish(k))
		p["idp"].change(func(p *publisher) { p.maxAge = time.Hour })
		v.Prefetch(t.Context())
		p["idp"].change(down)
		wantCheck(t, v, tokenOf("idp", k), "")
		wantCheck(t, v, tokenOf("idp", unknown), reason.JWKSUnavailable)
		time.Sleep(25*time.Hour - time.Second)
		wantCheck(t, v, tokenOf("idp", k), "") // 24 h past its age, but for a second
		wantCheck(t, v, tokenOf("idp", unknown), reason.JWKSUnavailable)
		remembered := tokenOf("idp", k)
		wantCheck(t, v, remembered, "")
		time.Sleep(time.Second)
		wantCheck(t, v, tokenOf("idp", k), reason.JWKSUnavailable)
		wantCheck(t, v, remembered, reason.JWKSUnavailable)
		p["idp"].change(publish(k))
		time.Sleep(coolDown)
		wantCheck(t, v, remembered, "")
	})
}

func TestIssuerThatIsDownIsAskedOnceInThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		k, unknown := newEd25519("k"), newEd25519("unknown")
		p["idp"].change(publish(k))
		v.Prefetch(t.Context())
		p["idp"].change(func(p *publisher) { p.takes = time.Hour })
		time.Sleep(2 * time.Minute) // past max-age
		for round := range 3 {
			begin := time.Now()
			for range 50 {
				wantCheck(t, v, tokenOf("idp", k), "")
				wantCheck(t, v, tokenOf("idp", unknown), reason.JWKSUnavailable)
			}
			if late := time.Since(begin); late > fetchBound {
				t.Errorf("round %d: 100 requests waited %s in all", round, late)
			}
			if got := p["idp"].fetched(); got != 2+round {
				t.Errorf("round %d: %d fetches", round, got)
			}
			time.Sleep(coolDown)
		}
	})
}

func TestFailedPrefetchStartsTheCoolDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		k := newEd25519("k")
		p["idp"].change(down)
		v.Prefetch(t.Context())
		p["idp"].change(publish(k))
		wantCheck(t, v, tokenOf("idp", k), reason.JWKSUnavailable)
		_, err := v.Verify(t.Context(), tokenOf("idp", k), "")
		if !strings.Contains(err.Error(), "issuer idp: connection refused") {
			t.Errorf("the fault does not say why: %v", err)
		}
		v.Prefetch(t.Context()) // no way around it
		time.Sleep(coolDown)
		wantCheck(t, v, tokenOf("idp", k), "")
		if got := p["idp"].fetched(); got != 2 {
			t.Errorf("%d fetches", got)
		}
	})
}

func TestSlowIssuerMakesNoOtherIssuerLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "slow", "quick")
		slow, quick := newEd25519("k"), newEd25519("k")
		p["slow"].change(publish(slow))
		p["slow"].change(func(p *publisher) { p.takes = 10 * time.Second })
		p["quick"].change(publish(quick))
		begin := time.Now()
		var all sync.WaitGroup
		all.Go(func() { v.Prefetch(t.Context()) })
		for range 20 {
			all.Go(func() { wantCheck(t, v, tokenOf("slow", slow), reason.JWKSUnavailable) })
		}
		synctest.Wait()
		for range 20 {
			wantCheck(t, v, tokenOf("quick", quick), "")
		}
		if late := time.Since(begin); late != 0 {
			t.Errorf("the quick issuer's tokens waited %s", late)
		}
		all.Wait()
		if late := time.Since(begin); late != fetchBound {
			t.Errorf("the slow issuer's tokens waited %s", late)
		}
		if got := p["slow"].fetched(); got != 1 {
			t.Errorf("%d fetches of the slow issuer", got)
		}
	})
}

func TestOneCallersDeadlineFailsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		k := newEd25519("k")
		p["idp"].change(publish(k))
		p["idp"].change(func(p *publisher) { p.takes = 3 * time.Second })
		raw := tokenOf("idp", k)
		var all sync.WaitGroup
		all.Go(func() { // the one that starts the fetch
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := v.Verify(ctx, raw, ""); reason.Of(err) != reason.DeadlineExceeded {
				t.Errorf("got %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() { wantCheck(t, v, raw, "") })
		all.Wait()
		if got := p["idp"].fetched(); got != 1 {
			t.Errorf("%d fetches", got)
		}
	})
}

func TestRefreshOfAKnownKeyLeavesTimeForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		k := newEd25519("k")
		p["idp"].change(publish(k))
		v.Prefetch(t.Context())
		time.Sleep(2 * time.Minute)
		p["idp"].change(func(p *publisher) { p.takes = 4 * time.Second })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := v.Verify(ctx, tokenOf("idp", k), ""); err != nil {
			t.Errorf("refused: %v", err)
		}
		if late := time.Since(begin); late != 1500*time.Millisecond {
			t.Errorf("waited %s of 3s", late)
		}
		time.Sleep(5 * time.Second)
		if e := p["idp"].reported(); len(e) != 2 || e[1].Err != nil {
			t.Errorf("the fetch was not finished: %+v", e)
		}
	})
}

func TestFetchThatLambdaFrozeIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(clock)
		v, p := remoteVerifier(t, c.now, "idp")
		k := newEd25519("k")
		p["idp"].change(publish(k))
		p["idp"].change(func(p *publisher) { p.takes = 2 * time.Second })
		raw := tokenOf("idp", k)
		v.now = time.Now // for the token; the key set's clock is what is frozen
		var all sync.WaitGroup
		all.Go(func() { wantCheck(t, v, raw, "") })
		synctest.Wait()
		// The wall clock goes on, the process does not: its fetch is still
		// under way, but nothing will come of the connection.
		c.advance(10 * time.Minute)
		p["idp"].change(func(p *publisher) { p.takes = 0 })
		begin := time.Now()
		wantCheck(t, v, raw, "")
		if late := time.Since(begin); late != 0 {
			t.Errorf("waited %s for a fetch of before the freeze", late)
		}
		all.Wait()
		current := v.remotes[0].current.Load()
		if current.fetched != c.now() {
			t.Error("the older fetch replaced the newer one's set")
		}
	})
}

// A request's own fetch answers it, however far the clock went meanwhile: a
// starved goroutine, or one that was frozen, must not ask again and again.
func TestOneFetchAnswersWhateverTheClockDoesMeanwhile(t *testing.T) {
	k, unknown := newEd25519("k"), newEd25519("unknown")
	for _, jump := range []time.Duration{40 * time.Second, 2 * time.Minute, 25 * time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c := new(clock)
			v, p := remoteVerifier(t, c.now, "idp")
			v.remotes[0].fetch = func(ctx context.Context) (fetched, error) {
				got, err := p["idp"].fetch(ctx)
				c.advance(jump)
				return got, err
			}
			p["idp"].change(publish(k))
			for n, s := range []signer{k, unknown} {
				c.advance(26 * time.Hour) // whatever there is, is too old
				set, err := v.remotes[0].keys(t.Context(), query{alg: "EdDSA", kid: s.kid})
				if err != nil || set.knows(query{kid: s.kid}) != (s.kid == "k") {
					t.Errorf("jump of %s, %s: %v", jump, s.kid, err)
				}
				if got := p["idp"].fetched(); got != n+1 {
					t.Errorf("jump of %s, %s: %d fetches, want %d", jump, s.kid, got, n+1)
				}
			}
		})
	}
}

func TestPrefetchThatLambdaFrozeStartsNoCoolDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(clock)
		v, p := remoteVerifier(t, c.now, "idp")
		k := newEd25519("k")
		p["idp"].change(publish(k))
		p["idp"].change(func(p *publisher) { p.takes = 3 * time.Second })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		v.Prefetch(ctx)
		c.advance(stuckAfter + time.Second)
		p["idp"].change(func(p *publisher) { p.takes = 0 })
		if _, err := v.remotes[0].keys(t.Context(), query{alg: "EdDSA", kid: "k"}); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second) // the frozen one ends
	})
}

func TestStuckFetchStartsTheCoolDownToo(t *testing.T) {
	c := new(clock)
	v, p := remoteVerifier(t, c.now, "idp")
	k := newEd25519("k")
	p["idp"].change(publish(k))
	v.Prefetch(t.Context())
	r := v.remotes[0]
	r.mu.Lock()
	r.flight = &flight{cause: causeUnknownKey, started: c.now(), done: make(chan struct{})}
	r.mu.Unlock()
	c.advance(stuckAfter + time.Second)
	_, err := r.keys(t.Context(), query{alg: "EdDSA", kid: "unknown"})
	wantReason(t, err, reason.JWKSUnavailable)
	if _, err := r.keys(t.Context(), query{alg: "EdDSA", kid: "k"}); err != nil {
		t.Error(err)
	}
	c.advance(coolDown)
	if _, err := r.keys(t.Context(), query{alg: "EdDSA", kid: "unknown"}); err != nil || p["idp"].fetched() != 2 {
		t.Errorf("%v after %d fetches", err, p["idp"].fetched())
	}
}

func TestClockSetBackMakesNoSetYounger(t *testing.T) {
	c := new(clock)
	v, p := remoteVerifier(t, c.now, "idp")
	k := newEd25519("k")
	p["idp"].change(publish(k))
	c.advance(365 * 24 * time.Hour)
	v.Prefetch(t.Context())
	c.advance(-364 * 24 * time.Hour)
	p["idp"].change(down)
	_, err := v.remotes[0].keys(t.Context(), query{alg: "EdDSA", kid: "k"})
	wantReason(t, err, reason.JWKSUnavailable)
}

func TestPanicInAFetchIsAFailedFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := remoteVerifier(t, time.Now, "idp")
		v.remotes[0].fetch = func(context.Context) (fetched, error) { panic("key material") }
		_, err := v.Verify(t.Context(), tokenOf("idp", newEd25519("k")), "")
		wantReason(t, err, reason.JWKSUnavailable)
		if strings.Contains(err.Error(), "material") || len(p["idp"].reported()) != 1 {
			t.Errorf("%v, %+v", err, p["idp"].reported())
		}
	})
}

// A fetch that was frozen and given up ends at last, and fails: a newer one
// has said more since.
func TestFetchThatWasGivenUpSaysNothingByFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, ps := remoteVerifier(t, time.Now, "idp")
		p, k := ps["idp"], newEd25519("k")
		frozen := make(chan struct{})
		var begun atomic.Int64
		v.remotes[0].fetch = func(ctx context.Context) (fetched, error) {
			if begun.Add(1) > 1 {
				return p.fetch(ctx)
			}
			<-frozen // as Lambda's freeze stops timers too
			return fetched{}, errors.New("no answer")
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := v.Verify(short, tokenOf("idp", k), ""); reason.Of(err) != reason.DeadlineExceeded {
			t.Fatalf("while frozen: %v", err)
		}
		time.Sleep(stuckAfter + coolDown)
		p.change(publish(k))
		wantCheck(t, v, tokenOf("idp", k), "")
		wantCheck(t, v, tokenOf("idp", newEd25519("next")), reason.KeyUnknown)
		close(frozen)
		synctest.Wait()
		wantCheck(t, v, tokenOf("idp", newEd25519("next")), reason.KeyUnknown)
		if n := p.fetched(); n != 1 {
			t.Errorf("%d fetches: the cool-down of the newer one was forgotten", n)
		}
	})
}

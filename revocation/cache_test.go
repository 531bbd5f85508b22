package revocation_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

func TestColdTokenCostsOneCallAndARepeatedOneNone(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	check := func(c revocation.Credential) func() {
		return func() {
			_, err := b.Check(t.Context(), c)
			want(t, "Check", err, nil)
		}
	}
	for _, step := range []struct {
		what  string
		after time.Duration
		cred  revocation.Credential
		want  int64
	}{
		{"cold", 0, token("t1"), 1},
		{"again", 0, token("t1"), 0},
		{"just inside cache_ttl", 5*time.Second - 1, token("t1"), 0},
		{"at cache_ttl", 1, token("t1"), 1},
		{"another token of the same caller", 0, token("t2"), 1},
		{"both again", 0, token("t1"), 0},
	} {
		b.clock.Add(step.after)
		if n := b.requests(check(step.cred)); n != step.want {
			t.Errorf("%s: %d requests, want %d", step.what, n, step.want)
		}
	}
}

func TestResultCountsWhatACheckCost(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	for _, step := range []struct {
		cred revocation.Credential
		want revocation.Result
	}{
		{token("t1"), revocation.Result{Asked: 6, Reads: 1}},
		{token("t1"), revocation.Result{Asked: 6, Cached: 6}},
		{token("t2"), revocation.Result{Asked: 6, Cached: 5, Reads: 1}},
	} {
		if got, err := b.Check(t.Context(), step.cred); err != nil || got != step.want {
			t.Errorf("Check = %+v, %v, want %+v", got, err, step.want)
		}
	}
}

func TestRevocationAndRestoreAreInForceWithinCacheTTL(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	alice := revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice"}
	_, err := b.Check(t.Context(), token("t1"))
	want(t, "before", err, nil)

	b.put(t, alice)
	b.clock.Add(5 * time.Second)
	_, err = b.Check(t.Context(), token("t1"))
	want(t, "cache_ttl after the revocation", err, reason.Revoked)

	if _, _, err := b.store.Delete(t.Context(), alice.Key()); err != nil {
		t.Fatal(err)
	}
	b.clock.Add(5 * time.Second)
	_, err = b.Check(t.Context(), token("t1"))
	want(t, "cache_ttl after the restore", err, nil)
}

func TestKnownRevocationCostsNoCall(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.put(t, revocation.Entry{Kind: revocation.KindIssuer, Issuer: issuer})
	_, err := b.Check(t.Context(), token("t1"))
	want(t, "first", err, reason.Revoked)
	n := b.requests(func() {
		for i := range 10 {
			_, err := b.Check(t.Context(), token("new-"+strconv.Itoa(i)))
			want(t, "new token of a revoked issuer", err, reason.Revoked)
		}
	})
	if n != 0 {
		t.Errorf("%d requests, want none: the issuer's entry is known", n)
	}
}

func TestCachedEntryThatExpiresStopsRevoking(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.put(t, revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", ExpiresAt: today.Add(2 * time.Second)})
	_, err := b.Check(t.Context(), token("t1"))
	want(t, "before it expires", err, reason.Revoked)
	b.clock.Add(2*time.Second + 1)
	n := b.requests(func() {
		_, err = b.Check(t.Context(), token("t1"))
		want(t, "after it has expired", err, nil)
	})
	if n > 1 {
		t.Errorf("%d requests", n)
	}
}

func TestNothingIsCachedWithoutTTL(t *testing.T) {
	t.Parallel()
	cfg := config()
	cfg.CacheTTL = 0
	b := setUp(t, cfg)
	for range 3 {
		n := b.requests(func() {
			_, err := b.Check(t.Context(), token("t1"), token("t1")) // one call has each key once
			want(t, "Check", err, nil)
		})
		if n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	}
}

func TestClockThatIsSetBackMakesTheCacheStale(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	check := func() {
		_, err := b.Check(t.Context(), token("t1"))
		want(t, "Check", err, nil)
	}
	check()
	b.clock.Add(-time.Hour)
	if n := b.requests(check); n != 1 {
		t.Errorf("%d requests after the clock went back, want 1", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	cfg := config()
	cfg.CacheSize = 10
	b := setUp(t, cfg)
	for i := range 20 {
		if _, err := b.Check(t.Context(), token(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.CacheLen(); n != 10 {
		t.Errorf("%d entries are cached, want 10", n)
	}
}

// gate holds requests back until it is opened.
type gate struct {
	base    http.RoundTripper
	arrived chan struct{}
	open    chan struct{}
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.arrived <- struct{}{}
	select {
	case <-g.open:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return g.base.RoundTrip(r)
}

// gated is a stand whose checker's requests wait at a gate.
func gated(t *testing.T, cfg revocation.Config) (*stand, *gate) {
	b := setUp(t, cfg)
	g := &gate{base: http.DefaultTransport, arrived: make(chan struct{}, 100), open: make(chan struct{})}
	b.wire.base = g
	return b, g
}

func TestConcurrentChecksOfOneTokenShareOneCall(t *testing.T) {
	t.Parallel()
	b, g := gated(t, config())
	b.put(t, revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice"})
	first := make(chan error, 1)
	go func() { _, err := b.Check(t.Context(), token("t1")); first <- err }()
	<-g.arrived

	const others = 15
	results := make(chan revocation.Result, others)
	var all sync.WaitGroup
	for range others {
		all.Go(func() {
			res, err := b.Check(t.Context(), token("t1"))
			want(t, "one of many", err, reason.Revoked)
			results <- res
		})
	}
	close(g.open)
	all.Wait()
	close(results)
	want(t, "the first", <-first, reason.Revoked)
	for res := range results {
		if res.Reads != 0 || res.Joined+res.Cached != 6 {
			t.Errorf("%+v, want all six of somebody else's read or of the cache", res)
		}
	}
	if n := b.wire.requests.Load(); n != 1 {
		t.Errorf("%d requests for %d checks, want 1", n, others+1)
	}
}

func TestChecksOfTwoTokensReadWhatTheyShareOnce(t *testing.T) {
	t.Parallel()
	b, g := gated(t, config())
	results := make(chan revocation.Result, 2)
	check := func(id string) {
		res, err := b.Check(t.Context(), token(id))
		want(t, id, err, nil)
		results <- res
	}
	go check("t1")
	<-g.arrived
	go check("t2")
	<-g.arrived
	close(g.open)
	joined := (<-results).Joined + (<-results).Joined
	if n := b.wire.requests.Load(); n != 2 || joined != 5 {
		t.Errorf("%d requests and %d entries joined, want 2 and 5", n, joined)
	}
}

func TestReadThatWasFrozenPastItsDeadlineIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	b, g := gated(t, config())
	errs := make(chan error, 2)
	check := func() { _, err := b.Check(t.Context(), token("t1")); errs <- err }
	go check()
	<-g.arrived
	b.clock.Add(config().Timeout) // the process was frozen, and the read with it
	go check()
	until(t, "the second check reads for itself", func() bool { return b.wire.requests.Load() == 2 })
	close(g.open)
	want(t, "one", <-errs, nil)
	want(t, "the other", <-errs, nil)
}

func TestCallerWhoGivesUpFailsNobodyElse(t *testing.T) {
	t.Parallel()
	b, g := gated(t, config())
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() { _, err := b.Check(ctx, token("t1")); gaveUp <- err }()
	<-g.arrived
	other := make(chan error, 1)
	go func() { _, err := b.Check(t.Context(), token("t1")); other <- err }()

	cancel()
	err := <-gaveUp
	if reason.Of(err) != reason.DeadlineExceeded || !errors.Is(err, context.Canceled) {
		t.Errorf("the one who gave up: %v", err)
	}
	close(g.open)
	want(t, "the other", <-other, nil)
	if n := b.wire.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestCallerWithoutTimeIsRefusedEvenIfOnErrorAllows(t *testing.T) {
	t.Parallel()
	cfg := config()
	cfg.OnError = "allow"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := checkerOf(t, nobody{t}, "t", cfg, at(today)).Check(ctx, token("t1"))
	want(t, "before the read", err, reason.DeadlineExceeded)

	b, _ := gated(t, cfg)
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = b.Check(ctx, token("t1"))
	want(t, "during the read", err, reason.DeadlineExceeded)
}

func TestManyCallersWhileEntriesComeAndGo(t *testing.T) {
	t.Parallel()
	cfg := config()
	cfg.CacheSize = 20 // evictions too
	b := setUp(t, cfg)
	b.put(t, revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, Value: "revoked"})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 60 {
				_, err := b.Check(t.Context(), token("revoked"))
				want(t, "revoked", err, reason.Revoked)
				_, err = b.Check(t.Context(), token(strconv.Itoa(i%15)))
				want(t, "good", err, nil)
				if g == 0 {
					b.clock.Add(time.Second)
				}
			}
		})
	}
	all.Wait()
}

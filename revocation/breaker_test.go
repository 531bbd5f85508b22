package revocation_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// lamp is a table that is on or off, slow or not. It holds nothing.
type lamp struct {
	off   atomic.Bool
	delay time.Duration
	calls atomic.Int64
}

func (l *lamp) BatchGetItem(ctx context.Context, _ *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	l.calls.Add(1)
	select {
	case <-time.After(l.delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.off.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	return nothing(), nil
}

// newChecker makes a Checker on the clock of the synctest bubble.
func newChecker(t *testing.T, r revocation.Reader, cfg revocation.Config) *revocation.Checker {
	c, err := revocation.New(r, "t", cfg, revocation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBreakerOpensForFiveSecondsAndProbesWithOneRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := &lamp{delay: 100 * time.Millisecond}
		table.off.Store(true)
		cfg := config()
		cfg.CacheTTL = 0
		c := newChecker(t, table, cfg)
		for range 3 {
			res, err := c.Check(t.Context(), token("t1"))
			want(t, "while the breaker is closed", err, reason.RevocationUnavailable)
			if res.BreakerOpen || res.Reads != 1 {
				t.Errorf("%+v, want one read and the breaker closed", res)
			}
		}

		start := time.Now()
		res, err := c.Check(t.Context(), token("t1"))
		want(t, "while the breaker is open", err, reason.RevocationUnavailable)
		if !res.BreakerOpen || res.Reads != 0 || time.Since(start) != 0 {
			t.Errorf("%+v after %v, want no read and no wait", res, time.Since(start))
		}
		if !strings.Contains(err.Error(), "not asked for up to 5s: unexpected EOF") {
			t.Errorf("%v does not tell why", err)
		}

		time.Sleep(5*time.Second + 1)
		before := table.calls.Load()
		together(16, func() {
			_, err := c.Check(t.Context(), token("t1"))
			want(t, "beside a probe that fails", err, reason.RevocationUnavailable)
		})
		if n := table.calls.Load() - before; n != 1 {
			t.Errorf("%d reads by 16 callers, want one probe", n)
		}

		table.off.Store(false)
		time.Sleep(5*time.Second + 1)
		_, err = c.Check(t.Context(), token("t1"))
		want(t, "the probe", err, nil)
		_, err = c.Check(t.Context(), token("t1"))
		want(t, "after the probe", err, nil)
	})
}

// together runs f n times at once.
func together(n int, f func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(f)
	}
	all.Wait()
}

func TestSlowTableCostsAtMostTheTimeoutAndOpensTheBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.Timeout, cfg.OnError = 500*time.Millisecond, "allow"
		c := newChecker(t, &lamp{delay: time.Hour}, cfg)
		start := time.Now()
		for range 100 {
			began := time.Now()
			res, err := c.Check(t.Context(), token("t1"))
			want(t, "Check", err, nil)
			want(t, "what it passed despite", res.PassedDespite, reason.RevocationUnavailable)
			if took := time.Since(began); took > cfg.Timeout {
				t.Errorf("took %v", took)
			}
		}
		if took := time.Since(start); took > 3*cfg.Timeout {
			t.Errorf("100 checks took %v, want the three that open the breaker", took)
		}
	})
}

func TestSlowAnswerWithinTheTimeoutIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.Timeout = 500 * time.Millisecond
		_, err := newChecker(t, &lamp{delay: 450 * time.Millisecond}, cfg).Check(t.Context(), token("t1"))
		want(t, "Check", err, nil)
	})
}

func TestCallerWithLessTimeThanTheTimeoutIsNotHeldLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := newChecker(t, &lamp{delay: time.Hour}, config()).Check(ctx, token("t1"))
		want(t, "Check", err, reason.DeadlineExceeded)
		if took := time.Since(start); took != 30*time.Millisecond {
			t.Errorf("took %v", took)
		}
		time.Sleep(time.Minute) // the read ends by itself
	})
}

func TestReadThatIsOldWhenACheckBeginsIsNotJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := &lamp{delay: 400 * time.Millisecond}
		cfg := config()
		cfg.CacheTTL = 300 * time.Millisecond
		c := newChecker(t, table, cfg)
		var all sync.WaitGroup
		for _, wait := range []time.Duration{0, 299 * time.Millisecond, 300 * time.Millisecond, 450 * time.Millisecond} {
			all.Go(func() {
				time.Sleep(wait)
				_, err := c.Check(t.Context(), token("t1"))
				want(t, wait.String(), err, nil)
			})
		}
		all.Wait()
		if n := table.calls.Load(); n != 2 {
			t.Errorf("%d reads, want 2: the second caller joins the first, the third must not, the fourth joins the third", n)
		}
	})
}

// script is a table that answers call after call as it is told.
type script struct {
	calls   atomic.Int64
	answers []func() (*dynamodb.BatchGetItemOutput, error)
}

func (s *script) BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return s.answers[s.calls.Add(1)-1]()
}

func TestSlowReadDoesNotUndoWhatALaterOneFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		revoked := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "api_key#k"}}
		cfg := allowing()
		cfg.CacheTTL = 100 * time.Millisecond
		c := newChecker(t, &script{answers: []func() (*dynamodb.BatchGetItemOutput, error){
			func() (*dynamodb.BatchGetItemOutput, error) {
				time.Sleep(time.Second)
				return nothing(), nil
			},
			func() (*dynamodb.BatchGetItemOutput, error) {
				return &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{"t": {revoked}}}, nil
			},
			func() (*dynamodb.BatchGetItemOutput, error) { return nil, io.ErrUnexpectedEOF },
		}}, cfg)
		key := revocation.Credential{Kind: revocation.KindAPIKey, ID: "k"}
		var all sync.WaitGroup
		all.Go(func() {
			_, err := c.Check(t.Context(), key)
			want(t, "before the revocation", err, nil)
		})
		time.Sleep(500 * time.Millisecond)
		_, err := c.Check(t.Context(), key)
		want(t, "after the revocation", err, reason.Revoked)
		all.Wait()
		time.Sleep(time.Second)
		_, err = c.Check(t.Context(), key)
		want(t, "in an outage", err, reason.Revoked)
	})
}

func TestMissingPermissionDoesNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	w := &wire{base: refuses(400, "AccessDeniedException", "no")}
	c := checkerOf(t, client("http://dynamodb.invalid", w), "t", allowing(), at(today))
	for range 10 {
		res, err := c.Check(t.Context(), token("t1"))
		want(t, "Check", err, reason.RevocationUnavailable)
		if res.BreakerOpen {
			t.Fatal("the breaker is open")
		}
	}
	if n := w.requests.Load(); n != 10 {
		t.Errorf("%d requests, want 10: nothing is retried and nothing held back", n)
	}
}

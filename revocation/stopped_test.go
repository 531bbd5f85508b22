package revocation_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// movable dials a server that may have moved.
type movable struct{ address atomic.Value }

func (m *movable) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, m.address.Load().(string))
}

func TestServerThatStopsUnderLoadAndComesBack(t *testing.T) {
	t.Parallel()
	for _, onError := range []string{"deny", "allow"} {
		t.Run(onError, func(t *testing.T) {
			t.Parallel()
			stopUnderLoad(t, onError)
		})
	}
}

// load counts what callers met.
type load struct {
	checker                                   *revocation.Checker
	passed, faults, open, slow, good, revoked atomic.Int64
}

// call checks one token, again and again, until ctx ends. Only the token
// "revoked" is revoked.
func (l *load) call(ctx context.Context, t *testing.T, id string) {
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		start := time.Now()
		res, err := l.checker.Check(context.Background(), token(id))
		took := time.Since(start)
		if took > 2*time.Second {
			t.Errorf("a check took %v with a time-out of 1s", took)
		}
		if res.BreakerOpen {
			l.open.Add(1)
			if took > 50*time.Millisecond {
				l.slow.Add(1)
			}
		}
		switch {
		case errors.Is(err, reason.Revoked):
			l.revoked.Add(1)
		case err == nil && id == "revoked":
			t.Errorf("a revoked token passed, despite %v", res.PassedDespite)
		case err != nil:
			l.faults.Add(1)
			want(t, "while the server is away", err, reason.RevocationUnavailable)
		case res.PassedDespite != nil:
			l.passed.Add(1)
		default:
			l.good.Add(1)
		}
	}
}

func stopUnderLoad(t *testing.T, onError string) {
	where := new(movable)
	wire := &http.Transport{DialContext: where.dial, MaxIdleConnsPerHost: 16}
	defer wire.CloseIdleConnections()
	name := server.TableName()
	first := startAt(t, where, name)

	cfg := config()
	cfg.OnError, cfg.Timeout, cfg.CacheTTL = onError, time.Second, 0
	l := &load{checker: checkerOf(t, client("http://dynamodb.local", wire), name, cfg, at(today))}
	l.checker.OpenFor(200 * time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var all sync.WaitGroup
	for caller := range 16 {
		all.Go(func() { l.call(ctx, t, []string{"revoked", "good", "good", "good"}[caller%4]) })
	}
	until(t, "checks succeed", func() bool { return l.good.Load() > 50 && l.revoked.Load() > 10 })
	first.Close()
	outage, never := &l.faults, &l.passed
	if onError == "allow" {
		outage, never = never, outage
	}
	until(t, "the outage shows", func() bool { return outage.Load() > 200 })
	startAt(t, where, name)
	before := l.good.Load()
	until(t, "it recovers by itself", func() bool { return l.good.Load() > before+50 })
	stop()
	all.Wait()

	if n := never.Load(); n > 0 {
		t.Errorf("on_error: %s had the other's effect %d times", onError, n)
	}
	// The bound itself is held exactly, on fake time, by the breaker's tests; here
	// it is told, since a busy machine breaks any.
	t.Logf("%d of %d checks took over 50 ms although the breaker was open", l.slow.Load(), l.open.Load())
}

// startAt starts a server with a table that revokes the token "revoked", and
// tells where it is.
func startAt(t *testing.T, where *movable, name string) *dynamo.Server {
	t.Helper()
	s, err := dynamo.Start(t.Context(), dynamo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, err := s.Client().CreateTable(t.Context(), revocation.TableInput(name)); err != nil {
		t.Fatal(err)
	}
	revoke(t, s, name)
	where.address.Store(strings.TrimPrefix(s.Endpoint(), "http://"))
	return s
}

// revoke writes the entry of the token "revoked".
func revoke(t *testing.T, s *dynamo.Server, table string) {
	t.Helper()
	e := revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, Value: "revoked"}
	if _, _, err := storeOf(t, s.Client(), table, at(today)).Put(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("20 s on, still not: %s", what)
		}
	}
}

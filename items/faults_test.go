package items_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lambda-authorizer/items"
)

var everyRequest = []struct{ method, target, body string }{
	{"POST", "/items", lamp},
	{"GET", "/items", ""},
	{"GET", "/items/01ARZ3NDEKTSV4RRFFQ69G5FAV", ""},
	{"PUT", "/items/01ARZ3NDEKTSV4RRFFQ69G5FAV", lamp},
	{"PATCH", "/items/01ARZ3NDEKTSV4RRFFQ69G5FAV", lamp},
	{"DELETE", "/items/01ARZ3NDEKTSV4RRFFQ69G5FAV", ""},
}

func TestTableThatStaysBusyIs503WithRetryAfter(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"throttled": throttle, "broken": break500, "silent": hang} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := faultyStore(t, func(string, string) fault { return f })
			alice := newService(t, func(c *items.Config) { c.Store, c.Timeout = store, 60*time.Millisecond }).as("main|alice")
			for _, r := range everyRequest {
				for _, headers := range [][]string{nil, {"Idempotency-Key", "k"}} {
					a := alice.do(t, r.method, r.target, r.body, headers...)
					if a.status != http.StatusServiceUnavailable || a.code(t) != "busy" || a.header.Get("Retry-After") != "1" {
						t.Errorf("%s %s: %d %s, Retry-After %q", r.method, r.target, a.status, a.body, a.header.Get("Retry-After"))
					}
				}
			}
		})
	}
}

func TestTableThatIsBusyForAMomentIsNotNoticed(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	store := faultyStore(t, func(string, string) fault {
		if calls.Add(1)%2 == 1 {
			return throttle
		}
		return none
	})
	alice := newService(t, func(c *items.Config) { c.Store = store }).as("main|alice")
	id := alice.do(t, "POST", "/items", lamp).decode(t).ID
	if a := alice.do(t, "GET", "/items/"+id, ""); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestAnswerComesBeforeLambdaEndsTheInvocation(t *testing.T) {
	t.Parallel()
	store := faultyStore(t, func(string, string) fault { return hang })
	s := newService(t, func(c *items.Config) { c.Store = store })
	const left = 450 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), left)
	defer cancel()
	a, err := s.as("main|alice").tryWithin(ctx, "GET", "/items", "", nil)
	if err != nil || a.status != http.StatusServiceUnavailable || ctx.Err() != nil {
		t.Errorf("%d %s, %v; the invocation: %v", a.status, a.body, err, ctx.Err())
	}
}

func TestFaultThatNoRetryMendsIs500AndLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := items.NewStore(client(server.Endpoint()), "no-such-table")
	alice := newService(t, func(c *items.Config) {
		c.Store, c.Log = store, slog.New(slog.NewJSONHandler(&log, nil))
	}).as("main|alice")
	a := alice.do(t, "POST", "/items", `{"name":"private thing"}`)
	if a.status != http.StatusInternalServerError || a.code(t) != "internal" || strings.Contains(a.body, "no-such-table") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if got := log.String(); !strings.Contains(got, "ResourceNotFoundException") || !strings.Contains(got, "req-1") || strings.Contains(got, "private thing") {
		t.Errorf("logged %s", got)
	}
}

func TestPagingWaitsForItsKeysAndTheRestDoesNot(t *testing.T) {
	t.Parallel()
	alice := newService(t, func(c *items.Config) { c.Cursors = noKeys{} }).as("main|alice")
	alice.fill(t, 2)
	if a := alice.do(t, "GET", "/items", ""); a.status != http.StatusOK {
		t.Errorf("a list of one page: %d %s", a.status, a.body)
	}
	for _, target := range []string{"/items?limit=1", "/items?cursor=" + strings.Repeat("A", 44)} {
		if a := alice.do(t, "GET", target, ""); a.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
	}
}

type noKeys struct{}

func (noKeys) CursorKeys(context.Context) ([][]byte, error) { return nil, items.ErrBusy }

func TestRowThatIsNoItemIsAFault(t *testing.T) {
	t.Parallel()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Write([]byte(`{"Item":{"sk":{"S":"ITEM#nonsense"}},"Items":[{"sk":{"S":"ITEM#nonsense"}}],"Count":1}`))
	}))
	defer broken.Close()
	alice := newService(t, func(c *items.Config) { c.Store = items.NewStore(client(broken.URL), "table") }).as("main|alice")
	for _, target := range []string{"/items", "/items/01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		if a := alice.do(t, "GET", target, ""); a.status != http.StatusInternalServerError {
			t.Errorf("%s: %d %s", target, a.status, a.body)
		}
	}
}

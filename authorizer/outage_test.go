package authorizer_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/revocation"
)

// moving leads to a DynamoDB server that may stop and come back elsewhere. It
// answers nothing by itself: while there is no server, connections break.
type moving struct {
	address atomic.Value
	server  *dynamo.Server
}

func (m *moving) start(t *testing.T, table string) {
	t.Helper()
	var err error
	if m.server, err = dynamo.Start(context.Background(), dynamo.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.server.Close)
	if _, err := m.server.Client().CreateTable(t.Context(), revocation.TableInput(table)); err != nil {
		t.Fatal(err)
	}
	m.address.Store(strings.TrimPrefix(m.server.Endpoint(), "http://"))
}

// front is a way to wherever the server is.
func (m *moving) front() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "dynamodb.local"}) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 32, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, m.address.Load().(string))
		}},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

// met counts what callers met.
type met struct {
	good, faults, open, slow, passed atomic.Int64
}

// call asks again and again with a token of its own, until ctx ends.
func (m *met) call(ctx context.Context, t *testing.T, s *service, caller int) {
	token := bearer(mint(t, claims{"jti": fmt.Sprint("caller-", caller)}))
	for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		begun := time.Now()
		got := s.send(t, gateway.HTTP2IAM, request(t, "GET /items", token))
		took := time.Since(begun)
		if took > 4*time.Second {
			t.Errorf("a decision took %v with a time-out of 1 s", took)
		}
		if got.line["BreakerOpen"] == 1.0 {
			m.open.Add(1)
			// The check's own time: the rest waits for a processor.
			if steps, _ := got.line["steps_us"].(map[string]any); steps["revocation"].(float64) > 50e3 {
				m.slow.Add(1)
			}
		}
		passed, _ := got.line["revocation_passed"].(string)
		switch {
		case got.status == http.StatusOK && passed != "":
			m.passed.Add(1)
			if got.line["DependencyFault"] != 1.0 || !strings.Contains(passed, "revocation_unavailable: table ") {
				t.Errorf("a pass is not counted: %v", got.line)
			}
		case got.status == http.StatusOK:
			m.good.Add(1)
		default:
			m.faults.Add(1)
			detail, _ := got.line["detail"].(string)
			if got.status != http.StatusInternalServerError || !strings.HasPrefix(detail, "revocation_unavailable: table ") || got.line["DependencyFault"] != 1.0 {
				t.Errorf("%d, %v", got.status, got.line)
			}
		}
	}
}

func TestDynamoDBThatStopsUnderLoadAndComesBack(t *testing.T) {
	t.Parallel()
	for _, onError := range []string{"deny", "allow"} {
		t.Run(onError, func(t *testing.T) {
			t.Parallel()
			stopUnderLoad(t, onError)
		})
	}
}

func stopUnderLoad(t *testing.T, onError string) {
	p, place := newPlace(t), new(moving)
	place.start(t, p.revocations)
	p.dynamo = place.front()
	s := p.connect(t, `
gateway: {cache_ttl: 0s, identity_sources: []}
tables: {revocations: "${REVOCATIONS}"}
issuers: [{name: main, issuer: "https://idp.example.com/", audiences: ["https://api.example.com"], jwks_file: jwks.json}]
revocation: {cache_ttl: 0s, timeout: 1s, on_error: `+onError+`}
routes: [{route: GET /items, require: [{jwt: {}}]}]
`)
	s.stage(t, gateway.HTTP2IAM)
	ctx, stop := context.WithCancel(t.Context())
	m := new(met)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	for caller := range 16 {
		all.Go(func() { m.call(ctx, t, s, caller) })
	}
	until(t, "callers get in", func() bool { return m.good.Load() > 48 })
	place.server.Close()
	outage, never := &m.faults, &m.passed
	if onError == "allow" {
		outage, never = never, outage
	}
	until(t, "the outage shows, and the breaker opens", func() bool { return outage.Load() > 200 && m.open.Load() > 100 })
	place.start(t, p.revocations)
	before := m.good.Load()
	until(t, "it recovers by itself", func() bool { return m.good.Load() > before+48 })
	stop()
	all.Wait()
	if n := never.Load(); n > 0 {
		t.Errorf("on_error: %s had the other's effect %d times", onError, n)
	}
	if told := strings.Contains(s.log.String(), "let through by revocation.on_error"); told != (onError == "allow") {
		t.Errorf("on_error: %s, and the log tells of passes: %t", onError, told)
	}
	// How long a check takes while the breaker is open is held exactly, on fake
	// time, in package revocation; here it is told, since a busy machine breaks
	// any bound.
	t.Logf("%d good, %d faults, %d passed, %d with the breaker open, %d of these over 50 ms",
		m.good.Load(), m.faults.Load(), m.passed.Load(), m.open.Load(), m.slow.Load())
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	const within = time.Minute
	for deadline := time.Now().Add(within); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v on, still not: %s", within, what)
		}
	}
}

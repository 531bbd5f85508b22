package backend_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/backend"
)

var quiet = slog.New(slog.DiscardHandler)

// steps is a clock that moves 1.5 ms each time it is read.
func steps() func() time.Time {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(1500 * time.Microsecond)
		return now
	}
}

func TestLineSaysWhoDidWhatAndNothingElse(t *testing.T) {
	t.Parallel()
	for name := range shapes {
		var out bytes.Buffer
		line := &backend.Line{Out: &out, Log: quiet, Namespace: "Test", Now: steps()}
		h := backend.NewLambda(line.Wrap(backend.Protect(http.HandlerFunc(ok), backend.Options{}), nil))
		const authorizer = `{"principal":"main|u1","auth_method":"jwt","issuer":"main","token_id":"secret-jti","key_id":"k1","scope":"s","email":"private@example.com"}`
		if _, err := h.Invoke(t.Context(), event(name, authorizer, "private body")); err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
			t.Fatalf("%s: %q: %v", name, out.String(), err)
		}
		payload := "1.0"
		if name == "HTTP 2.0" {
			payload = "2.0"
		}
		want := map[string]any{
			"_aws": map[string]any{"Timestamp": float64(1772366400003), "CloudWatchMetrics": []any{map[string]any{
				"Namespace":  "Test",
				"Dimensions": []any{[]any{"outcome"}, []any{"outcome", "reason"}},
				"Metrics":    []any{map[string]any{"Name": "Requests", "Unit": "Count"}, map[string]any{"Name": "Latency", "Unit": "Milliseconds"}},
			}}},
			"time": "2026-03-01T12:00:00.003Z", "request_id": "r1", "api_id": "a1", "stage": "prod", "payload": payload,
			"method": "POST", "route": "POST /items", "status": float64(200), "outcome": "ok", "reason": "ok",
			"principal": "main|u1", "auth_method": []any{"jwt"}, "issuer": "main", "key_id": "k1",
			"token_id_sha256": "0419bdc9a1d1f2f1", "source_ip": "192.0.2.1",
			"cold_start": true, "Requests": float64(1), "Latency": 1.5,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestLineNamesTheRefusal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ authorizer, outcome, reason string }{
		{`{"principal":"p","scope":"a"}`, "ok", "ok"},
		{`{"principal":"p","scope":""}`, "refused", "scope_insufficient"},
		{`{"principal":"p","scope":"a","content_digest":"x"}`, "refused", "digest_mismatch"},
		{`null`, "fault", "context_missing"},
	} {
		var out bytes.Buffer
		line := &backend.Line{Out: &out, Log: quiet, HashPrincipal: true}
		h := line.Wrap(backend.Protect(backend.RequireScope("a", http.HandlerFunc(ok)), backend.Options{Log: quiet}),
			func(*http.Request) string { return "GET /mine" })
		for range 2 {
			if _, err := backend.NewLambda(h).Invoke(t.Context(), event("REST", c.authorizer, "body")); err != nil {
				t.Fatal(err)
			}
		}
		lines := strings.SplitAfter(out.String(), "\n")
		for _, want := range []string{`"outcome":"` + c.outcome + `"`, `"reason":"` + c.reason + `"`, `"route":"GET /mine"`} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("%s: no %s in %s", c.authorizer, want, lines[0])
			}
		}
		if !strings.Contains(lines[0], `"cold_start":true`) || !strings.Contains(lines[1], `"cold_start":false`) {
			t.Errorf("cold_start: %s", out.String())
		}
		if strings.Contains(out.String(), `"principal":"p"`) {
			t.Errorf("the principal in plain: %s", out.String())
		}
	}
}

func TestPanicIsA500WhoseValueStaysUntold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		panics func()
		logged string
	}{
		"a text":        {func() { panic("token eyJ-secret") }, `"cause":"string"`},
		"an error":      {func() { panic(errors.New("eyJ-secret")) }, `"cause":"*errors.errorString"`},
		"the runtime's": {func() { _ = []string{"eyJ-secret"}[len(shapes)] }, "index out of range"},
	} {
		var out, log bytes.Buffer
		line := &backend.Line{Out: &out, Log: slog.New(slog.NewJSONHandler(&log, nil))}
		h := line.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { c.panics() }), nil)
		raw, err := backend.NewLambda(h).Invoke(t.Context(), event("HTTP 2.0", `null`, ""))
		if err != nil || !strings.Contains(string(raw), `"statusCode":500`) || !strings.Contains(string(raw), "problem:internal") {
			t.Errorf("%s: %s, %v", name, raw, err)
		}
		all := string(raw) + out.String() + log.String()
		if strings.Contains(all, "eyJ-secret") || !strings.Contains(log.String(), c.logged) || !strings.Contains(log.String(), "line_test.go") {
			t.Errorf("%s: %s", name, all)
		}
		if !strings.Contains(out.String(), `"outcome":"fault","reason":"internal"`) {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}

func TestPanicAfterTheAnswerBeganAddsNothingToIt(t *testing.T) {
	t.Parallel()
	for name := range shapes {
		var out, log bytes.Buffer
		line := &backend.Line{Out: &out, Log: slog.New(slog.NewJSONHandler(&log, nil))}
		h := line.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			ok(w, r)
			panic("too late")
		}), nil)
		raw, err := backend.NewLambda(h).Invoke(t.Context(), event(name, `null`, ""))
		if err != nil || !strings.Contains(string(raw), `"statusCode":202`) || !strings.Contains(string(raw), `"body":"done"`) {
			t.Errorf("%s: %s, %v", name, raw, err)
		}
		if !strings.Contains(out.String(), `"status":202`) || !strings.Contains(log.String(), "the handler panicked") {
			t.Errorf("%s: %s%s", name, out.String(), log.String())
		}
	}
}

func TestLinesOfManyRequestsAtOnceStayWhole(t *testing.T) {
	t.Parallel()
	pr, pw := io.Pipe()
	line := &backend.Line{Out: pw, Log: quiet}
	h := backend.NewLambda(line.Wrap(backend.Protect(http.HandlerFunc(ok), backend.Options{}), nil))
	const n = 100
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			payload := event("REST", fmt.Sprintf(`{"principal":"p%d"}`, i), "")
			if _, err := h.Invoke(t.Context(), payload); err != nil {
				t.Error(err)
			}
		})
	}
	go func() { wg.Wait(); pw.Close() }()
	seen := map[string]bool{}
	for d := json.NewDecoder(pr); ; {
		var v struct{ Principal string }
		if err := d.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen[v.Principal] = true
	}
	if len(seen) != n {
		t.Errorf("%d lines of %d", len(seen), n)
	}
}

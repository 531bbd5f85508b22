package backend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Line writes one JSON line per request, without body, query or header field:
// at once the audit record and CloudWatch Embedded Metric Format. Its
// exported fields are set before first use.
type Line struct {
	// Out takes the lines, one Write each.
	Out io.Writer
	// Log takes panics of the handler. Default slog.Default().
	Log *slog.Logger
	// Namespace of the metrics Requests and Latency.
	Namespace string
	// HashPrincipal writes a SHA-256 prefix in the principal's place.
	HashPrincipal bool
	// Now is the clock. Default time.Now.
	Now func() time.Time

	mu   sync.Mutex
	warm bool
}

// entry is the line. Dimensions are outcome and reason alone: their values are
// few. The rest are properties, which cost nothing as metrics.
type entry struct {
	AWS       metadata `json:"_aws"`
	Time      string   `json:"time"`
	RequestID string   `json:"request_id"`
	APIID     string   `json:"api_id,omitempty"`
	Stage     string   `json:"stage,omitempty"`
	Payload   string   `json:"payload,omitempty"`
	Method    string   `json:"method"`
	Route     string   `json:"route"`
	Status    int      `json:"status"`
	Outcome   string   `json:"outcome"`
	Reason    string   `json:"reason"`
	Principal string   `json:"principal,omitempty"`
	Auth      []string `json:"auth_method,omitempty"`
	Issuer    string   `json:"issuer,omitempty"`
	KeyID     string   `json:"key_id,omitempty"`
	TokenHash string   `json:"token_id_sha256,omitempty"`
	SourceIP  string   `json:"source_ip,omitempty"`
	ColdStart bool     `json:"cold_start"`
	Requests  int      `json:"Requests"`
	Latency   float64  `json:"Latency"`
}

// metadata is the _aws member of the Embedded Metric Format specification.
type metadata struct {
	Timestamp         int64       `json:"Timestamp"`
	CloudWatchMetrics []directive `json:"CloudWatchMetrics"`
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

type metric struct{ Name, Unit string }

// Wrap serves next and writes its line. A panic in next becomes a 500 where
// nothing has been written yet. route names the route of a request that has
// been served; nil takes API Gateway's word.
func (l *Line) Wrap(next http.Handler, route func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, cold := l.now(), l.cold()
		rec := &record{}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
		answer := &answer{ResponseWriter: w}
		l.serve(next, answer, r)
		e := rec.entry(r, answer.status)
		if route != nil {
			e.Route = route(r)
		}
		l.write(e, start, cold)
	})
}

func (l *Line) serve(next http.Handler, w *answer, r *http.Request) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		// The value of a panic may hold anything, so only its type is told,
		// and the text of the runtime's own.
		cause := fmt.Sprintf("%T", value)
		if err, ok := value.(runtime.Error); ok {
			cause = err.Error()
		}
		l.log().ErrorContext(r.Context(), "the handler panicked", "cause", cause,
			"request_id", EventOf(r.Context()).RequestID, "stack", string(debug.Stack()))
		if w.status == 0 {
			Internal.Write(w, r)
		}
	}()
	next.ServeHTTP(w, r)
}

func (l *Line) write(e entry, start time.Time, cold bool) {
	now := l.now()
	e.Time = now.UTC().Format(time.RFC3339Nano)
	e.Latency = float64(now.Sub(start).Microseconds()) / 1000
	e.Requests, e.ColdStart = 1, cold
	if l.HashPrincipal && e.Principal != "" {
		e.Principal = "sha256:" + prefix(e.Principal)
	}
	e.AWS = metadata{Timestamp: now.UnixMilli(), CloudWatchMetrics: []directive{{
		Namespace:  l.Namespace,
		Dimensions: [][]string{{"outcome"}, {"outcome", "reason"}},
		Metrics:    []metric{{"Requests", "Count"}, {"Latency", "Milliseconds"}},
	}}}
	line, err := json.Marshal(e)
	if err != nil {
		l.log().Error("a request's line does not encode", "error", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Out.Write(append(line, '\n'))
}

func (l *Line) log() *slog.Logger {
	if l.Log == nil {
		return slog.Default()
	}
	return l.Log
}

func (l *Line) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}

// cold says whether this is the first request since the process started.
func (l *Line) cold() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.warm
	l.warm = true
	return !was
}

func prefix(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

// answer remembers the status.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// record gathers what the handlers inside learn about the request.
type record struct {
	mu     sync.Mutex
	reason string
	caller *Caller
}

type recordKey struct{}

func note(ctx context.Context, reason string) {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.reason = reason
	}
}

func noteCaller(ctx context.Context, c *Caller) {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.caller = c
	}
}

func (rec *record) entry(r *http.Request, status int) entry {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	event := EventOf(r.Context())
	e := entry{
		RequestID: event.RequestID, APIID: event.APIID, Stage: event.Stage, Payload: event.Payload,
		Method: r.Method, Route: event.Route, SourceIP: event.SourceIP,
		Status: status, Outcome: outcome(status), Reason: rec.reason,
	}
	if e.Reason == "" {
		e.Reason = "ok"
	}
	if c := rec.caller; c != nil {
		e.Principal, e.Auth, e.Issuer, e.KeyID = c.Principal, c.AuthMethods, c.Issuer, c.KeyID
		if c.TokenID != "" {
			e.TokenHash = prefix(c.TokenID)
		}
	}
	return e
}

func outcome(status int) string {
	switch {
	case status >= 500, status == 0:
		return "fault"
	case status >= 400:
		return "refused"
	}
	return "ok"
}

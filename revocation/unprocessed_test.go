package revocation_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// throttled is a table that leaves keys of some kinds unprocessed for the
// first requests.
type throttled struct {
	kinds    []string
	requests int // how many are affected
	seen     int
	base     http.RoundTripper
}

type batchKeys struct {
	Keys                 []map[string]map[string]string
	ConsistentRead       bool
	ProjectionExpression string
}

func (t *throttled) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.seen++; t.seen > t.requests {
		return t.base.RoundTrip(r)
	}
	var in struct{ RequestItems map[string]batchKeys }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	left := make(map[string]batchKeys)
	asked := 0
	for table, b := range in.RequestItems {
		open := b
		open.Keys = nil
		b.Keys = slices.DeleteFunc(b.Keys, func(k map[string]map[string]string) bool {
			kind, _, _ := strings.Cut(k["pk"]["S"], "#")
			if !slices.Contains(t.kinds, kind) {
				return false
			}
			open.Keys = append(open.Keys, k)
			return true
		})
		in.RequestItems[table], left[table] = b, open
		asked += len(b.Keys)
	}
	out := make(map[string]any)
	if asked > 0 {
		body, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		forward := r.Clone(r.Context())
		forward.Body, forward.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		resp, err := t.base.RoundTrip(forward)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			return nil, err
		}
	}
	out["UnprocessedKeys"] = left
	body, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return says(200, string(body))(r)
}

func throttle(b *stand, requests int, kinds ...string) {
	b.wire.base = &throttled{kinds: kinds, requests: requests, base: http.DefaultTransport}
}

func TestUnprocessedKeysAreAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entry revocation.Entry
		left  []string
		want  error
	}{
		"the revoked one":          {revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice"}, []string{"subject"}, reason.Revoked},
		"all of them":              {revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice"}, []string{"token", "session", "subject", "client", "key", "issuer"}, reason.Revoked},
		"others than the revoked":  {revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, Value: "t1"}, []string{"issuer", "key"}, reason.Revoked},
		"and none of them revokes": {revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "bob"}, []string{"subject", "client"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setUp(t, config())
			b.put(t, c.entry)
			throttle(b, 2, c.left...)
			res, err := b.Check(t.Context(), token("t1"))
			want(t, "Check", err, c.want)
			if n := b.wire.requests.Load(); n != 3 || res.Reads != 3 {
				t.Errorf("%d requests, %d told, want 3", n, res.Reads)
			}
			if n := b.requests(func() { _, err = b.Check(t.Context(), token("t1")) }); n != 0 {
				t.Errorf("%d requests for what is known now", n)
			}
			want(t, "Check again", err, c.want)
		})
	}
}

func TestKeysUnprocessedUntilTheDeadlineAreAnOutage(t *testing.T) {
	t.Parallel()
	for onError, code := range map[string]error{"deny": reason.RevocationUnavailable, "allow": nil} {
		cfg := config()
		cfg.Timeout, cfg.OnError = 100*time.Millisecond, onError
		b := setUp(t, cfg)
		throttle(b, 1000, "subject")
		res, err := b.Check(t.Context(), token("t1"))
		want(t, onError, err, code)
		if onError == "allow" {
			want(t, "what it passed despite", res.PassedDespite, reason.RevocationUnavailable)
		}
	}
}

func TestWhatPartOfAFailedReadHasToldCounts(t *testing.T) {
	t.Parallel()
	b := setUp(t, allowing())
	b.put(t, revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, Value: "t1"})
	b.wire.base = &throttled{kinds: []string{"subject"}, requests: 1, base: http.DefaultTransport}
	then := b.wire.base
	b.wire.base = transport(func(r *http.Request) (*http.Response, error) {
		if b.wire.requests.Load() > 1 {
			return nil, io.EOF
		}
		return then.RoundTrip(r)
	})
	_, err := b.Check(t.Context(), token("t1"))
	want(t, "revoked by id, subject never processed", err, reason.Revoked)
}

func TestCheckAsksForConsistentReadsAndNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	var asked struct{ RequestItems map[string]batchKeys }
	db := client("http://dynamodb.invalid", transport(func(r *http.Request) (*http.Response, error) {
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			return nil, err
		}
		return says(200, `{"Responses":{"revocations":[]}}`)(r)
	}))
	_, err := checkerOf(t, db, "revocations", config(), at(today)).Check(t.Context(), token("t1"), token("t2"))
	want(t, "Check", err, nil)
	got := asked.RequestItems["revocations"]
	if len(asked.RequestItems) != 1 || len(got.Keys) != 7 || !got.ConsistentRead || got.ProjectionExpression != "pk, not_before, expires_at" {
		t.Errorf("%+v", asked)
	}
}

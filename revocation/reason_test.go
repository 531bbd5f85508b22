package revocation_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"lambda-authorizer/revocation"
)

// What an incident revoked is found by its reason still after somebody has
// extended it for another.
func TestExtensionKeepsTheEarlierReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ first, second, want string }{
		"both":          {"incident 42", "incident 43", "incident 43; earlier: incident 42 (by alice at 2027-01-15T08:00:00Z)"},
		"the first one": {"incident 42", "", "incident 42 (by alice at 2027-01-15T08:00:00Z)"},
		"the second":    {"", "incident 43", "incident 43; earlier: (by alice at 2027-01-15T08:00:00Z)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setUp(t, config())
			e := revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", NotBefore: today, Reason: c.first, RevokedBy: "alice"}
			b.put(t, e)
			b.clock.Add(time.Hour)
			e.NotBefore, e.Reason, e.RevokedBy = time.Time{}, c.second, "bob"
			for _, want := range []revocation.Outcome{revocation.Extended, revocation.Kept} {
				got, outcome, err := b.store.Put(t.Context(), e)
				if err != nil || outcome != want || got.Reason != c.want || got.RevokedBy != "bob" {
					t.Errorf("%s: %+v, %v; want %s and %q", outcome, got, err, want, c.want)
				}
			}
			for _, reason := range []string{c.first, c.second} {
				found := 0
				for range b.store.List(t.Context(), revocation.Filter{Reason: reason}) {
					found++
				}
				if found != 1 {
					t.Errorf("%d entries for %q", found, reason)
				}
			}
		})
	}
}

func TestJoinedReasonsStayWithinTheBound(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	e := revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", Reason: strings.Repeat("ä", 512), NotBefore: today}
	b.put(t, e)
	for i := range 3 {
		e.NotBefore = today.Add(time.Duration(i+1) * time.Second)
		e.Reason = strings.Repeat("ö", 500) + strings.Repeat("x", i)
		got, outcome, err := b.store.Put(t.Context(), e)
		if err != nil || outcome != revocation.Extended || len(got.Reason) > 1024 || !utf8.ValidString(got.Reason) || !strings.HasPrefix(got.Reason, e.Reason) {
			t.Errorf("%s, %v: %d bytes, %q", outcome, err, len(got.Reason), got.Reason)
		}
	}
}

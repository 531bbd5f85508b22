package revocation_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lambda-authorizer/revocation"
)

func TestPuttingTwiceKeepsTheFirst(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.put(t, alice)
	b.clock.Add(time.Hour)
	again := alice
	again.Reason, again.RevokedBy = "again", "somebody else"
	e, outcome, err := b.store.Put(t.Context(), again)
	if err != nil || outcome != revocation.Kept {
		t.Fatalf("Put = %v, %v", outcome, err)
	}
	if e.Reason != alice.Reason || e.RevokedBy != alice.RevokedBy || !e.RevokedAt.Equal(today) {
		t.Errorf("the record changed: %+v", e)
	}
}

func TestStrongerRevocationWins(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	hour, day := today.Add(time.Hour), today.Add(24*time.Hour)
	var never time.Time
	type limits struct{ notBefore, expires time.Time }
	for name, c := range map[string]struct {
		first, second, want limits
		outcome             revocation.Outcome
	}{
		"all, then some":               {limits{never, never}, limits{today, never}, limits{never, never}, revocation.Kept},
		"all, then for an hour":        {limits{never, never}, limits{never, hour}, limits{never, never}, revocation.Kept},
		"some, then all":               {limits{today, never}, limits{never, never}, limits{never, never}, revocation.Extended},
		"some, then more":              {limits{today, never}, limits{hour, never}, limits{hour, never}, revocation.Extended},
		"some, then fewer":             {limits{hour, never}, limits{today, never}, limits{hour, never}, revocation.Kept},
		"for an hour, then for a day":  {limits{never, hour}, limits{never, day}, limits{never, day}, revocation.Extended},
		"for a day, then for an hour":  {limits{never, day}, limits{never, hour}, limits{never, day}, revocation.Kept},
		"for an hour, then for ever":   {limits{never, hour}, limits{never, never}, limits{never, never}, revocation.Extended},
		"all for an hour, some always": {limits{never, hour}, limits{today, never}, limits{never, never}, revocation.Extended},
		"some always, all for an hour": {limits{today, never}, limits{never, hour}, limits{never, never}, revocation.Extended},
	} {
		e := alice
		e.Value = name
		e.NotBefore, e.ExpiresAt = c.first.notBefore, c.first.expires
		b.put(t, e)
		e.NotBefore, e.ExpiresAt, e.Reason = c.second.notBefore, c.second.expires, "second"
		got, outcome, err := b.store.Put(t.Context(), e)
		if err != nil || outcome != c.outcome {
			t.Errorf("%s: %v, %v, want %v", name, outcome, err, c.outcome)
		}
		if !got.NotBefore.Equal(c.want.notBefore) || !got.ExpiresAt.Equal(c.want.expires) {
			t.Errorf("%s: %v, %v", name, got.NotBefore, got.ExpiresAt)
		}
		if strings.HasPrefix(got.Reason, "second") != (outcome == revocation.Extended) {
			t.Errorf("%s: %v with the reason %q", name, outcome, got.Reason)
		}
	}
}

func TestNoPutEverLetsAnybodyIn(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		e := alice
		e.Value = strings.Repeat("x", n) // an entry of its own
		when := func(label string) time.Time {
			if s := rapid.IntRange(0, 4).Draw(r, label); s > 0 {
				return today.Add(time.Duration(s) * time.Minute)
			}
			return time.Time{}
		}
		cred := token("t1")
		cred.Subject = e.Value
		var promised []revocation.Entry
		for range rapid.IntRange(1, 4).Draw(r, "puts") {
			e.NotBefore, e.ExpiresAt = when("not before"), when("expires")
			if _, _, err := b.store.Put(t.Context(), e); err != nil {
				r.Fatal(err)
			}
			promised = append(promised, e)
		}
		iat := today.Add(time.Duration(rapid.IntRange(-1, 5).Draw(r, "iat")) * time.Minute)
		cred.IssuedAt = iat
		found, err := b.store.Find(t.Context(), cred)
		if err != nil || len(found) != 1 {
			r.Fatalf("%v, %v", found, err)
		}
		for _, p := range promised {
			if (p.NotBefore.IsZero() || iat.Before(p.NotBefore)) && !found[0].Revokes {
				r.Errorf("%+v does not revoke what %+v did", found[0].Entry, p)
			}
			if end := found[0].Entry.ExpiresAt; !end.IsZero() && (p.ExpiresAt.IsZero() || end.Before(p.ExpiresAt)) {
				r.Errorf("ends at %v, before %v", end, p.ExpiresAt)
			}
		}
	})
}

func TestConcurrentPutsLoseNothing(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			e := alice
			e.NotBefore = today.Add(time.Duration(i) * time.Minute)
			if _, _, err := b.store.Put(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	e, _, err := b.store.Get(t.Context(), alice.Key())
	if err != nil || !e.NotBefore.Equal(today.Add(4*time.Minute)) {
		t.Errorf("%+v, %v, want the latest not_before of all", e, err)
	}
}

func TestPutThatWasOvertakenLooksAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		overtake func(*stand, revocation.Entry)
		want     revocation.Outcome
		minutes  int
	}{
		"by a stronger one": {func(b *stand, e revocation.Entry) { e.NotBefore = today.Add(3 * time.Minute); b.put(t, e) }, revocation.Kept, 3},
		"by a weaker one":   {func(b *stand, e revocation.Entry) { e.NotBefore = today.Add(90 * time.Second); b.put(t, e) }, revocation.Extended, 2},
		"by a restore": {func(b *stand, e revocation.Entry) {
			if _, _, err := b.store.Delete(t.Context(), e.Key()); err != nil {
				t.Fatal(err)
			}
		}, revocation.Created, 2},
	} {
		b := setUp(t, config())
		e := alice
		e.NotBefore = today.Add(time.Minute)
		b.put(t, e)
		real := b.wire.base
		b.wire.base = transport(func(r *http.Request) (*http.Response, error) {
			if b.wire.requests.Load() == 2 { // the first told what is there
				c.overtake(b, e)
			}
			return real.RoundTrip(r)
		})
		e.NotBefore = today.Add(2 * time.Minute)
		got, outcome, err := storeOf(t, client(server.Endpoint(), b.wire), b.table, b.clock).Put(t.Context(), e)
		if err != nil || outcome != c.want || !got.NotBefore.Equal(today.Add(time.Duration(c.minutes)*time.Minute)) {
			t.Errorf("overtaken %s: %v with not_before %v, %v", name, outcome, got.NotBefore, err)
		}
	}
}

func TestExpiredEntryGivesWayWithoutATrace(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	e := alice
	b.putByHand(t, map[string]string{
		"pk": "subject#" + issuer + "#alice", "reason": "old", "ticket": "INC-1", "expires_at": epoch(today.Add(time.Minute)),
	})
	b.clock.Add(time.Hour)
	e = revocation.Entry{Kind: e.Kind, Issuer: e.Issuer, Value: e.Value, NotBefore: today}
	got, outcome, err := b.store.Put(t.Context(), e)
	if err != nil || outcome != revocation.Created {
		t.Fatalf("Put = %v, %v", outcome, err)
	}
	if !got.NotBefore.Equal(today) || !got.ExpiresAt.IsZero() || got.Reason != "" {
		t.Errorf("%+v holds something of the expired entry", got)
	}
	if ticket, ok := b.item(t, got.PK)["ticket"]; ok {
		t.Errorf("ticket = %v is of the expired entry", ticket)
	}
}

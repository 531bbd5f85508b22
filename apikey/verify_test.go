package apikey_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/reason"
)

func TestKeyIsVerifiedOrRefusedForItsReason(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", map[string]map[string]any{
		"good":     record("good"),
		"ending":   record("ending", "expires_at", at(time.Second)),
		"ended":    record("ended", "expires_at", at(0)),
		"starting": record("starting", "not_before", at(time.Second)),
		"started":  record("started", "not_before", at(0)),
		"off":      record("off", "disabled", true),
		"offended": record("offended", "disabled", true, "expires_at", at(-time.Hour)),
		"new":      record("new", "previous", map[string]any{"sha256": hashOf(secretOf("old")), "until": at(time.Second)}),
		"newer":    record("newer", "previous", map[string]any{"sha256": hashOf(secretOf("old")), "until": at(0)}),
		"newoff":   record("newoff", "disabled", true, "previous", map[string]any{"sha256": hashOf(secretOf("old")), "until": at(time.Hour)}),
		"bad":      record("bad", "disable", true),
		"nowhere":  record("nowhere", "networks", []string{"home"}),
	})
	v := s.verifier("keys")
	for what, c := range map[string]struct {
		key  string
		code error
	}{
		"good":                                {key("good", secretOf("good")), nil},
		"wrong secret":                        {key("good", secretOf("bad")), reason.APIKeyUnknown},
		"unknown id":                          {key("none", secretOf("good")), reason.APIKeyUnknown},
		"malformed":                           {"ak_good_" + secretOf("good"), reason.CredentialMalformed},
		"a second before its end":             {key("ending", secretOf("ending")), nil},
		"at its end":                          {key("ended", secretOf("ended")), reason.APIKeyExpired},
		"a second before its beginning":       {key("starting", secretOf("starting")), reason.APIKeyNotYetValid},
		"at its beginning":                    {key("started", secretOf("started")), nil},
		"disabled":                            {key("off", secretOf("off")), reason.APIKeyDisabled},
		"disabled, then expired":              {key("offended", secretOf("offended")), reason.APIKeyDisabled},
		"disabled and a wrong secret":         {key("off", secretOf("good")), reason.APIKeyUnknown},
		"replaced, within its grace":          {key("new", secretOf("old")), nil},
		"what replaced it":                    {key("new", secretOf("new")), nil},
		"replaced, its grace over":            {key("newer", secretOf("old")), reason.APIKeyExpired},
		"replaced, of a disabled key":         {key("newoff", secretOf("old")), reason.APIKeyDisabled},
		"of a record that is skipped":         {key("bad", secretOf("bad")), reason.APIKeyUnknown},
		"of a network that does not exist":    {key("nowhere", secretOf("nowhere")), reason.APIKeyUnknown},
		"with the hash in the secret's place": {key("good", hashOf(secretOf("good"))[:43]), reason.APIKeyUnknown},
	} {
		got, err := v.Verify(t.Context(), c.key)
		switch {
		case !errors.Is(err, c.code):
			t.Errorf("%s: %v, want %v", what, err, c.code)
		case c.code == nil && (got.Record == nil || got.Principal != "partner-"+got.ID):
			t.Errorf("%s: %+v", what, got)
		case c.code != nil && got.Record != nil:
			t.Errorf("%s: refused, and a key all the same: %+v", what, got)
		}
	}
}

func TestKeyEndsWithItsRecordOrItsGrace(t *testing.T) {
	t.Parallel()
	s := newService(t)
	previous := map[string]any{"sha256": hashOf(secretOf("old")), "until": at(time.Hour)}
	s.create(t, "keys", map[string]map[string]any{
		"ever":  record("ever", "previous", previous),
		"long":  record("long", "previous", previous, "expires_at", at(2*time.Hour)),
		"short": record("short", "previous", previous, "expires_at", at(time.Minute)),
	})
	v := s.verifier("keys")
	for _, c := range []struct {
		id, secret string
		until      time.Time
	}{
		{"ever", "ever", time.Time{}}, {"ever", "old", start.Add(time.Hour)},
		{"long", "long", start.Add(2 * time.Hour)}, {"long", "old", start.Add(time.Hour)},
		{"short", "old", start.Add(time.Minute)},
	} {
		got, err := v.Verify(t.Context(), key(c.id, secretOf(c.secret)))
		if err != nil || !got.Until.Equal(c.until) {
			t.Errorf("key %s with the secret %s: until %v, %v, want %v", c.id, c.secret, got.Until, err, c.until)
		}
	}
}

// steps counts what a verification asks of its records.
type steps struct {
	apikey.Records
	gets, renewals atomic.Int64
}

func (s *steps) Get(ctx context.Context, id string) (*apikey.Record, bool, error) {
	s.gets.Add(1)
	return s.Records.Get(ctx, id)
}

func (s *steps) Renew(ctx context.Context) error {
	s.renewals.Add(1)
	return s.Records.Renew(ctx)
}

// fixed are records that never change.
type fixed map[string]*apikey.Record

func (f fixed) Get(_ context.Context, id string) (*apikey.Record, bool, error) {
	r, ok := f[id]
	return r, ok, nil
}
func (fixed) Renew(context.Context) error { return nil }

// many are n keys, k0 to k<n-1>.
func many(t testing.TB, n int) fixed {
	t.Helper()
	text := []byte(`{"keys":{`)
	for i := range n {
		if i > 0 {
			text = append(text, ',')
		}
		text = fmt.Appendf(text, `"k%d":{"sha256":%q,"principal":"p","scopes":["items:read"]}`, i, hashOf(secretOf(fmt.Sprint(i))))
	}
	records, bad := apikey.Rules{}.Parse(append(text, "}}"...))
	if len(records) != n || len(bad) > 0 {
		t.Fatalf("%d records, %v", len(records), bad)
	}
	return records
}

func TestUnknownIDTakesTheSameStepsAsAWrongSecret(t *testing.T) {
	t.Parallel()
	var taken [2][2]int64
	for n, text := range []string{key("none", secretOf("0")), key("k0", secretOf("1"))} {
		s := &steps{Records: many(t, 10)}
		if _, err := apikey.NewVerifier(s, nil).Verify(t.Context(), text); !errors.Is(err, reason.APIKeyUnknown) {
			t.Errorf("%v", err)
		}
		taken[n] = [2]int64{s.gets.Load(), s.renewals.Load()}
	}
	if taken[0] != taken[1] || taken[0] != [2]int64{2, 1} {
		t.Errorf("lookups and renewals: %v for an unknown id, %v for a wrong secret", taken[0], taken[1])
	}
}

func TestRotatedKeyIsFoundAtOnce(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", map[string]map[string]any{})
	v, o := s.verifier("keys"), s.operator()
	if _, err := v.Verify(t.Context(), vector); !errors.Is(err, reason.APIKeyUnknown) {
		t.Fatal(err)
	}
	s.advance(30 * time.Second)
	made, err := o.Create(t.Context(), "keys", apikey.Grant{Principal: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), made.Text); err != nil {
		t.Errorf("a new key: %v", err)
	}
	s.advance(30 * time.Second)
	turned, err := o.Rotate(t.Context(), "keys", made.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"new": turned.Text, "old": made.Text} {
		if _, err := v.Verify(t.Context(), text); err != nil {
			t.Errorf("the %s secret of a rotated key: %v", what, err)
		}
	}
}

func TestSecretsManagerDownLeavesKnownKeysInUse(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "one", map[string]map[string]any{"a": record("a")})
	s.create(t, "two", map[string]map[string]any{"b": record("b")})
	good, wrong, unknown := key("a", secretOf("a")), key("a", secretOf("b")), key("c", secretOf("c"))

	s.down.Store(true)
	cold := s.verifier("one", "two")
	for _, text := range []string{good, wrong, unknown} {
		if _, err := cold.Verify(t.Context(), text); !errors.Is(err, reason.SecretsUnavailable) {
			t.Errorf("down at start: %v", err)
		}
	}
	if _, err := cold.Verify(t.Context(), "ak_cut"); !errors.Is(err, reason.CredentialMalformed) {
		t.Errorf("a malformed key needs no secret: %v", err)
	}

	s.down.Store(false)
	s.advance(30 * time.Second)
	if _, err := cold.Verify(t.Context(), good); err != nil {
		t.Errorf("up again: %v", err)
	}
	s.down.Store(true)
	s.advance(time.Hour)
	if _, err := cold.Verify(t.Context(), good); err != nil {
		t.Errorf("down mid-run: %v", err)
	}
	for what, text := range map[string]string{"an unknown id": unknown, "a wrong secret": wrong} {
		if _, err := cold.Verify(t.Context(), text); !errors.Is(err, reason.SecretsUnavailable) {
			t.Errorf("down mid-run, %s: %v", what, err)
		}
	}
}

func TestRandomKeysCauseAReadEvery30SecondsAtMost(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", map[string]map[string]any{"a": record("a")})
	v := s.verifier("keys")
	for n := range 1000 {
		if _, err := v.Verify(t.Context(), key(fmt.Sprint("x", n), secretOf("a"))); !errors.Is(err, reason.APIKeyUnknown) {
			t.Fatal(err)
		}
	}
	if s.reads.Load() > 2 {
		t.Errorf("%d reads", s.reads.Load())
	}
}

// An unknown id costs what a wrong secret costs, whatever the number of keys.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{10, 2000} {
		v := apikey.NewVerifier(many(b, n), nil)
		for what, text := range map[string]string{
			"good": key("k7", secretOf("7")), "wrong_secret": key("k7", secretOf("8")), "unknown_id": key("x7", secretOf("7")),
		} {
			b.Run(fmt.Sprintf("keys=%d/%s", n, what), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := v.Verify(b.Context(), text); (err == nil) != (what == "good") {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

package apikey_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/apikey"
	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
	"lambda-authorizer/secrets"
)

// denied is the code that v gives for a key; "" where it is accepted.
func denied(t *testing.T, v *apikey.Verifier, text string) reason.Code {
	t.Helper()
	if _, err := v.Verify(t.Context(), text); err != nil {
		return reason.Of(err)
	}
	return ""
}

func TestCreatedKeyHasWhatItWasGranted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", nil)
	made, err := s.operator().Create(t.Context(), "keys", apikey.Grant{
		ID: "acme", Principal: "partner-acme", Scopes: []string{"items:read"}, Networks: []string{"office"}, UsageIdentifierKey: "plan",
		NotBefore: start, ExpiresAt: start.Add(time.Hour), Context: map[string]any{"tenant": "acme", "tier": 2},
	})
	if err != nil || made.ID != "acme" {
		t.Fatal(made.ID, err)
	}
	got, err := s.verifier("keys").Verify(t.Context(), made.Text)
	if err != nil {
		t.Fatal(err)
	}
	want := apikey.Record{
		ID: "acme", Principal: "partner-acme", Scopes: []string{"items:read"}, Networks: []string{"office"}, UsageIdentifierKey: "plan",
		NotBefore: start, ExpiresAt: start.Add(time.Hour), Context: map[string]any{"tenant": "acme", "tier": 2.0},
	}
	if diff := cmp.Diff(want, *got.Record, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "sums" }, cmp.Ignore())); diff != "" {
		t.Errorf("record (-want +got)\n%s", diff)
	}
	records, err := s.operator().Documents.Records(t.Context(), "keys")
	if err != nil || strings.Contains(string(records["acme"]), made.Text[len("ak_acme_"):len(made.Text)-6]) {
		t.Errorf("the secret itself is stored: %s, %v", records["acme"], err)
	}
}

func TestKeyIsNotCreatedAgainstTheRules(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", map[string]map[string]any{"taken": record("taken")})
	s.create(t, "more", map[string]map[string]any{"elsewhere": record("elsewhere")})
	for want, g := range map[string]apikey.Grant{
		"principal is missing or empty":                                     {},
		"an API key's id is 1 to 32 of a-z and 0-9":                         {ID: "Acme", Principal: "p"},
		"networks[0]: there is no such network":                             {Principal: "p", Networks: []string{"home"}},
		"context: a name is reserved":                                       {Principal: "p", Context: map[string]any{"scope": "x"}},
		"context is not JSON":                                               {Principal: "p", Context: map[string]any{"x": func() {}}},
		"expires_at is in the past":                                         {Principal: "p", ExpiresAt: start},
		"expires_at is not after not_before":                                {Principal: "p", NotBefore: start.Add(2 * time.Hour), ExpiresAt: start.Add(time.Hour)},
		"the key's record is not JSON: its strings must be UTF-8":           {Principal: "p\xff"},
		"API key taken in secret keys: there is one of this id already":     {ID: "taken", Principal: "p"},
		"API key elsewhere in secret more: there is one of this id already": {ID: "elsewhere", Principal: "p"},
	} {
		if _, err := s.operator().Create(t.Context(), "keys", g, "keys", "more"); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", g, err, want)
		}
	}
	if _, err := s.operator().Create(t.Context(), "keys", apikey.Grant{ID: "taken", Principal: "p"}); !errors.Is(err, keydoc.ErrExists) {
		t.Errorf("%v", err)
	}
	if listed, err := s.operator().List(t.Context(), "keys"); err != nil || len(listed) != 1 {
		t.Errorf("%d keys, %v", len(listed), err)
	}
}

func TestRotatedKeyKeepsItsOldSecretForItsGrace(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", nil)
	o := s.operator()
	made, err := o.Create(t.Context(), "keys", apikey.Grant{Principal: "p", Scopes: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(time.Millisecond) // a grace ends with a second, and not too early
	first, err := o.Rotate(t.Context(), "keys", made.ID, time.Hour)
	if err != nil || !first.Until.Equal(start.Add(time.Hour+time.Second)) || !first.CutShort.IsZero() {
		t.Fatalf("%+v, %v", first.Until, err)
	}
	second, err := o.Rotate(t.Context(), "keys", made.ID, 2*time.Hour)
	if err != nil || !second.CutShort.Equal(first.Until) {
		t.Fatalf("the older secret, cut short at %v, %v", second.CutShort, err)
	}
	v := s.verifier("keys")
	if a, b, c := denied(t, v, made.Text), denied(t, v, first.Text), denied(t, v, second.Text); a != reason.APIKeyUnknown || b != "" || c != "" {
		t.Errorf("denied: %q, %q, %q", a, b, c)
	}
	last, err := o.Rotate(t.Context(), "keys", made.ID, 0)
	if err != nil || !last.Until.IsZero() || !last.CutShort.Equal(second.Until) {
		t.Fatalf("%+v, %v", last.Until, err)
	}
	v = s.verifier("keys")
	if b, c := denied(t, v, second.Text), denied(t, v, last.Text); b != reason.APIKeyUnknown || c != "" {
		t.Errorf("without a grace: denied %q, %q", b, c)
	}
	listed, err := o.List(t.Context(), "keys")
	if err != nil || len(listed) != 1 || !cmp.Equal(listed[0].Record.Scopes, []string{"a"}) {
		t.Errorf("the rest of the record: %+v, %v", listed, err)
	}
}

func TestDisabledKeyIsRefusedUntilItIsEnabled(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", nil)
	o := s.operator()
	made, err := o.Create(t.Context(), "keys", apikey.Grant{Principal: "p"})
	if err != nil {
		t.Fatal(err)
	}
	v := s.verifier("keys")
	for _, step := range []struct {
		do   func() error
		want reason.Code
	}{
		{func() error { return nil }, ""},
		{func() error { return o.Disable(t.Context(), "keys", made.ID) }, reason.APIKeyDisabled},
		{func() error { return o.Disable(t.Context(), "keys", made.ID) }, reason.APIKeyDisabled},
		{func() error { return o.Enable(t.Context(), "keys", made.ID) }, ""},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		s.advance(5 * time.Minute)
		if got := denied(t, v, made.Text); got != step.want {
			t.Errorf("denied %q, want %q", got, step.want)
		}
	}
}

func TestKeyThatCannotBeChangedSaysWhy(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", map[string]map[string]any{"bad": record("bad", "disable", true)})
	o := s.operator()
	if err := o.Disable(t.Context(), "keys", "none"); !errors.Is(err, keydoc.ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := o.Rotate(t.Context(), "keys", "none", 0); !errors.Is(err, keydoc.ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := o.Rotate(t.Context(), "keys", "bad", -1); err == nil || err.Error() != "grace is negative" {
		t.Errorf("negative grace: %v", err)
	}
	want := "API key bad: its record is bad, so that it is not used as it is: /disable is no member of a record"
	if err := o.Disable(t.Context(), "keys", "bad"); err == nil || err.Error() != want {
		t.Errorf("bad record: %v", err)
	}
	if err := o.Disable(t.Context(), "keys", vector); err == nil || strings.Contains(err.Error(), "AAAA") {
		t.Errorf("a whole key for an id: %v", err)
	}
	if err := o.Disable(t.Context(), "none", "a"); !errors.Is(err, secrets.ErrNoSecret) {
		t.Errorf("no such secret: %v", err)
	}
	if _, err := o.List(t.Context(), "none"); !errors.Is(err, secrets.ErrNoSecret) {
		t.Errorf("no such secret: %v", err)
	}
	if _, err := o.Create(t.Context(), "keys", apikey.Grant{Principal: "p"}, "none"); !errors.Is(err, secrets.ErrNoSecret) {
		t.Errorf("no such secret among the others: %v", err)
	}
}

func TestListTellsTheStateOfEachKey(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", map[string]map[string]any{
		"a": record("a", "previous", map[string]any{"sha256": otherHash, "until": at(time.Hour)}),
		"b": record("b", "disabled", true), "c": record("c", "expires_at", at(0)), "d": record("d", "not_before", at(time.Hour)),
		"e": record("e", "principal", ""), vector: record("f"),
	})
	listed, err := s.operator().List(t.Context(), "keys")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range listed {
		got = append(got, fmt.Sprint(l.ID, "/", l.State(start), "/", l.Problem))
	}
	want := []string{
		"a//<nil>", "/api_key_unknown/its id is not 1 to 32 of a-z and 0-9", "b/api_key_disabled/<nil>",
		"c/api_key_expired/<nil>", "d/api_key_not_yet_valid/<nil>", "e/api_key_unknown/principal is missing or empty",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("listed (-want +got)\n%s", diff)
	}
	if !listed[0].PreviousUntil.Equal(start.Add(time.Hour)) || !listed[2].PreviousUntil.IsZero() {
		t.Errorf("previous until %v and %v", listed[0].PreviousUntil, listed[2].PreviousUntil)
	}
}

// Ten operators create, ten rotate what is there, all at once.
func TestTwentyOperatorsAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	records := map[string]map[string]any{}
	for n := range 10 {
		records[fmt.Sprint("old", n)] = record(fmt.Sprint("old", n))
	}
	s.create(t, "keys", records)
	texts := make([]string, 20)
	var all sync.WaitGroup
	for n := range 10 {
		all.Go(func() {
			made, err := s.operator().Create(t.Context(), "keys", apikey.Grant{Principal: "p"})
			if err != nil {
				t.Error(err)
			}
			texts[n] = made.Text
		})
		all.Go(func() {
			turned, err := s.operator().Rotate(t.Context(), "keys", fmt.Sprint("old", n), time.Hour)
			if err != nil {
				t.Error(err)
			}
			texts[10+n] = turned.Text
		})
	}
	all.Wait()
	v := s.verifier("keys")
	for n, text := range texts {
		if got := denied(t, v, text); got != "" {
			t.Errorf("key of operator %d is lost: %s", n, got)
		}
	}
	for n := range 10 {
		id := fmt.Sprint("old", n)
		if got := denied(t, v, key(id, secretOf(id))); got != "" {
			t.Errorf("the replaced secret of %s: %s", id, got)
		}
	}
}

func TestFullSecretSaysTheWayOut(t *testing.T) {
	t.Parallel()
	s := newService(t)
	records := map[string]map[string]any{}
	for n := range 530 { // a record of this size takes about 120 bytes
		records[fmt.Sprintf("key%04d", n)] = record("x", "principal", "partner-0001")
	}
	s.create(t, "keys", records)
	o := s.operator()
	for n := range 100 {
		_, err := o.Create(t.Context(), "keys", apikey.Grant{ID: fmt.Sprint("new", n), Principal: strings.Repeat("p", 500)})
		if err == nil {
			continue
		}
		var large *secrets.TooLargeError
		if !errors.As(err, &large) || !strings.Contains(err.Error(), "one more secret") {
			t.Errorf("%v", err)
		}
		return
	}
	t.Error("a secret takes 100 more keys of 500 bytes than it should")
}

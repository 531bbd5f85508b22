package secrets_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/reason"
	"lambda-authorizer/secrets"
)

func unavailable(err error) bool { return errors.Is(err, reason.SecretsUnavailable) }

func TestSecretsManagerDownAtStartIsAFaultAndIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	s.down()
	r := s.reader("keys")
	for range 10 {
		if _, _, err := r.Get(t.Context(), "a"); !unavailable(err) || err.Error() != "secrets_unavailable: secret keys: HTTP status 503" {
			t.Fatalf("Get: %v", err)
		}
		if err := r.Renew(t.Context()); !unavailable(err) {
			t.Fatalf("Renew: %v", err)
		}
		if _, err := r.Versions(t.Context()); !unavailable(err) {
			t.Fatalf("Versions: %v", err)
		}
	}
	if s.reads.Load() != 1 {
		t.Errorf("%d reads within 30 s of a failure", s.reads.Load())
	}
	if e := s.events.last(t); e.Err == nil || e.Cause != "first" {
		t.Errorf("event %+v", e)
	}
	s.up()
	s.advance(30 * time.Second)
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("once it is up: %q", got)
	}
	if err := r.Renew(t.Context()); err != nil {
		t.Errorf("Renew: %v", err)
	}
}

func TestSecretsManagerDownMidRunLeavesWhatIsKnownInUse(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	get(t, r, "a")
	s.down()
	s.advance(24 * time.Hour)
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("known: %q", got)
	}
	if err := r.Renew(t.Context()); !unavailable(err) {
		t.Errorf("whether another exists: %v", err)
	}
	if e := s.events.last(t); e.Err == nil || e.Records != 1 {
		t.Errorf("event %+v", e)
	}
	s.advance(5 * time.Minute)
	if _, _, err := r.Get(t.Context(), "a"); !unavailable(err) {
		t.Errorf("a day past its age: %v", err)
	}
	s.up()
	s.advance(30 * time.Second)
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("once it is up: %q", got)
	}
}

// The last read before the bound has failed, so there is none at the bound.
func TestSecretIsNotUsedPastItsBoundWhileTheServiceIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	get(t, r, "a")
	s.down()
	s.advance(24*time.Hour + 5*time.Minute - 10*time.Second)
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("before the bound: %q", got)
	}
	reads := s.reads.Load()
	s.advance(10 * time.Second)
	if _, _, err := r.Get(t.Context(), "a"); !unavailable(err) {
		t.Errorf("at the bound: %v", err)
	}
	if s.reads.Load() != reads {
		t.Error("the service was not left alone")
	}
}

func TestOneSecretOfTwoThatIsDownTakesNothingFromTheOther(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "one", "a=1")
	r := s.reader("one", "two")
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("of the one that is there: %q", got)
	}
	if got := get(t, r, "b"); got != "" {
		t.Errorf("of the one that is not: %q", got)
	}
	err := r.Renew(t.Context())
	if !unavailable(err) || !strings.Contains(err.Error(), "secret two: ResourceNotFoundException") {
		t.Errorf("whether it exists: %v", err)
	}
	s.create(t, "two", "b=2")
	s.advance(30 * time.Second)
	if got := get(t, r, "b"); got != "2" {
		t.Errorf("once it is there: %q", got)
	}
	if err := r.Renew(t.Context()); err != nil {
		t.Errorf("Renew: %v", err)
	}
}

func TestEverySecretThatIsDownIsNamed(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, _, err := s.reader("one", "two").Get(t.Context(), "a")
	const why = "ResourceNotFoundException: Secrets Manager can't find the specified secret."
	if want := "secrets_unavailable: secret one: " + why + "; secret two: " + why; !unavailable(err) || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestSecretThatStopsParsingKeepsTheLastGoodOne(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	get(t, r, "a")
	s.put(t, "keys", "broken")
	s.advance(72 * time.Hour)
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("the last good one: %q", got)
	}
	if e := s.events.last(t); e.Err == nil || e.Err.Error() != "its text cannot be read: broken" || e.Records != 1 {
		t.Errorf("event %+v", e)
	}
	if err := r.Renew(t.Context()); !unavailable(err) {
		t.Errorf("whether another exists: %v", err)
	}
	s.put(t, "keys", "a=2")
	s.advance(30 * time.Second)
	if got := get(t, r, "a"); got != "2" {
		t.Errorf("once it is repaired: %q", got)
	}
}

// Who deletes a secret means it. What Secrets Manager says about it is an
// answer, not an outage.
func TestSecretThatIsGoneIsNotUsedAnyMore(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"ResourceNotFoundException", "InvalidRequestException"} {
		s := newService(t)
		s.create(t, "keys", "a=1")
		r := s.reader("keys")
		get(t, r, "a")
		s.answer(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"` + kind + `","Message":"marked for deletion"}`))
		})
		s.advance(5 * time.Minute)
		if _, _, err := r.Get(t.Context(), "a"); !unavailable(err) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestMissingPermissionIsToldInTheServicesOwnWords(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"AccessDeniedException","Message":"User: me is not authorized\n to perform: secretsmanager:GetSecretValue"}`))
	})
	_, _, err := s.reader("keys").Get(t.Context(), "a")
	want := "secrets_unavailable: secret keys: AccessDeniedException: User: me is not authorized  to perform: secretsmanager:GetSecretValue"
	if !unavailable(err) || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestPreviousVersionThatFailsLeavesTheCurrentOneInUse(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "hmac", "broken")
	s.put(t, "hmac", "default=2")
	r := s.readerWith(secrets.Options{PreviousGrace: time.Hour}, "hmac")
	all, err := r.Versions(t.Context())
	if err != nil || len(all) != 1 || all[0]["default"] != "2" {
		t.Fatalf("Versions = %v, %v", all, err)
	}
	if e := s.events.last(t); e.Err == nil || e.Err.Error() != "its previous version: its text cannot be read: broken" {
		t.Errorf("event %+v", e)
	}
	if err := r.Renew(t.Context()); !unavailable(err) {
		t.Errorf("whether another key exists: %v", err)
	}
}

func TestFirstVersionOfASecretHasNoPrevious(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "hmac", "default=1")
	r := s.readerWith(secrets.Options{PreviousGrace: time.Hour}, "hmac")
	if all, err := r.Versions(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("Versions = %v, %v", all, err)
	}
	if err := r.Renew(t.Context()); err != nil {
		t.Errorf("Renew: %v", err)
	}
}

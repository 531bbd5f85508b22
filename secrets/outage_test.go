package secrets_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

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
		if _, _, err := r.Get(t.Context(), "a"); !unavailable(err) {
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

func TestCallsAtOnceAreOneRead(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if record, _, err := r.Get(t.Context(), "a"); err != nil || record != "1" {
				t.Errorf("Get = %q, %v", record, err)
			}
		})
	}
	all.Wait()
	if s.reads.Load() != 1 {
		t.Errorf("%d reads", s.reads.Load())
	}
}

// held makes reads wait until release is called.
func (s *service) held() (arrived <-chan struct{}, release func()) {
	in, out := make(chan struct{}, 100), make(chan struct{})
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		in <- struct{}{}
		<-out
		s.server.ServeHTTP(w, r)
	})
	return in, sync.OnceFunc(func() { close(out) })
}

func TestCallerThatGivesUpDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	arrived, release := s.held()
	defer release()
	r := s.reader("keys")
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, _, err := r.Get(ctx, "a")
		first <- err
	}()
	<-arrived
	second := make(chan error)
	go func() {
		_, _, err := r.Get(t.Context(), "a")
		second <- err
	}()
	cancel()
	if err := <-first; !errors.Is(err, reason.DeadlineExceeded) {
		t.Errorf("the one that gave up: %v", err)
	}
	release()
	if err := <-second; err != nil {
		t.Errorf("the other: %v", err)
	}
	if s.reads.Load() != 1 {
		t.Errorf("%d reads", s.reads.Load())
	}
}

func TestRequestsDuringARefreshGoOnWithWhatThereIs(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	get(t, r, "a")
	s.put(t, "keys", "a=2")
	arrived, release := s.held()
	defer release()
	s.advance(5 * time.Minute)
	first := make(chan string)
	go func() { first <- get(t, r, "a") }()
	<-arrived
	if got := get(t, r, "a"); got != "1" {
		t.Errorf("meanwhile: %q", got)
	}
	release()
	if got := <-first; got != "2" {
		t.Errorf("who waited for it: %q", got)
	}
}

// Lambda froze the process in the middle of a read: its end may never come.
func TestReadThatDoesNotEndIsGivenUp(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	arrived, release := s.held()
	defer release()
	r := s.reader("keys")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, _, err := r.Get(ctx, "a")
		done <- err
	}()
	<-arrived
	cancel()
	<-done
	s.advance(time.Hour)
	s.up()
	if got := get(t, r, "a"); got != "1" || s.reads.Load() != 2 {
		t.Errorf("a is %q after %d reads", got, s.reads.Load())
	}
}

func TestParserThatPanicsIsAFailedRead(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "hunter2")
	r := secrets.NewReader([]string{"keys"}, func(text []byte) (map[string]string, []error) { panic(string(text)) },
		secrets.Options{Clients: s.clients, Now: s.Now, OnRead: s.events.add})
	_, _, err := r.Get(t.Context(), "a")
	if !unavailable(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Get: %v", err)
	}
}

func TestSecretOfBytesIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, err := s.client.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: aws.String("keys"), SecretBinary: []byte("a=1")})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.reader("keys").Get(t.Context(), "a")
	if !unavailable(err) || !strings.Contains(err.Error(), "bytes, not a string") {
		t.Errorf("Get: %v", err)
	}
}

// Whatever an answer looks like, its body is in no error and no event.
func TestBrokenAnswerIsInNoError(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	for what, body := range map[string]string{
		"not JSON":       secret,
		"cut off":        `{"SecretString":"` + secret,
		"wrong type":     `{"SecretString":["` + secret + `"]}`,
		"no version":     `{"SecretString":"` + secret + `"}`,
		"date as string": `{"SecretString":"` + secret + `","VersionId":"v","CreatedDate":"` + secret + `"}`,
		"not parsed":     `{"SecretString":"broken ` + secret + `","VersionId":"v","CreatedDate":1}`,
		"binary":         `{"SecretBinary":"` + secret + `","VersionId":"v","CreatedDate":1}`,
	} {
		s := newService(t)
		s.answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		r := s.readerWith(secrets.Options{PreviousGrace: time.Hour}, "keys")
		_, _, err := r.Get(t.Context(), "a")
		if !unavailable(err) {
			t.Errorf("%s: %v", what, err)
			continue
		}
		for _, text := range []string{err.Error(), s.events.last(t).Err.Error()} {
			if strings.Contains(text, "hunter") || strings.Contains(text, "aHVudGVy") {
				t.Errorf("%s: the error quotes it: %s", what, text)
			}
		}
	}
}

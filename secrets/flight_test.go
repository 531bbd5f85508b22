package secrets_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"lambda-authorizer/reason"
)

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

// A refresh that began before the record was written does not have it: its end
// is not enough.
func TestMissingRecordIsReadForAfterTheReadThatWasUnderWay(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	get(t, r, "a")
	s.advance(5 * time.Minute)
	arrived, served, release := make(chan struct{}, 100), make(chan struct{}, 100), make(chan struct{})
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		s.server.ServeHTTP(w, r) // with what there is by now
		served <- struct{}{}
		<-release
	})
	refreshed := make(chan string)
	go func() { refreshed <- get(t, r, "a") }()
	<-arrived
	<-served
	s.up()
	s.put(t, "keys", "a=1\nb=2")
	renewed := make(chan error)
	go func() { renewed <- r.Renew(t.Context()) }()
	close(release)
	if err := <-renewed; err != nil {
		t.Fatal(err)
	}
	<-refreshed
	if got := get(t, r, "b"); got != "2" || s.reads.Load() != 3 {
		t.Errorf("b is %q after %d reads", got, s.reads.Load())
	}
}

func TestRenewalEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "a=1")
	r := s.reader("keys")
	get(t, r, "a")
	arrived, release := s.held()
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Renew(ctx) }()
	<-arrived
	cancel()
	if err := <-done; !errors.Is(err, reason.DeadlineExceeded) {
		t.Errorf("Renew: %v", err)
	}
}

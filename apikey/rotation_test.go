package apikey_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/reason"
)

func TestRotationUnderLoadRefusesNoValidKey(t *testing.T) {
	t.Parallel()
	const callers, requests = 8, 3
	s := newService(t)
	s.create(t, "keys", map[string]map[string]any{})
	v, o := s.verifier("keys"), s.operator()
	made, err := o.Create(t.Context(), "keys", apikey.Grant{Principal: "p"})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{made.Text, "", ""}
	var using atomic.Int64
	var served [callers][3]atomic.Int64
	var mu sync.Mutex // guards texts
	stop := make(chan struct{})
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := using.Load()
				mu.Lock()
				text := texts[n]
				mu.Unlock()
				if _, err := v.Verify(t.Context(), text); err != nil {
					t.Errorf("secret %d: %v", n, err)
					return
				}
				served[caller][n].Add(1)
			}
		})
	}
	// Once every caller has used a secret none is about to use an older one.
	wait := func(n int) {
		for caller := range callers {
			for served[caller][n].Load() < requests && !t.Failed() {
				time.Sleep(time.Millisecond)
			}
		}
	}
	wait(0)
	for n := 1; n <= 2; n++ {
		s.advance(31 * time.Second)
		turned, err := o.Rotate(t.Context(), "keys", made.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		texts[n] = turned.Text
		mu.Unlock()
		using.Store(int64(n))
		wait(n)
		if _, err := v.Verify(t.Context(), texts[n-1]); err != nil {
			t.Errorf("secret %d within its grace: %v", n-1, err)
		}
	}
	if _, err := v.Verify(t.Context(), texts[0]); !errors.Is(err, reason.APIKeyUnknown) {
		t.Errorf("the first secret, replaced twice: %v", err)
	}
	s.advance(time.Hour - time.Second)
	if _, err := v.Verify(t.Context(), texts[1]); err != nil {
		t.Errorf("at the end of the grace: %v", err)
	}
	s.advance(time.Second)
	if _, err := v.Verify(t.Context(), texts[1]); !errors.Is(err, reason.APIKeyExpired) {
		t.Errorf("after the grace: %v", err)
	}
	close(stop)
	all.Wait()
}

package items_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lambda-authorizer/items"
)

const (
	lamp = `{"name":"lamp","metadata":{"colour":"red","size":"small"}}`
	// The same item, written by another serializer.
	lampAgain = `{"metadata":{"size":"small","colour":"red"}, "name":"lamp"}`
)

// count is how many items c sees.
func (c caller) count(t tb) int {
	t.Helper()
	return len(c.do(t, "GET", "/items", "").decode(t).Items)
}

func TestRetriedPostMakesOneItemAndGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		first := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k1")
		for _, body := range []string{lamp, lampAgain} {
			again := alice.do(t, "POST", "/items", body, "Idempotency-Key", "k1")
			if again.status != http.StatusCreated || again.body != first.body ||
				again.header.Get("Location") != first.header.Get("Location") || again.header.Get("ETag") != first.header.Get("ETag") {
				t.Errorf("first %d %s, again %d %s", first.status, first.body, again.status, again.body)
			}
		}
		if n := alice.count(t); n != 1 {
			t.Errorf("%d items", n)
		}
		other := alice.do(t, "POST", "/items", `{"name":"chair"}`, "Idempotency-Key", "k1")
		if other.status != http.StatusUnprocessableEntity || other.code(t) != "idempotency_key_reused" {
			t.Errorf("another body: %d %s", other.status, other.body)
		}
		if a := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k2"); a.body == first.body {
			t.Error("another key answered with the first item")
		}
	})
}

func TestRetryAnswersAsTheFirstTimeWhateverHappenedToTheItem(t *testing.T) {
	t.Parallel()
	alice := newService(t).as("main|alice")
	first := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k")
	target := "/items/" + first.decode(t).ID
	alice.do(t, "PUT", target, `{"name":"changed"}`)
	if again := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k"); again.body != first.body {
		t.Errorf("after a change: %s", again.body)
	}
	alice.do(t, "DELETE", target, "")
	if again := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k"); again.body != first.body {
		t.Errorf("after a delete: %s", again.body)
	}
	if n := alice.count(t); n != 0 {
		t.Errorf("the retry brought back %d items", n)
	}
}

func TestPostThatDiedHalfwayIsFinishedByItsRetry(t *testing.T) {
	t.Parallel()
	for name, died := range map[string]func(operation, body string) bool{
		"after the claim, before the item":  func(op, body string) bool { return op == "PutItem" && strings.Contains(body, `"ITEM#`) },
		"after the item, before the record": func(op, _ string) bool { return op == "UpdateItem" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var dead, healed atomic.Bool
			store := faultyStore(t, func(op, body string) fault {
				if !healed.Load() && (dead.Load() || died(op, body)) {
					dead.Store(true) // nothing after it gets through either
					return break500
				}
				return none
			})
			alice := newService(t, func(c *items.Config) { c.Store = store }).as("main|alice")
			first := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k")
			if !dead.Load() {
				t.Fatal("the first attempt did not die")
			}
			healed.Store(true)

			again := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k")
			if again.status != http.StatusCreated {
				t.Fatalf("retry: %d %s (first: %d)", again.status, again.body, first.status)
			}
			third := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k")
			if n := alice.count(t); n != 1 || third.body != again.body {
				t.Errorf("%d items; answers %s and %s", n, again.body, third.body)
			}
		})
	}
}

func TestPostIs201OnlyWhenItsKeyCannotBringTheItemBack(t *testing.T) {
	t.Parallel()
	var healed atomic.Bool
	store := faultyStore(t, func(op, _ string) fault {
		if op == "UpdateItem" && !healed.Load() {
			return throttle
		}
		return none
	})
	alice := newService(t, func(c *items.Config) { c.Store = store }).as("main|alice")
	first := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k")
	if first.status != http.StatusServiceUnavailable || first.header.Get("Retry-After") != "1" {
		t.Fatalf("the record cannot be written: %d %s", first.status, first.body)
	}
	healed.Store(true)
	made := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k")
	if n := alice.count(t); made.status != http.StatusCreated || n != 1 {
		t.Fatalf("retry: %d %s, %d items", made.status, made.body, n)
	}
	alice.do(t, "DELETE", "/items/"+made.decode(t).ID, "")
	if again := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k"); again.body != made.body {
		t.Errorf("after the delete: %d %s", again.status, again.body)
	}
	if n := alice.count(t); n != 0 {
		t.Errorf("the retry brought back %d items", n)
	}
}

func TestPostWhoseReplyIsLostOnTheWayMakesOneItem(t *testing.T) {
	t.Parallel()
	for _, headers := range [][]string{nil, {"Idempotency-Key", "k"}} {
		var lost atomic.Int32
		store := faultyStore(t, func(op, _ string) fault {
			if op == "PutItem" && lost.Add(1)%2 == 1 { // each write's first reply
				return loseTheReply
			}
			return none
		})
		alice := newService(t, func(c *items.Config) { c.Store = store }).as("main|alice")
		created := alice.do(t, "POST", "/items", lamp, headers...)
		if created.status != http.StatusCreated || lost.Load() < 2 {
			t.Fatalf("%v: %d %s after %d writes", headers, created.status, created.body, lost.Load())
		}
		if n := alice.count(t); n != 1 {
			t.Errorf("%v: %d items", headers, n)
		}
	}
}

func TestTwoPostsWithOneKeyAtTheSameTimeMakeOneItem(t *testing.T) {
	t.Parallel()
	alice := newService(t).as("main|alice")
	const times = 16
	bodies := make([]string, times)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			a := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k")
			bodies[i] = fmt.Sprint(a.status, " ", a.body)
		})
	}
	wg.Wait()
	for _, b := range bodies {
		if b != bodies[0] || !strings.HasPrefix(b, "201 ") {
			t.Errorf("%s and %s", bodies[0], b)
		}
	}
	if n := alice.count(t); n != 1 {
		t.Errorf("%d items", n)
	}
}

func TestIdempotencyKeyEndsAfterADay(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store.Now = func() time.Time { return now }
	alice := newService(t, func(c *items.Config) { c.Store = store }).as("main|alice")
	first := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k")
	now = now.Add(items.IdempotencyTTL - time.Second)
	if a := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k"); a.body != first.body {
		t.Errorf("a second before its end the key made %s", a.body)
	}
	now = now.Add(time.Second)
	// The table never deletes here: the code itself must see the end.
	if a := alice.do(t, "POST", "/items", `{"name":"chair"}`, "Idempotency-Key", "k"); a.status != http.StatusCreated || a.body == first.body {
		t.Errorf("after its end: %d %s", a.status, a.body)
	}
	if n := alice.count(t); n != 2 {
		t.Errorf("%d items", n)
	}
}

func TestLateRecordOfAnEndedKeyIsNotTheNextItems(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var later, healed atomic.Bool
	var alice caller
	store := faultyStore(t, func(op, body string) fault {
		switch {
		case op == "UpdateItem" && later.CompareAndSwap(false, true):
			// Before the first item is noted its key ends, and another item
			// takes it that is not written yet.
			if a := alice.do(t, "POST", "/items", `{"name":"chair"}`, "Idempotency-Key", "k"); a.status != http.StatusServiceUnavailable {
				t.Errorf("second POST: %d %s", a.status, a.body)
			}
		case later.Load() && !healed.Load() && op == "PutItem" && strings.Contains(body, `"ITEM#`):
			return break500
		}
		return none
	})
	store.Now = func() time.Time {
		if later.Load() {
			return day.Add(items.IdempotencyTTL)
		}
		return day
	}
	alice = newService(t, func(c *items.Config) { c.Store = store }).as("main|alice")
	if a := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", "k"); a.status != http.StatusCreated {
		t.Errorf("first POST: %d %s", a.status, a.body)
	}
	healed.Store(true)
	retry := alice.do(t, "POST", "/items", `{"name":"chair"}`, "Idempotency-Key", "k")
	if n := alice.count(t); retry.status != http.StatusCreated || n != 2 {
		t.Errorf("retry of the second: %d %s; %d items", retry.status, retry.body, n)
	}
}

func TestIdempotencyKeyThatCannotBeOneIsRefused(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		for _, key := range []string{"a,b", "a, b", strings.Repeat("k", 256), "kéy", "a\tb"} {
			a := alice.do(t, "POST", "/items", lamp, "Idempotency-Key", key)
			if a.status != http.StatusBadRequest || a.code(t) != "header_invalid" {
				t.Errorf("key %q: %d %s", key, a.status, a.body)
			}
		}
		if n := alice.count(t); n != 0 {
			t.Errorf("%d items", n)
		}
	})
}

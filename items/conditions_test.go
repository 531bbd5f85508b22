package items_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lambda-authorizer/items"
)

func TestConditionsDecideWhoMayRead(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		id := alice.do(t, "POST", "/items", lamp).decode(t).ID
		alice.do(t, "PUT", "/items/"+id, lamp) // now "2"
		for _, c := range []struct {
			header, value string
			want          int
		}{
			{"If-None-Match", `"2"`, 304},
			{"If-None-Match", `W/"2"`, 304}, // weak comparison, RFC 9110 section 13.1.2
			{"If-None-Match", `"1", "2"`, 304},
			{"If-None-Match", `*`, 304},
			{"If-None-Match", `"1"`, 200},
			{"If-None-Match", `"someone else's"`, 200},
			{"If-None-Match", `2`, 400},
			{"If-None-Match", `"2`, 400},
			{"If-None-Match", `"1" "2"`, 400},
			{"If-Match", `"2"`, 200},
			{"If-Match", `"1"`, 412},
		} {
			a := alice.do(t, "GET", "/items/"+id, "", c.header, c.value)
			if a.status != c.want {
				t.Errorf("%s: %s: %d %s, want %d", c.header, c.value, a.status, a.body, c.want)
			}
			if a.status == 304 && (a.body != "" || a.header.Get("ETag") != `"2"`) {
				t.Errorf("304 with body %q, ETag %s", a.body, a.header.Get("ETag"))
			}
		}
	})
}

func TestConditionsDecideWhoMayWrite(t *testing.T) {
	t.Parallel()
	alice := newService(t).as("main|alice")
	missing := "/items/01ARZ3NDEKTSV4RRFFQ69G5FAV"
	for _, c := range []struct {
		header, value string
		want          int // 0: done
	}{
		{"If-Match", `"2"`, 0},
		{"If-Match", `"1", "2"`, 0},
		{"If-Match", `"1" , , "2"`, 0},
		{"If-Match", `*`, 0},
		{"If-None-Match", `"1"`, 0},
		{"If-None-Match", `W/"7", "x"`, 0},
		{"If-Match", `W/"2"`, 412}, // strong comparison, RFC 9110 section 13.1.1
		{"If-Match", `"1"`, 412},
		{"If-Match", `"02"`, 412},
		{"If-Match", `"-2"`, 412},
		{"If-Match", `"99999999999999999999999"`, 412},
		{"If-Match", `""`, 412},
		{"If-None-Match", `"2"`, 412},
		{"If-None-Match", `W/"2"`, 412},
		{"If-None-Match", `*`, 412},
		{"If-Match", `2`, 400},
		{"If-Match", `"1"x`, 400},
		{"If-Match", `*, "2"`, 400},
		{"If-Match", manyTags(101), 400},
	} {
		for method, done := range map[string]int{"PUT": 200, "PATCH": 200, "DELETE": 204} {
			id := alice.do(t, "POST", "/items", lamp).decode(t).ID
			alice.do(t, "PUT", "/items/"+id, lamp) // now "2"
			body, want := `{"name":"changed"}`, c.want
			if method == "DELETE" {
				body = ""
			}
			if want == 0 {
				want = done
			}
			if a := alice.do(t, method, "/items/"+id, body, c.header, c.value); a.status != want {
				t.Errorf("%s with %s: %s: %d %s, want %d", method, c.header, c.value, a.status, a.body, want)
			}
			got := alice.do(t, "GET", "/items/"+id, "")
			untouched := got.status == http.StatusOK && got.decode(t).Name == "lamp"
			if untouched != (c.want != 0) {
				t.Errorf("%s with %s: %s: the item is now %d %s", method, c.header, c.value, got.status, got.body)
			}
			// What is not there is not there, whatever the condition says.
			if a := alice.do(t, method, missing, body, c.header, c.value); c.want != 400 && a.status != 404 {
				t.Errorf("%s of nothing with %s: %s: %d", method, c.header, c.value, a.status)
			}
		}
	}
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%d",`, i+10)
	}
	return b.String()
}

func TestOfFiftyConditionalPutsExactlyOneWinsEachRound(t *testing.T) {
	t.Parallel()
	bothKinds(t, "main|alice", func(t *testing.T, alice caller) {
		created := alice.do(t, "POST", "/items", lamp)
		target, etag := "/items/"+created.decode(t).ID, created.header.Get("ETag")
		for round := range 5 {
			const writers = 50
			answers := make([]answer, writers)
			var wg sync.WaitGroup
			for i := range writers {
				wg.Go(func() {
					answers[i] = alice.do(t, "PUT", target, fmt.Sprintf(`{"name":"round %d writer %d"}`, round, i), "If-Match", etag)
				})
			}
			wg.Wait()
			won := -1
			for i, a := range answers {
				switch {
				case a.status == http.StatusOK && won < 0:
					won = i
				case a.status != http.StatusPreconditionFailed:
					t.Errorf("round %d: writer %d, with %d having won: %d %s", round, i, won, a.status, a.body)
				}
			}
			if won < 0 {
				t.Fatalf("round %d: nobody won", round)
			}
			read := alice.do(t, "GET", target, "")
			if want := fmt.Sprintf("round %d writer %d", round, won); read.decode(t).Name != want {
				t.Errorf("the item is %q, %q won", read.decode(t).Name, want)
			}
			etag = read.header.Get("ETag")
		}
		if etag != `"6"` {
			t.Errorf("ETag %s after five rounds", etag)
		}
	})
}

func TestPatchesAtTheSameTimeLoseNothing(t *testing.T) {
	t.Parallel()
	alice := newService(t).as("main|alice")
	target := "/items/" + alice.do(t, "POST", "/items", `{"name":"lamp"}`).decode(t).ID
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			for { // as a client does that is told to try again
				a := alice.do(t, "PATCH", target, fmt.Sprintf(`{"metadata":{"k%d":"v"}}`, i))
				if a.status == http.StatusOK {
					return
				}
				if a.status != http.StatusConflict || a.code(t) != "edit_conflict" {
					t.Errorf("PATCH: %d %s", a.status, a.body)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := alice.do(t, "GET", target, "").decode(t); len(got.Metadata) != 12 {
		t.Errorf("%d of 12 patches are left: %v", len(got.Metadata), got.Metadata)
	}
}

func TestConditionalWriteWhoseReplyIsLostKnowsThatItWon(t *testing.T) {
	t.Parallel()
	var lost atomic.Int32
	store := faultyStore(t, func(op, _ string) fault {
		if (op == "UpdateItem" || op == "DeleteItem") && lost.Add(1)%2 == 1 {
			return loseTheReply
		}
		return none
	})
	alice := newService(t, func(c *items.Config) { c.Store = store }).as("main|alice")
	target := "/items/" + alice.do(t, "POST", "/items", lamp).decode(t).ID
	put := alice.do(t, "PUT", target, `{"name":"mine"}`, "If-Match", `"1"`)
	if put.status != http.StatusOK || put.header.Get("ETag") != `"2"` || put.decode(t).Name != "mine" {
		t.Errorf("PUT: %d %s", put.status, put.body)
	}
	patch := alice.do(t, "PATCH", target, `{"description":"still mine"}`)
	if patch.status != http.StatusOK || patch.header.Get("ETag") != `"3"` {
		t.Errorf("PATCH: %d %s, ETag %s", patch.status, patch.body, patch.header.Get("ETag"))
	}
	if gone := alice.do(t, "DELETE", target, "", "If-Match", `"3"`); gone.status != http.StatusNoContent {
		t.Errorf("DELETE: %d %s", gone.status, gone.body)
	}
	if lost.Load() != 6 {
		t.Errorf("%d writes, want three sent twice", lost.Load())
	}
}

func TestDeleteOfNothingIs404ThoughTheTableWasBusyForAMoment(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	store := faultyStore(t, func(op, _ string) fault {
		if op == "DeleteItem" && calls.Add(1) == 1 {
			return throttle
		}
		return none
	})
	alice := newService(t, func(c *items.Config) { c.Store = store }).as("main|alice")
	if a := alice.do(t, "DELETE", "/items/"+missing, ""); a.status != http.StatusNotFound || calls.Load() != 2 {
		t.Errorf("%d %s after %d tries", a.status, a.body, calls.Load())
	}
}

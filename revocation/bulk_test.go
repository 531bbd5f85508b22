package revocation_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/revocation"
)

// fast is a rate that holds nothing up.
const fast = 1_000_000

// tokens yields n entries, t0 first.
func tokens(n int) iter.Seq2[revocation.Entry, error] {
	return func(yield func(revocation.Entry, error) bool) {
		for i := range n {
			if !yield(revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, Value: "t" + strconv.Itoa(i)}, nil) {
				return
			}
		}
	}
}

// written are the values of all token entries in the table.
func written(t *testing.T, b *stand) map[string]bool {
	t.Helper()
	got := make(map[string]bool)
	for _, v := range listed(t, b, revocation.Filter{Kinds: []revocation.Kind{revocation.KindToken}}) {
		got[v] = true
	}
	return got
}

func TestBulkThatIsStoppedResumesWhereItWas(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	const all = 2000
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	first, err := b.store.Bulk(ctx, tokens(all), revocation.BulkOptions{
		WritesPerSecond: fast,
		Settled: func(s revocation.Settled) {
			if s.Index == 700 {
				kill()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || first.Next < 701 || first.Next == all {
		t.Fatalf("Bulk = %+v, %v, want it stopped soon after 700", first, err)
	}
	have := written(t, b)
	for i := range first.Next {
		if !have["t"+strconv.Itoa(i)] {
			t.Errorf("t%d is settled and not in the table", i)
		}
	}

	second, err := b.store.Bulk(t.Context(), tokens(all), revocation.BulkOptions{WritesPerSecond: fast, Skip: first.Next})
	if err != nil || second.Next != all || second.Failed > 0 || first.Created+second.Created+second.Kept != all {
		t.Errorf("Bulk = %+v and then %+v, %v", first, second, err)
	}
	if n := len(written(t, b)); n != all {
		t.Errorf("%d entries in the table, want %d", n, all)
	}
}

func TestBulkGoesOnPastEntriesThatCannotBe(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	unreadable := errors.New("line 2: not JSON")
	entries := func(yield func(revocation.Entry, error) bool) {
		_ = yield(alice, nil) &&
			yield(revocation.Entry{}, unreadable) &&
			yield(alice, nil) &&
			yield(revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, Value: "old", ExpiresAt: today.Add(-time.Hour)}, nil) &&
			yield(revocation.Entry{Kind: revocation.KindAPIKey, Value: "NO SUCH ID"}, nil) &&
			yield(revocation.Entry{Kind: revocation.KindAPIKey, Value: "7f3a9c"}, nil)
	}
	var order []int
	var reasons []error
	sum, err := b.store.Bulk(t.Context(), entries, revocation.BulkOptions{
		WritesPerSecond: fast, Workers: 1,
		Settled: func(s revocation.Settled) {
			order = append(order, s.Index)
			if s.Err != nil {
				reasons = append(reasons, s.Err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5}, order); diff != "" {
		t.Errorf("settled in the order (-want +got):\n%s", diff)
	}
	if sum.Created+sum.Kept != 3 || sum.Created < 2 || sum.Failed != 3 || sum.Next != 6 {
		t.Errorf("%+v", sum)
	}
	if len(reasons) != 3 || !errors.Is(reasons[0], unreadable) || !errors.Is(reasons[1], revocation.ErrExpired) {
		t.Errorf("why entries failed: %v", reasons)
	}
}

func TestBulkStopsWhenTheTableFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // ends only when no goroutine is left
		var writes atomic.Int64
		db := client("http://dynamodb.invalid", transport(func(r *http.Request) (*http.Response, error) {
			if writes.Add(1) > 50 {
				return refuses(400, "AccessDeniedException", "no more")(r)
			}
			return says(200, done)(r)
		}))
		pulled := 0
		counted := func(yield func(revocation.Entry, error) bool) {
			for e, err := range tokens(100_000) {
				if pulled++; !yield(e, err) {
					return
				}
			}
		}
		sum, err := storeOf(t, db, "t", at(today)).Bulk(t.Context(), counted, revocation.BulkOptions{WritesPerSecond: fast})
		if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") || !strings.HasPrefix(err.Error(), "entry ") {
			t.Errorf("Bulk: %v, want what the table said, and where", err)
		}
		if sum.Created > 50 || sum.Next != sum.Created || sum.Failed != 0 || pulled > 200 {
			t.Errorf("%+v after %d entries, want an early stop", sum, pulled)
		}
	})
}

func TestBulkWritesNoFasterThanItMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var writes []time.Time
		db := client("http://dynamodb.invalid", transport(func(r *http.Request) (*http.Response, error) {
			writes = append(writes, time.Now())
			return says(200, done)(r)
		}))
		store := storeOf(t, db, "t", at(today))
		sum, err := store.Bulk(t.Context(), tokens(101), revocation.BulkOptions{WritesPerSecond: 50, Workers: 1})
		if err != nil || sum.Created != 101 {
			t.Fatalf("%+v, %v", sum, err)
		}
		for i := 1; i < len(writes); i++ {
			if gap := writes[i].Sub(writes[i-1]); gap < 20*time.Millisecond {
				t.Fatalf("write %d came %v after the one before, want 20ms", i, gap)
			}
		}
		if took := writes[100].Sub(writes[0]); took > 2100*time.Millisecond {
			t.Errorf("101 writes at 50 a second took %v", took)
		}
	})
}

func TestBulkOutlastsThrottling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		db := client("http://dynamodb.invalid", transport(func(r *http.Request) (*http.Response, error) {
			if requests.Add(1)%7 != 0 {
				return refuses(400, "ThrottlingException", "slow down")(r)
			}
			return says(200, done)(r)
		}))
		sum, err := storeOf(t, db, "t", at(today)).Bulk(t.Context(), tokens(5), revocation.BulkOptions{WritesPerSecond: fast, Workers: 1})
		if err != nil || sum.Created != 5 {
			t.Errorf("%+v, %v", sum, err)
		}
	})
}

func TestBulkRefusesARateOfNothing(t *testing.T) {
	t.Parallel()
	store := storeOf(t, client("http://dynamodb.invalid", fails(io.EOF)), "t", at(today))
	for _, o := range []revocation.BulkOptions{{}, {WritesPerSecond: -1}, {WritesPerSecond: 1, Skip: -1}, {WritesPerSecond: 1, Workers: -1}} {
		if _, err := store.Bulk(t.Context(), tokens(1), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func TestBulkRestoresWhatItRevoked(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	const all = 500
	if _, err := b.store.Bulk(t.Context(), tokens(all), revocation.BulkOptions{WritesPerSecond: fast}); err != nil {
		t.Fatal(err)
	}
	unreadable := errors.New("line 1: not JSON")
	entries := func(yield func(revocation.Entry, error) bool) {
		_ = yield(revocation.Entry{}, unreadable) &&
			yield(revocation.Entry{Kind: revocation.KindNetwork, Value: "office"}, nil) &&
			yield(revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, Value: "never"}, nil)
		for e, err := range tokens(all - 1) {
			if !yield(e, err) {
				return
			}
		}
	}
	sum, err := b.store.Bulk(t.Context(), entries, revocation.BulkOptions{WritesPerSecond: fast, Restore: true})
	want := revocation.Summary{Deleted: all - 1, Absent: 1, Failed: 2, Next: all + 2}
	if diff := cmp.Diff(want, sum); err != nil || diff != "" {
		t.Errorf("Bulk: %v (-want +got):\n%s", err, diff)
	}
	if got := written(t, b); len(got) != 1 || !got["t499"] {
		t.Errorf("left in the table: %v, want t499 alone", got)
	}
}

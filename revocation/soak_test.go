//go:build soak

package revocation_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/revocation"
)

var (
	entries   = flag.Int("entries", 1_000_000, "revoked entries in the large table")
	cacheSize = flag.Int("cache-size", 20_000, "revocation.cache_size")
)

// A table of a million revoked tokens costs a decision no more than an empty
// one, and the function's memory is bounded by cache_size, however many tokens
// come by.
//
//	go test -tags soak ./revocation -run Soak -v -timeout 60m
func TestSoakOfALargeTable(t *testing.T) {
	client := server.Client()
	tables := map[string]string{"empty": server.TableName(), "large": server.TableName()}
	for _, name := range tables {
		if _, err := client.CreateTable(t.Context(), revocation.TableInput(name)); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	fill(t, client, tables["large"], *entries)
	t.Logf("%d entries written in %s", *entries, time.Since(began).Round(time.Second))

	cfg := config()
	cfg.CacheSize, cfg.Timeout = *cacheSize, 5*time.Second
	checkers := map[string]*revocation.Checker{}
	for which, name := range tables {
		c, err := revocation.New(client, name, cfg, revocation.Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkers[which] = c
	}
	cold := medians(t, checkers, 4000)
	ratio := float64(cold["large"]) / float64(cold["empty"])
	t.Logf("a cold check: %s with an empty table, %s with %d entries: ratio %.3f", cold["empty"], cold["large"], *entries, ratio)
	if ratio > 1.05 {
		t.Errorf("the ratio is %.3f, over 1.05", ratio)
	}
	bounded(t, checkers["large"])
}

// fill writes n revoked tokens, as fast as the server takes them.
func fill(t *testing.T, client *dynamodb.Client, table string, n int) {
	const batch = 25
	var all sync.WaitGroup
	work := make(chan int)
	for range 16 {
		all.Go(func() {
			for from := range work {
				var puts []types.WriteRequest
				for id := from; id < min(from+batch, n); id++ {
					puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
						"pk":         &types.AttributeValueMemberS{Value: fmt.Sprintf("token#%s#revoked-%d", issuer, id)},
						"kind":       &types.AttributeValueMemberS{Value: "token"},
						"revoked_at": &types.AttributeValueMemberN{Value: fmt.Sprint(today.Unix() + int64(id))},
					}}})
				}
				for pending := map[string][]types.WriteRequest{table: puts}; len(pending) > 0; {
					out, err := client.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{RequestItems: pending})
					if err != nil {
						t.Error(err)
						return
					}
					pending = out.UnprocessedItems
				}
			}
		})
	}
	for from := 0; from < n && !t.Failed(); from += batch {
		work <- from
	}
	close(work)
	all.Wait()
}

// medians measures checks of tokens never seen before. The tables take turns,
// so that a slow moment of the machine meets both.
func medians(t *testing.T, checkers map[string]*revocation.Checker, rounds int) map[string]time.Duration {
	t.Helper()
	took := map[string][]time.Duration{}
	for n := range rounds {
		for which, c := range checkers {
			began := time.Now()
			if _, err := c.Check(t.Context(), token(fmt.Sprintf("cold-%d", n))); err != nil {
				t.Fatal(err)
			}
			took[which] = append(took[which], time.Since(began))
		}
	}
	out := map[string]time.Duration{}
	for which, all := range took {
		slices.Sort(all)
		out[which] = all[len(all)/2]
	}
	return out
}

// bounded checks four times as many tokens as the cache holds and holds the
// memory against what it was when the cache was first full.
func bounded(t *testing.T, c *revocation.Checker) {
	t.Helper()
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	pass := func(from, to int) {
		for n := from; n < to; n++ {
			if _, err := c.Check(t.Context(), token(fmt.Sprintf("passing-%d", n))); err != nil {
				t.Fatal(err)
			}
		}
	}
	size := *cacheSize
	before := heap()
	pass(0, size)
	full := heap()
	pass(size, 4*size)
	after := heap()
	t.Logf("heap: %d KB before, %d KB with the cache full of %d entries, %d KB after four times as many", before>>10, full>>10, size, after>>10)
	if grown := after - full; grown > (full-before)/2+1<<20 {
		t.Errorf("%d KB more after the cache was full", grown>>10)
	}
}

package revocation_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/revocation"
)

// empty is a table without entries and without a network.
type empty struct{}

func (empty) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	out := nothing()
	for table := range in.RequestItems {
		out.Responses[table] = nil
	}
	return out, nil
}

// nothing is the reply of a table called t that has none of the items.
func nothing() *dynamodb.BatchGetItemOutput {
	return &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{"t": {}}}
}

func benchmarkCheck(b *testing.B, parallel bool) {
	c, err := revocation.New(empty{}, "t", config(), revocation.Options{Now: at(today).Now})
	if err != nil {
		b.Fatal(err)
	}
	cred := token("t1")
	check := func() {
		if _, err := c.Check(b.Context(), cred); err != nil {
			b.Fatal(err)
		}
	}
	check()
	b.ReportAllocs()
	if !parallel {
		for b.Loop() {
			check()
		}
		return
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			check()
		}
	})
}

// A token whose six entries are cached.
func BenchmarkCachedCheck(b *testing.B)         { benchmarkCheck(b, false) }
func BenchmarkCachedCheckParallel(b *testing.B) { benchmarkCheck(b, true) }

// A token that was never seen, of a known caller: one read over loopback.
func BenchmarkColdCheck(b *testing.B) {
	s := setUp(b, config())
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		cred := token("t")
		cred.ID = string(rune('a'+i%26)) + "-" + cred.ID
		s.clock.Add(config().CacheTTL)
		if _, err := s.Check(b.Context(), cred); err != nil {
			b.Fatal(err)
		}
	}
}

// The same through an SDK client whose network costs nothing.
func BenchmarkColdCheckWithoutNetwork(b *testing.B) {
	k := at(today)
	c, err := revocation.New(client("http://dynamodb.invalid", says(200, `{"Responses":{"t":[]}}`)), "t", config(), revocation.Options{Now: k.Now})
	if err != nil {
		b.Fatal(err)
	}
	cred := token("t1")
	b.ReportAllocs()
	for b.Loop() {
		k.Add(config().CacheTTL)
		if _, err := c.Check(b.Context(), cred); err != nil {
			b.Fatal(err)
		}
	}
}

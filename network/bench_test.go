package network_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/network"
)

// blocks are n different blocks, half of each family, of lengths that
// allow-lists have.
func blocks(n int) []netip.Prefix {
	r := rand.New(rand.NewPCG(1, 2))
	seen := make(map[netip.Prefix]bool, n)
	out := make([]netip.Prefix, 0, n)
	for len(out) < n {
		var p netip.Prefix
		if len(out)%2 == 0 {
			p, _ = netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, r.Uint32()))).Prefix(20 + r.IntN(13))
		} else {
			b := netip.MustParseAddr("2001:db8::").As16()
			binary.BigEndian.PutUint64(b[4:], r.Uint64())
			p, _ = netip.AddrFrom16(b).Prefix(40 + r.IntN(25))
		}
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// BenchmarkDecision is everything a decision asks about addresses: the deny
// list, the client behind a proxy, one named list.
func BenchmarkDecision(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		all := blocks(n)
		l := static(b, network.Config{
			Static: map[string][]netip.Prefix{"office": all}, Deny: prefixes("192.0.2.0/24"), TrustedProxies: prefixes("130.176.0.0/16"),
		})
		proxy := addr("130.176.0.1")
		// As many clients for both: what differs is the list alone.
		clients := make([][]string, 1024)
		for i := range clients {
			clients[i] = []string{all[i%len(all)].Addr().String() + ", 130.176.0.1"}
		}
		b.Run(fmt.Sprintf("prefixes=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				client, _ := l.Client(proxy, clients[i%len(clients)])
				if err := l.Check(proxy, client); err != nil {
					b.Fatal(err)
				}
				if v := l.Load(b.Context(), client, "office"); !v.In("office") {
					b.Fatal(client)
				}
			}
		})
	}
}

// BenchmarkLookup is one list and one address.
func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		all := blocks(n)
		l := static(b, network.Config{Static: map[string][]netip.Prefix{"office": all}})
		views := make([]*network.View, 1024)
		for i := range views {
			views[i] = l.Load(b.Context(), all[i%len(all)].Addr())
		}
		b.Run(fmt.Sprintf("prefixes=%d", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if !views[i%len(views)].In("office") {
					b.Fatal("not found")
				}
			}
		})
	}
}

// constant is a table with one list and without a network.
type constant struct{ cidrs []string }

func (c constant) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{Item: map[string]types.AttributeValue{
		"pk": in.Key["pk"], "cidrs": &types.AttributeValueMemberSS{Value: c.cidrs},
	}}, nil
}

func inMemory(b *testing.B, n int, k *clock) *network.Lists {
	b.Helper()
	var c constant
	for _, p := range blocks(n) {
		c.cidrs = append(c.cidrs, p.String())
	}
	l, err := network.New(network.Config{Dynamic: []string{"partners"}, Table: "t", CacheTTL: cacheTTL, Timeout: cacheTTL},
		network.Options{Reader: c, Now: k.Now})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// BenchmarkCachedList is a list of the table that is known.
func BenchmarkCachedList(b *testing.B) {
	l := inMemory(b, 10_000, startClock())
	b.ReportAllocs()
	for b.Loop() {
		v := l.Load(b.Context(), addr("192.0.2.1"), "partners")
		if v.In("partners") || v.Fault() != nil {
			b.Fatal(v.Fault())
		}
	}
}

// BenchmarkUnchangedList is a list that is read again and is as it was, without
// what the network and the SDK cost.
func BenchmarkUnchangedList(b *testing.B) {
	k := startClock()
	l := inMemory(b, 10_000, k)
	b.ReportAllocs()
	for b.Loop() {
		k.Add(cacheTTL)
		if v := l.Load(b.Context(), addr("192.0.2.1"), "partners"); v.In("partners") || v.Fault() != nil || v.Reads != 1 {
			b.Fatal(v.Fault())
		}
	}
}

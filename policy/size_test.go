package policy_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"lambda-authorizer/policy"
)

func TestLargestDocumentIsTheLargestOfAnyCaller(t *testing.T) {
	t.Parallel()
	table := compile(t, nested(4))
	full := table.Largest(policy.Encoded, thingARN, 0)
	d, err := table.Cached(policy.Encoded, thingARN, full.Set)
	if err != nil {
		t.Fatal(err)
	}
	if !full.Exact || full.Bytes != len(d.JSON) {
		t.Errorf("%+v, and that caller's document has %d bytes", full, len(d.JSON))
	}
	if quick := table.Largest(policy.Encoded, thingARN, 1<<20); quick.Exact || quick.Bytes < full.Bytes {
		t.Errorf("the quick bound is %+v, the largest %d", quick, full.Bytes)
	}
}

func TestLargestDocumentIsThatOfACallerInOneNetworkAlone(t *testing.T) {
	t.Parallel()
	routes := []policy.Route{from("GET /{x+}", "office", "partners")}
	for i := range 20 {
		routes = append(routes, from(fmt.Sprintf("GET /reports/%d", i), "partners"))
	}
	table := compile(t, routes)
	full := table.Largest(policy.Encoded, thingARN, 0)
	office := policy.Caller{JWT: &policy.JWT{}, HasAddress: true, InNetwork: func(name string) bool { return name == "office" }}
	d, err := table.Cached(policy.Encoded, thingARN, table.Granted(office))
	if err != nil {
		t.Fatal(err)
	}
	if !full.Exact || full.Bytes != len(d.JSON) {
		t.Errorf("%+v, and a caller from the office gets a document of %d bytes", full, len(d.JSON))
	}
}

func TestSizeBoundHoldsForManyScopesAndIsNear(t *testing.T) {
	t.Parallel()
	for name, routes := range map[string][]policy.Route{"nested": nested(20), "flat": flat(20)} {
		table := compile(t, routes)
		bound := table.Largest(policy.Encoded, thingARN, 0)
		rng := rand.New(rand.NewPCG(1, 2))
		worst := 0
		for i := range 60 {
			token := &policy.JWT{}
			for a := range 10 {
				for _, may := range []string{"read", "write"} {
					if rng.IntN(60) <= i {
						token.Scopes = append(token.Scopes, fmt.Sprintf("area%d:%s", a, may))
					}
				}
			}
			d, err := table.Cached(policy.Encoded, thingARN, table.Granted(policy.Caller{JWT: token}))
			if err != nil {
				t.Fatal(err)
			}
			worst = max(worst, len(d.JSON))
		}
		if bound.Bytes < worst || bound.Bytes > worst+worst/4 {
			t.Errorf("%s: at most %d bytes, and a caller was seen with %d", name, bound.Bytes, worst)
		}
	}
}

package policy_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"lambda-authorizer/policy"
)

var nouns = []string{
	"users", "orders", "items", "invoices", "payments", "products", "carts", "reviews", "teams", "roles",
	"tokens", "events", "jobs", "files", "images", "tags", "reports", "webhooks", "sessions", "settings",
}

// noun is a name of which there are as many as needed.
func noun(i int) string {
	if i < len(nouns) {
		return nouns[i]
	}
	return nouns[i%len(nouns)] + strconv.Itoa(i/len(nouns))
}

// resource has the five routes of a collection. Reading and writing need a
// scope each, of ten areas.
func resource(path string, i int) []policy.Route {
	var out []policy.Route
	for _, r := range []struct{ method, path, may string }{
		{"GET", path, "read"}, {"POST", path, "write"},
		{"GET", path + "/{name}", "read"}, {"PUT", path + "/{name}", "write"}, {"DELETE", path + "/{name}", "write"},
	} {
		scope := fmt.Sprintf("area%d:%s", i%10, r.may)
		out = append(out, policy.Route{Route: r.method + " " + r.path, Require: []policy.Entry{{JWT: &policy.JWTGrant{Scopes: []string{scope}}}}})
	}
	return out
}

// nested is a table of n collections, every second one inside of another.
func nested(n int) []policy.Route {
	var out []policy.Route
	for i := range n {
		path := "/" + noun(i)
		if i%2 == 1 {
			path = "/" + noun(i-1) + "/{id}/" + noun(i)
		}
		out = append(out, resource(path, i)...)
	}
	return out
}

// flat is one where no Resource can stand for another.
func flat(n int) []policy.Route {
	var out []policy.Route
	for i := range n {
		out = append(out, resource("/"+noun(i), i)...)
	}
	return out
}

func compile(tb testing.TB, routes []policy.Route) *policy.Table {
	tb.Helper()
	t, found := policy.Compile(routes)
	if found != nil {
		tb.Fatal(found)
	}
	return t
}

func holder(areas int) policy.Caller {
	token := &policy.JWT{}
	for i := range areas {
		token.Scopes = append(token.Scopes, fmt.Sprintf("area%d:read", i), fmt.Sprintf("area%d:write", i))
	}
	return policy.Caller{JWT: token}
}

var thingARN, _ = policy.ParseARN(stage + "GET/items/7")

// BenchmarkCompile300Routes is the whole of what a table costs a start with
// caching: Compile, the overlaps that the first question finds, the bound on
// documents.
func BenchmarkCompile300Routes(b *testing.B) {
	routes := nested(60)
	var first, bound time.Duration
	for b.Loop() {
		t := compile(b, routes)
		start := time.Now()
		if _, err := t.Cached(policy.Encoded, thingARN, policy.Set{}); err != nil {
			b.Fatal(err)
		}
		first += time.Since(start)
		start = time.Now()
		t.Largest(policy.Encoded, thingARN, 8192)
		bound += time.Since(start)
	}
	b.ReportMetric(float64(len(routes)), "routes")
	b.ReportMetric(float64(first.Microseconds())/float64(b.N), "µs-overlaps/op")
	b.ReportMetric(float64(bound.Microseconds())/float64(b.N), "µs-largest/op")
}

func BenchmarkCached(b *testing.B) {
	for _, size := range []struct {
		name   string
		routes []policy.Route
		areas  int
	}{
		{"10RoutesAll", flat(2), 10},
		{"100RoutesAll", flat(20), 10},
		{"100RoutesNestedAll", nested(20), 10},
		{"100RoutesHalf", flat(20), 5},
		{"300RoutesFew", nested(60), 1},
	} {
		t := compile(b, size.routes)
		set := t.Granted(holder(size.areas))
		b.Run(size.name, func(b *testing.B) {
			b.ReportAllocs()
			bytes := 0
			for b.Loop() {
				d, err := t.Cached(policy.Encoded, thingARN, set)
				if err != nil {
					b.Fatal(err)
				}
				bytes = len(d.JSON)
			}
			b.ReportMetric(float64(bytes), "bytes")
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	t := compile(b, nested(60))
	caller := holder(3)
	id, ok := t.Match(policy.Encoded, thingARN.Method, thingARN.Path)
	if !ok {
		b.Fatal("no route")
	}
	d, err := t.Cached(policy.Encoded, thingARN, t.Granted(caller))
	if err != nil {
		b.Fatal(err)
	}
	arn := thingARN.String()
	b.Run("ParseARN", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = policy.ParseARN(arn)
		}
	})
	b.Run("Match", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			t.Match(policy.Encoded, thingARN.Method, thingARN.Path)
		}
	})
	b.Run("Decide", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = t.Decide(id, caller)
		}
	})
	b.Run("Granted", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			t.Granted(caller)
		}
	})
	b.Run("Allows", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.Allows(thingARN)
		}
	})
	b.Run("Single", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = t.Single(policy.Encoded, thingARN, id, true)
		}
	})
}

func BenchmarkLargest(b *testing.B) {
	for _, n := range []int{4, 20} {
		t := compile(b, nested(n))
		b.Run(fmt.Sprintf("%dRoutesWithin", 5*n), func(b *testing.B) {
			for b.Loop() {
				t.Largest(policy.Encoded, thingARN, 1<<20)
			}
		})
		b.Run(fmt.Sprintf("%dRoutesInFull", 5*n), func(b *testing.B) {
			var s policy.Size
			for b.Loop() {
				s = t.Largest(policy.Encoded, thingARN, 0)
			}
			b.ReportMetric(float64(s.Bytes), "bytes")
		})
	}
}

// thicket is a small table whose routes overlap in as many ways as are told
// apart.
var thicket = []policy.Route{
	scoped("GET /a/{p1}/{p2}", "s0"), scoped("ANY /a/a/{p2+}", "s1"), scoped("ANY /{p0}/a/{p2}/a/{p4}/a/a/{p7}", "s2"),
}

// BenchmarkLargestOfAThicket is what a start pays: the table, its overlaps and
// the bound on its documents.
func BenchmarkLargestOfAThicket(b *testing.B) {
	for b.Loop() {
		compile(b, thicket).Largest(policy.Encoded, thingARN, 8192)
	}
}

func TestHundredRouteMethodsStayUnder8KB(t *testing.T) {
	t.Parallel()
	for name, routes := range map[string][]policy.Route{"nested": nested(20), "flat": flat(20)} {
		table := compile(t, routes)
		d, err := table.Cached(policy.Encoded, thingARN, table.Granted(holder(10)))
		if err != nil {
			t.Fatal(err)
		}
		if table.Len() != 100 || len(d.JSON) > 8192 {
			t.Errorf("%s: %d routes make a document of %d bytes", name, table.Len(), len(d.JSON))
		}
	}
}

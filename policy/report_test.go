package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/policy"
)

func scoped(route string, scopes ...string) policy.Route {
	return policy.Route{Route: route, Require: []policy.Entry{{JWT: &policy.JWTGrant{Scopes: scopes}}}}
}

func from(route string, networks ...string) policy.Route {
	return policy.Route{Route: route, Require: []policy.Entry{{JWT: &policy.JWTGrant{}, Networks: networks}}}
}

// groups writes each inexpressible group as "route + with - refused".
func groups(table *policy.Table, form policy.PathForm) []string {
	var out []string
	for _, x := range table.Inexpressible(form) {
		var with []string
		for _, id := range x.With {
			with = append(with, table.Template(id))
		}
		out = append(out, table.Template(x.Route)+" + "+strings.Join(with, ", ")+" - "+table.Template(x.Refused))
	}
	return out
}

func TestRoutesThatNoPolicyCanSayAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		routes []policy.Route
		want   []string
	}{
		{
			"a parameter beside a static segment, which a Deny can take out",
			[]policy.Route{scoped("GET /items/{id}", "read"), scoped("GET /items/admin", "admin")},
			nil,
		},
		{
			"a proxy over a parameter, whose wildcards nobody can tell apart",
			[]policy.Route{scoped("GET /items/{id}", "read"), scoped("GET /{proxy+}", "admin")},
			[]string{"GET /{proxy+} + GET /{proxy+} - GET /items/{id}"},
		},
		{
			"the same with the same requirement",
			[]policy.Route{scoped("GET /items/{id}", "read"), scoped("GET /{proxy+}", "read")},
			nil,
		},
		{
			"a proxy whose callers may do the rest anyway",
			[]policy.Route{scoped("GET /items/{id}", "read"), scoped("GET /{proxy+}", "read", "admin")},
			nil,
		},
		{
			"nested routes beside a refused proxy",
			[]policy.Route{scoped("GET /items/{id}", "read"), scoped("GET /items/{id}/lines", "read"), scoped("GET /{proxy+}", "admin")},
			[]string{
				"GET /items/{id} + GET /items/{id}/lines - GET /{proxy+}",
				"GET /{proxy+} + GET /{proxy+} - GET /items/{id}",
				"GET /{proxy+} + GET /{proxy+} - GET /items/{id}/lines",
			},
		},
		{
			"callers of two issuers, whom nobody is at once",
			[]policy.Route{
				{Route: "GET /items/{id}", Require: []policy.Entry{{JWT: &policy.JWTGrant{Issuer: "staff"}}}},
				{Route: "GET /items/{id}/lines", Require: []policy.Entry{{JWT: &policy.JWTGrant{Issuer: "partners"}}}},
				{Route: "GET /items/{id}/{part}", Require: []policy.Entry{{APIKey: &policy.KeyGrant{}}}},
			},
			nil,
		},
		{
			"a caller in one of the networks that will do",
			[]policy.Route{
				from("GET /b/{x+}", "office", "partners"), from("GET /{x}/d", "office", "partners"), from("GET /b/{x}/d", "partners"),
			},
			[]string{"GET /b/{x+} + GET /b/{x+} - GET /b/{x}/d", "GET /{x}/d + GET /b/{x+} - GET /b/{x}/d"},
		},
		{
			"another method is another matter",
			[]policy.Route{scoped("GET /items/{id}", "read"), scoped("POST /{proxy+}", "admin")},
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, groups(compile(t, c.routes), policy.Encoded)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Too many kinds of callers to try are no reason to promise what the one not
// tried does not get.
func TestRouteIsNamedWhereCallersAreTooManyToTry(t *testing.T) {
	t.Parallel()
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprintf("s%d", i)
	}
	anyOf := func(route string, scopes []string) policy.Route {
		return policy.Route{Route: route, Require: []policy.Entry{{JWT: &policy.JWTGrant{AnyScope: scopes}}}}
	}
	table := compile(t, []policy.Route{anyOf("GET /items/{id}", many[:299]), anyOf("GET /{proxy+}", many)})
	if diff := cmp.Diff([]string{"GET /{proxy+} + GET /{proxy+} - GET /items/{id}"}, groups(table, policy.Encoded)); diff != "" {
		t.Error(diff)
	}
}

func TestNameWithUmlautsIsNoMatterWhereThePathIsDecoded(t *testing.T) {
	t.Parallel()
	table := compile(t, []policy.Route{scoped("GET /{page}", "read"), scoped("GET /café", "admin")})
	if got := groups(table, policy.Decoded); got != nil {
		t.Errorf("decoded: %q", got)
	}
	if diff := cmp.Diff([]string{"GET /{page} + GET /{page} - GET /café"}, groups(table, policy.Encoded)); diff != "" {
		t.Error(diff)
	}
}

func TestInexpressibleGroupSaysTheWaysOut(t *testing.T) {
	t.Parallel()
	table := compile(t, []policy.Route{scoped("GET /items/{id}", "read"), scoped("GET /items/{id}/lines", "read"), scoped("ANY /{proxy+}", "admin")})
	got := table.Inexpressible(policy.Encoded)[0].Text(table)
	const want = "a cached policy cannot open GET /items/{id} together with GET /items/{id}/lines to a caller who may not use ANY /{proxy+} (GET), " +
		"since a policy's wildcards cross slashes: one of them is left out of it and answers 500 (policy_inexact). " +
		"Require the same of these routes, give them paths that do not overlap, or set gateway.cache_ttl to 0s"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRouteThatNoRequestReachesIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		routes []string
		want   string
	}{
		{"neighbours", []string{"GET /items/{id}", "GET /items/admin", "ANY /items/{id}", "GET /{proxy+}", "$default"}, ""},
		{"ANY beside every method", []string{"ANY /a", "GET /a", "HEAD /a", "OPTIONS /a", "POST /a", "PUT /a", "PATCH /a", "DELETE /a"}, "ANY /a"},
		{"$default beside a proxy and the root", []string{"$default", "ANY /{proxy+}", "ANY /"}, "$default"},
		{"$default beside a proxy alone", []string{"$default", "ANY /{proxy+}"}, ""},
		{"a greedy route that longer ones share out", []string{"GET /a/{x+}", "GET /a/{x}", "GET /a/{x}/{y+}"}, "GET /a/{x+}"},
		{"one that keeps the short paths", []string{"GET /a/{x+}", "GET /a/{x}/{y+}"}, ""},
		{"a connection", []string{"$connect", "$default"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := tableOf(t, c.routes...)
			var got []string
			for _, s := range table.Shadowed() {
				got = append(got, table.Template(s.Route))
				if len(s.By) == 0 {
					t.Error("by nobody")
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("shadowed %q, want %q", got, c.want)
			}
		})
	}
}

func TestReachTellsWhatACachedCopyDoes(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /items/{id}", "GET /items/{id}/lines", "GET /items/{id}/notes/{n}", "POST /items", "ANY /{proxy+}", "$connect")
	r := table.Reach(policy.Encoded, table.SetOf(0, 1, 3, 5))
	use := func(id policy.RouteID, methods ...string) []policy.Use {
		var out []policy.Use
		for _, m := range methods {
			out = append(out, policy.Use{Route: id, Method: m})
		}
		return out
	}
	want := policy.Reach{
		Opens:   slices.Concat(use(1, "GET"), use(3, "POST"), use(5, "")),
		Closes:  slices.Concat(use(2, "GET"), use(4, anyMethods...)),
		LeftOut: use(0, "GET"),
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
}

func TestPathsThatACachedCopyAlsoOpensAreNamed(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /items/{id}", "GET /items/{id}/lines", "PUT /items/{id}", "GET /files/{path+}")
	if diff := cmp.Diff([]string{"GET /items/*/*"}, table.AlsoOpens(policy.Encoded)); diff != "" {
		t.Error(diff)
	}
	alone := table.Reach(policy.Encoded, table.SetOf(0, 2))
	if alone.AlsoOpens != nil {
		t.Errorf("a caller who may not read lines also gets %q", alone.AlsoOpens)
	}
}

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

// A table that overlaps everywhere must not take forever: what cannot be told
// in time is closed.
func TestTangledTableIsClosedAndNotSlow(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var routes []policy.Route
	known := map[string]bool{}
	for len(routes) < 60 {
		path := ""
		for i := range 1 + rng.IntN(14) {
			path += []string{"/a", "/b", fmt.Sprintf("/{p%d}", i)}[rng.IntN(3)]
		}
		if rng.IntN(4) == 0 {
			path += "/{rest+}"
		}
		if !known[path] {
			known[path] = true
			routes = append(routes, scoped("ANY "+path, fmt.Sprintf("s%d", rng.IntN(6))))
		}
	}
	v := view{world: world{form: policy.Encoded, stage: stage, routes: routes, table: compile(t, routes)}}
	v.caller = policy.Caller{JWT: &policy.JWT{Scopes: []string{"s0", "s1", "s2"}}}
	for _, r := range routes {
		v.opinion = append(v.opinion, r.Route)
		v.granted = append(v.granted, grants(r.Require, v.caller))
	}
	set := v.table.Granted(v.caller)
	v.reach, v.named = v.table.Reach(v.form, set), v.table.Inexpressible(v.form)
	d, err := v.table.Cached(v.form, v.arn("GET", ""), set)
	if err != nil {
		t.Fatal(err)
	}
	if v.iam, err = readDocument(d.JSON); err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		var path []string
		for range 1 + rng.IntN(15) {
			path = append(path, []string{"a", "b", "7"}[rng.IntN(3)])
		}
		if said := v.judge("GET", strings.Join(path, "/")); said != "" {
			t.Fatalf("GET %v %s", path, said)
		}
	}
}

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

func TestCallersOfIssuersThatNobodyAcceptsAreNoCallers(t *testing.T) {
	t.Parallel()
	of := func(route, issuer string) policy.Route {
		return policy.Route{Route: route, Require: []policy.Entry{{JWT: &policy.JWTGrant{Issuer: issuer}}}}
	}
	routes := []policy.Route{of("GET /{proxy+}", ""), of("GET /items/{id}", "main"), of("GET /items/{id}/{n}", "main")}
	for _, r := range []string{"GET /reports", "GET /reports/{r}/lines"} {
		routes = append(routes, policy.Route{Route: r, Require: []policy.Entry{{JWT: &policy.JWTGrant{Issuer: "main"}}, {JWT: &policy.JWTGrant{Issuer: "other"}}}})
	}
	for _, c := range []struct {
		issuers []string
		named   []string
	}{
		{nil, []string{"GET /items/{id}", "GET /items/{id}/{n}", "GET /reports/{r}/lines"}},
		{[]string{"main"}, nil},
		{[]string{"main", "other"}, []string{"GET /items/{id}", "GET /items/{id}/{n}"}},
		{[]string{"main", "third"}, []string{"GET /items/{id}", "GET /items/{id}/{n}", "GET /reports/{r}/lines"}},
	} {
		table, found := policy.Compile(routes, c.issuers...)
		if found != nil {
			t.Fatal(found)
		}
		var named []string
		for _, x := range table.Inexpressible(policy.Encoded) {
			named = append(named, table.Template(x.Refused))
		}
		if diff := cmp.Diff(c.named, named); diff != "" {
			t.Errorf("with %q: %s", c.issuers, diff)
		}
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

func TestInexpressibleGroupSaysWhy(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("m", 200)
	for because, routes := range map[string][]policy.Route{
		"in more ways than a policy can deny: the first is left out": {scoped("GET /{page}", "read"), scoped("GET /café", "admin")},
		"longer than the 512 characters of a Resource: the first":    {scoped("GET /{x}/"+long, "read"), scoped("GET /n"+long+"/{y+}", "admin")},
	} {
		table := compile(t, routes)
		named := table.Inexpressible(policy.Encoded)
		if len(named) != 1 || !strings.Contains(named[0].Text(table), because) {
			t.Errorf("%+v does not say: %s", named, because)
		}
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

package policy_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
)

// A shop is a table with the neighbours that make trouble: a parameter beside
// a static segment, runs over slashes, a greedy route, ANY, the root.
var shop = []string{
	"GET /", "GET /items", "POST /items", "GET /items/{id}", "PUT /items/{id}", "DELETE /items/{id}",
	"GET /items/admin", "GET /items/{id}/lines", "POST /items:batch", "POST /{verb}", "GET /files/{path+}", "ANY /admin/{proxy+}",
}

func parse(tb testing.TB, arn string) policy.ARN {
	tb.Helper()
	a, err := policy.ParseARN(arn)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// statements are a document's Resources after the stage, by effect.
func statements(tb testing.TB, d *policy.Document) map[string][]string {
	tb.Helper()
	iam, err := readDocument(d.JSON)
	if err != nil {
		tb.Fatal(err)
	}
	if iam.Version != "2012-10-17" {
		tb.Errorf("version %q", iam.Version)
	}
	out := map[string][]string{}
	for _, s := range iam.Statement {
		if s.Action != "execute-api:Invoke" {
			tb.Errorf("action %q", s.Action)
		}
		for _, r := range s.Resource {
			out[s.Effect] = append(out[s.Effect], strings.TrimPrefix(r, stage))
		}
	}
	return out
}

func TestUncachedDocumentIsOneStatementAboutTheRequest(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /items/{id}", "ANY /admin/{proxy+}", "GET /café", "$default", "GET /", "$connect")
	for _, c := range []struct {
		name, arn string
		form      policy.PathForm
		want      string
	}{
		{"a parameter", "GET/items/7", policy.Encoded, "GET/items/?*"},
		{"a greedy parameter, for the method asked", "PUT/admin/a/b", policy.Encoded, "PUT/admin/?*"},
		{"encoded", "GET/caf%C3%A9", policy.Encoded, "GET/caf%C3%A9"},
		{"decoded", "GET/café", policy.Decoded, "GET/café"},
		{"$default", "POST/what/ever", policy.Decoded, "POST/*"},
		{"the root", "GET/", policy.Encoded, "GET/"},
		{"a connection", "$connect", policy.Encoded, "$connect"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := parse(t, stage+c.arn)
			id, ok := table.Match(c.form, a.Method, a.Path)
			if !ok {
				t.Fatal("no route")
			}
			allowed, err := table.Single(c.form, a, id, true)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string][]string{"Allow": {c.want}}, statements(t, allowed)); diff != "" {
				t.Error(diff)
			}
			refused, err := table.Single(c.form, a, id, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string][]string{"Deny": {"*"}}, statements(t, refused)); diff != "" {
				t.Error(diff)
			}
			if !allowed.Allows(a) || refused.Allows(a) {
				t.Error("the documents do not say so")
			}
		})
	}
}

func TestRouteThatDoesNotDecideIsNotAllowed(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /items/{id}", "GET /items/admin", "$connect")
	for arn, id := range map[string]policy.RouteID{
		"PUT/items/7": 0, "GET/items/admin": 0, "GET/items/7": 1, "GET/other": 0, "GET/items/8": -1, "GET/items/9": 99, "GET/items/$connect": 2, "$connect": 0,
	} {
		if d, err := table.Single(policy.Encoded, parse(t, stage+arn), id, true); !errors.Is(err, reason.Internal) {
			t.Errorf("%s by %d: %v %v", arn, id, d, err)
		}
	}
	if err := table.Decide(-1, policy.Caller{}); !errors.Is(err, reason.RouteUnknown) {
		t.Errorf("no route is decided %v", err)
	}
}

func TestCachedDocumentReadsWell(t *testing.T) {
	t.Parallel()
	table := tableOf(t, shop...)
	id := func(routes ...string) policy.Set {
		var ids []policy.RouteID
		for _, r := range routes {
			i, ok := table.Lookup(r)
			if !ok {
				t.Fatal(r)
			}
			ids = append(ids, i)
		}
		return table.SetOf(ids...)
	}
	d, err := table.Cached(policy.Decoded, parse(t, stage+"GET/items"), id("GET /items", "GET /items/{id}", "PUT /items/{id}"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"Allow": {"GET/items", "GET/items/?*", "PUT/items/?*"},
		"Deny": {
			"GET/items/admin", "*/*/*/*", // a refused neighbour, and all that is longer than what is allowed
			"GET/", "POST/*", "DELETE/items/*", "GET/files/*", "*/admin/*",
			"arn:aws:execute-api:*:*:*/.", "arn:aws:execute-api:*:*:*/..", `arn:aws:execute-api:*:*:*\*`,
			"arn:aws:execute-api:*:*:*%2F*", "arn:aws:execute-api:*:*:*%2f*", "arn:aws:execute-api:*:*:*%5C*",
			"arn:aws:execute-api:*:*:*%5c*", "arn:aws:execute-api:*:*:*%2E*", "arn:aws:execute-api:*:*:*%2e*",
		},
	}
	got := statements(t, d)
	sortAll := cmp.Transformer("set", func(list []string) map[string]bool { return union(list, nil) })
	if diff := cmp.Diff(want, got, sortAll); diff != "" {
		t.Error(diff)
	}
}

func TestCallerWithoutAnyRouteIsRefusedOutLoud(t *testing.T) {
	t.Parallel()
	table := tableOf(t, append(shop, "$connect")...)
	for _, arn := range []string{"GET/items", "$connect"} {
		d, err := table.Cached(policy.Encoded, parse(t, stage+arn), policy.Set{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string][]string{"Deny": {"*"}}, statements(t, d)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDocumentForAConnectionIsAboutConnect(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "$connect", "GET /items")
	a := parse(t, stage+"$connect")
	d, err := table.Cached(policy.Encoded, a, table.SetOf(0, 1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"Allow": {"$connect"}}, statements(t, d)); diff != "" || !d.Allows(a) {
		t.Error(diff)
	}
	if d, err = table.Cached(policy.Encoded, a, table.SetOf(1)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"Deny": {"*"}}, statements(t, d)); diff != "" || d.Allows(a) {
		t.Errorf("a caller of other routes may connect: %s", d.JSON)
	}
	d, err = table.Cached(policy.Encoded, parse(t, stage+"GET/items"), table.SetOf(0))
	if err != nil {
		t.Fatal(err)
	}
	if d.Allows(a) || d.Allows(parse(t, stage+"GET/items")) {
		t.Errorf("a caller who may connect may do more: %s", d.JSON)
	}
}

func TestNothingButTheStageComesFromTheRequest(t *testing.T) {
	t.Parallel()
	table := tableOf(t, shop...)
	set := table.SetOf(1, 3, 7)
	plain, err := table.Cached(policy.Encoded, parse(t, stage+"GET/items"), set)
	if err != nil {
		t.Fatal(err)
	}
	for _, arn := range []string{"DELETE/x/*/?", "PATCH/" + strings.Repeat("a:b/", 500), "GET/\"],\"Effect\":\"Allow"} {
		d, err := table.Cached(policy.Encoded, parse(t, stage+arn), set)
		if err != nil || string(d.JSON) != string(plain.JSON) {
			t.Errorf("%s makes another document, %v", arn, err)
		}
	}
}

func TestStageOfAConsoleTestOpensNoOtherPath(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /items", "DELETE /{a}/{b}/{c}")
	d, err := table.Cached(policy.Encoded, parse(t, api+"*/GET/items"), table.SetOf(0))
	if err != nil {
		t.Fatal(err)
	}
	for arn, want := range map[string]bool{
		api + "*/GET/items":              true,
		api + "*/DELETE/x/GET/items":     false,
		api + "prod/GET/items":           false,
		api + "prod/DELETE/x/GET/items":  false,
		api + "*/GET/items/":             false,
		api + "null/DELETE/v/GET/items":  false,
		api + "$default/GET/GET/items/x": false,
	} {
		iam, err := readDocument(d.JSON)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Allows(parse(t, arn)); got != want || iam.allows(arn) != want {
			t.Errorf("%s: %t", arn, got)
		}
	}
}

func TestDocumentOfOneAPIOpensNoOther(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "ANY /{p+}", "GET /")
	d, err := table.Cached(policy.Encoded, parse(t, stage+"GET/x"), table.SetOf(0, 1))
	if err != nil {
		t.Fatal(err)
	}
	for arn, want := range map[string]bool{
		stage + "GET/x":        true,
		api + "test/GET/x":     false,
		api + "production/x/x": false,
		"arn:aws:execute-api:eu-west-1:123456789012:other/prod/GET/x":                                                                         false,
		"arn:aws:execute-api:eu-west-2:123456789012:a1b2c3d4e5/prod/GET/x":                                                                    false,
		"arn:aws:execute-api:eu-west-1:210987654321:a1b2c3d4e5/prod/GET/x":                                                                    false,
		"arn:aws-cn:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/x":                                                                 false,
		"arn:aws:execute-api:eu-west-1:123456789012:other/prod/GET/arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/x":          false,
		"arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/x/GET/x:arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/x/prod": false,
	} {
		a, err := policy.ParseARN(arn)
		if err != nil {
			continue
		}
		if got := d.Allows(a); got != want {
			t.Errorf("%s: %t", arn, got)
		}
	}
}

func TestResourceThatIsTooLongIsAFault(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /"+strings.Repeat("a", 370))
	_, err := table.Cached(policy.Encoded, parse(t, stage+"GET/x"), table.SetOf(0))
	if err != nil {
		t.Errorf("an ordinary stage is too long: %v", err)
	}
	_, err = table.Cached(policy.Encoded, parse(t, api+strings.Repeat("s", 128)+"/GET/x"), table.SetOf(0))
	if !errors.Is(err, reason.PolicyTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestTableServesManyAtOnce(t *testing.T) {
	t.Parallel()
	table := tableOf(t, shop...)
	a := parse(t, stage+"GET/items/7")
	want, err := table.Cached(policy.Encoded, a, table.SetOf(1, 3, 7))
	if err != nil {
		t.Fatal(err)
	}
	fresh := tableOf(t, shop...)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				d, err := fresh.Cached(policy.Encoded, a, fresh.SetOf(1, 3, 7))
				if err != nil || string(d.JSON) != string(want.JSON) || !d.Allows(a) {
					t.Errorf("another document: %v", err)
				}
				fresh.Match(policy.Encoded, "GET", "items/7")
				fresh.Granted(policy.Caller{JWT: &policy.JWT{}})
			}
		})
	}
	all.Wait()
}

// Either route's path fits into a Resource, and what they share does not.
func TestDenyThatDoesNotFitIntoAResourceIsNotPromised(t *testing.T) {
	t.Parallel()
	l1, l2 := strings.Repeat("m", 170), strings.Repeat("n", 170)
	routes := []policy.Route{scoped("GET /{x}/"+l1+"/"+l2, "s1"), scoped("GET /"+l2+"/"+l1+"/{y}/q", "s1"), scoped("GET /"+l2+"/"+l1+"/{y+}", "s2")}
	for _, form := range []policy.PathForm{policy.Encoded, policy.Decoded} {
		v := view{world: world{form: form, stage: stage, routes: routes, table: compile(t, routes)}}
		v.caller = policy.Caller{JWT: &policy.JWT{Scopes: []string{"s1"}}}
		for _, r := range routes {
			v.opinion = append(v.opinion, r.Route)
			v.granted = append(v.granted, grants(r.Require, v.caller))
		}
		set := v.table.Granted(v.caller)
		v.reach, v.named = v.table.Reach(form, set), v.table.Inexpressible(form)
		d, err := v.table.Cached(form, v.arn("GET", ""), set)
		if err != nil {
			t.Fatal(err)
		}
		if v.iam, err = readDocument(d.JSON); err != nil {
			t.Fatal(err)
		}
		for _, path := range words([]string{l1, l2, "q", "7"}, 5) {
			if said := v.judge("GET", path); said != "" {
				t.Errorf("GET %s %s", path, said)
			}
		}
		if longest := v.table.LongestResource(form, v.arn("GET", ""), true); longest.Characters > policy.MaxResource {
			t.Errorf("%+v is promised", longest)
		}
	}
}

// words are the paths of up to longest of these segments.
func words(texts []string, longest int) []string {
	out, last := []string{}, []string{""}
	for range longest {
		var next []string
		for _, w := range last {
			for _, s := range texts {
				next = append(next, strings.TrimPrefix(w+"/"+s, "/"))
			}
		}
		out, last = append(out, next...), next
	}
	return out
}

package policy_test

import (
	"slices"
	"strings"
	"testing"

	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
)

// anyToken opens a route to any valid token.
func anyToken() []policy.Entry { return []policy.Entry{{JWT: &policy.JWTGrant{}}} }

func tableOf(tb testing.TB, routes ...string) *policy.Table {
	tb.Helper()
	var list []policy.Route
	for _, r := range routes {
		list = append(list, policy.Route{Route: r, Require: anyToken()})
	}
	return compile(tb, list)
}

func TestRouteThatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, route, says string }{
		{"nothing at all", "", "missing"},
		{"no path", "GET", `write "METHOD /path"`},
		{"no path behind the space", "GET ", `write "METHOD /path"`},
		{"no method", "/items", `write "METHOD /path"`},
		{"two spaces", "GET  /items", "must begin with a slash"},
		{"a method in lower case", "get /items", "upper case, GET"},
		{"any in lower case", "any /items", "upper case, ANY"},
		{"a star for ANY", "* /items", "write ANY"},
		{"a method that API Gateway does not have", "TRACE /items", "one of GET, HEAD"},
		{"an unknown method", "FETCH /items", "one of GET, HEAD"},
		{"a path without its slash", "GET items", "must begin with a slash"},
		{"a slash at the end", "GET /items/", "ends in a slash"},
		{"an empty segment", "GET /items//lines", "empty segment"},
		{"only slashes", "GET //", "empty segment"},
		{"a dot segment", "GET /items/../admin", `".." matches no request`},
		{"a star", "GET /items/*", "wildcard in a policy"},
		{"a star inside", "GET /items/a*b", "wildcard in a policy"},
		{"a question mark", "GET /items/a?b=1", "wildcard in a policy"},
		{"an encoded character", "GET /caf%C3%A9", "not its percent-encoding"},
		{"a blank", "GET /my items", "cannot stand in a path"},
		{"a backslash", `GET /items\lines`, "cannot stand in a path"},
		{"a control character", "GET /items\x00", "cannot stand in a path"},
		{"invalid UTF-8", "GET /items\xff", "not valid UTF-8"},
		{"a fragment", "GET /items#top", "cannot stand in a path"},
		{"a greedy segment that is not last", "GET /files/{path+}/meta", "must be last"},
		{"a parameter within a segment", "GET /items/{id}.json", "whole segment"},
		{"a parameter that is not closed", "GET /items/{id", "whole segment"},
		{"a parameter that is not opened", "GET /items/id}", "whole segment"},
		{"braces in braces", "GET /items/{{id}}", "whole segment"},
		{"two parameters in a segment", "GET /items/{a}{b}", "whole segment"},
		{"a parameter without a name", "GET /items/{}", "name a parameter"},
		{"a greedy parameter without a name", "GET /items/{+}", "name a parameter"},
		{"a star as parameter", "GET /items/{proxy*}", "name a parameter"},
		{"a parameter twice", "GET /items/{id}/lines/{id}", `"id" stands in it twice`},
		{"a method for $default", "ANY $default", "must begin with a slash"},
		{"a method for $connect", "GET $connect", "must begin with a slash"},
		{"$disconnect", "$disconnect", "on $connect alone"},
		{"too many segments", "GET " + strings.Repeat("/a", 31), "at most 30"},
		{"too long for a Resource", "GET /" + strings.Repeat("a", 400), "at most 384 fit"},
		{"too long once encoded", "GET /" + strings.Repeat("é", 70), "at most 384 fit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, found := policy.Compile([]policy.Route{{Route: c.route, Require: anyToken()}})
			if table != nil || len(found) != 1 || found[0].Path != "[0].route" || !strings.Contains(found[0].Text, c.says) {
				t.Errorf("got %v, want one problem with %q", found, c.says)
			}
		})
	}
}

func TestRouteThatIsUnusualIsTaken(t *testing.T) {
	t.Parallel()
	for _, route := range []string{
		"GET /", "ANY /", "$default", "$connect", "GET /{proxy+}", "GET /users:batch", "GET /café", "GET /a/{x}/b/{y+}",
		"GET /$metadata", "GET /v1.0/~me", "GET /ключ", "PATCH /{a.b-c_d:e}", "GET /a,b;c=d(e)'f!", "GET " + strings.Repeat("/a", 30),
	} {
		if _, found := policy.Compile([]policy.Route{{Route: route, Require: anyToken()}}); found != nil {
			t.Errorf("%s: %v", route, found)
		}
	}
}

func TestSameRouteTwiceIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first, second string
		same          bool
	}{
		{"GET /items/{id}", "GET /items/{id}", true},
		{"GET /items/{id}", "GET /items/{name}", true},
		{"GET /{a}/{b+}", "GET /{b}/{a+}", true},
		{"$default", "$default", true},
		{"$connect", "$connect", true},
		{"GET /items/{id}", "ANY /items/{id}", false},
		{"GET /items/{id}", "GET /items/{id+}", false},
		{"GET /items/{id}", "GET /items/id", false},
		{"$default", "ANY /{proxy+}", false},
	} {
		_, found := policy.Compile([]policy.Route{{Route: c.first, Require: anyToken()}, {Route: c.second, Require: anyToken()}})
		if !c.same && found != nil {
			t.Errorf("%s and %s: %v", c.first, c.second, found)
		}
		if c.same && (len(found) != 1 || found[0].Path != "[1].route" || !strings.Contains(found[0].Text, "same route as [0]")) {
			t.Errorf("%s and %s: %v", c.first, c.second, found)
		}
	}
}

func TestRequirementThatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	jwt := func(g policy.JWTGrant) []policy.Entry { return []policy.Entry{{JWT: &g}} }
	for _, c := range []struct {
		name    string
		require []policy.Entry
		at      string
	}{
		{"no entries", nil, "[0].require"},
		{"no entries, written out", []policy.Entry{}, "[0].require"},
		{"an empty entry", []policy.Entry{{}}, "[0].require[0]"},
		{"an empty second entry", []policy.Entry{{JWT: &policy.JWTGrant{}}, {}}, "[0].require[1]"},
		{"a network without a credential", []policy.Entry{{Networks: []string{"office"}}}, "[0].require[0]"},
		{"no scopes in the list", jwt(policy.JWTGrant{Scopes: []string{}}), "[0].require[0].jwt.scopes"},
		{"no alternatives in the list", jwt(policy.JWTGrant{AnyScope: []string{}}), "[0].require[0].jwt.any_scope"},
		{"an empty scope", jwt(policy.JWTGrant{Scopes: []string{"read", ""}}), "[0].require[0].jwt.scopes[1]"},
		{"two scopes in one string", jwt(policy.JWTGrant{Scopes: []string{"read write"}}), "[0].require[0].jwt.scopes[0]"},
		{"a scope twice", jwt(policy.JWTGrant{Scopes: []string{"read", "read"}}), "[0].require[0].jwt.scopes[1]"},
		{"an alternative that is required", jwt(policy.JWTGrant{Scopes: []string{"read"}, AnyScope: []string{"admin", "read"}}), "[0].require[0].jwt.any_scope[1]"},
		{"claims without any", jwt(policy.JWTGrant{Claims: map[string][]any{}}), "[0].require[0].jwt.claims"},
		{"a claim without values", jwt(policy.JWTGrant{Claims: map[string][]any{"role": {}}}), "[0].require[0].jwt.claims.role"},
		{"a claim without a name", jwt(policy.JWTGrant{Claims: map[string][]any{"": {"x"}}}), "[0].require[0].jwt.claims."},
		{"null for a value", jwt(policy.JWTGrant{Claims: map[string][]any{"role": {"x", nil}}}), "[0].require[0].jwt.claims.role[1]"},
		{"a list for a value", jwt(policy.JWTGrant{Claims: map[string][]any{"role": {[]any{"x"}}}}), "[0].require[0].jwt.claims.role[0]"},
		{"a number past 2^53", jwt(policy.JWTGrant{Claims: map[string][]any{"n": {uint64(1 << 53)}}}), "[0].require[0].jwt.claims.n[0]"},
		{"a value twice", jwt(policy.JWTGrant{Claims: map[string][]any{"n": {1, uint64(1)}}}), "[0].require[0].jwt.claims.n[1]"},
		{"no scopes of a key", []policy.Entry{{APIKey: &policy.KeyGrant{Scopes: []string{}}}}, "[0].require[0].api_key.scopes"},
		{"no alternatives of a key", []policy.Entry{{APIKey: &policy.KeyGrant{AnyScope: []string{}}}}, "[0].require[0].api_key.any_scope"},
		{"no scopes of a signature", []policy.Entry{{Signature: &policy.KeyGrant{Scopes: []string{}}}}, "[0].require[0].signature.scopes"},
		{"no networks in the list", []policy.Entry{{JWT: &policy.JWTGrant{}, Networks: []string{}}}, "[0].require[0].networks"},
		{"an empty network", []policy.Entry{{JWT: &policy.JWTGrant{}, Networks: []string{""}}}, "[0].require[0].networks[0]"},
		{"a network twice", []policy.Entry{{JWT: &policy.JWTGrant{}, Networks: []string{"a", "a"}}}, "[0].require[0].networks[1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, found := policy.Compile([]policy.Route{{Route: "GET /items", Require: c.require}})
			if table != nil || len(found) != 1 || found[0].Path != c.at || found[0].Text == "" {
				t.Errorf("got %v, want one problem at %s", found, c.at)
			}
		})
	}
}

func TestEveryProblemIsFoundAtOnce(t *testing.T) {
	t.Parallel()
	_, found := policy.Compile([]policy.Route{
		{Route: "get /items"},
		{Route: "GET /ok", Require: anyToken()},
		{Route: "GET /items/*", Require: []policy.Entry{{JWT: &policy.JWTGrant{Scopes: []string{""}}}}},
		{Route: "GET /ok", Require: anyToken()},
	})
	var at []string
	for _, p := range found {
		at = append(at, p.Path)
	}
	want := []string{"[0].route", "[0].require", "[2].route", "[2].require[0].jwt.scopes[0]", "[3].route"}
	if !slices.Equal(at, want) {
		t.Errorf("problems at %q, want %q", at, want)
	}
}

func TestTableWithoutRoutesIsRefused(t *testing.T) {
	t.Parallel()
	if _, found := policy.Compile(nil); len(found) != 1 || found[0] != (problem.Problem{Text: "no route is listed, so every request would be refused"}) {
		t.Error(found)
	}
}

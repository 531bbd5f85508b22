package policy_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"lambda-authorizer/policy"
)

const (
	api   = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/"
	stage = api + "prod/"
)

var (
	scopes   = []string{"s1", "s2", "s3"}
	networks = []string{"office", "partners"}
)

// world is a random table, a caller, and the other opinion on both.
type world struct {
	table   *policy.Table
	routes  []policy.Route
	opinion tableOpinion
	caller  policy.Caller
	granted []bool
	form    policy.PathForm
	stage   string // the ARN up to the method
}

var (
	staticTexts = []string{"a", "b", "admin", "adm", "x:y", "é", "v1.0"}
	paramTexts  = []string{
		"7", "a", "b", "admin", "adm", "admin2", "z", "x:y", "x%3Ay", "x%3ay", "é", "%C3%A9", "%c3%a9", "v1.0",
		"*", "?", ":", "a*", "a%20b", "%2A", "%3F", "{id}", "%7Bid%7D", "100%", "%25", "a;b", "%C2%A0", "%c2%bf", "%E2%80%99", "%2520", "%25C3", "%2525", "ключ", "%D0%BA", strings.Repeat("k", 300), strings.Repeat("long-", 400),
	}
	oddTexts = []string{
		"", ".", "..", "%2e", "%2E%2E", "%61", "%61dmin", "adm%69n", "a%2Fb", "a%2fb", "%5c", "a\\b", "%00", "%0a", "%7F", "\x00", "\xff", "%FF",
		"%", "%4", "%zz", "a?b", "a#b", "%252F", "%255c", "%252e%252e", "%C2%85", "%c2%9F", "%25%32%66", "\u0085", "a%2", "v1%2E0", "b%2e",
	}
)

func drawTemplate(t *rapid.T) string {
	n := rapid.IntRange(0, 4).Draw(t, "depth")
	if rapid.IntRange(0, 19).Draw(t, "deep") == 0 {
		n = rapid.IntRange(6, 10).Draw(t, "depth")
	}
	path := ""
	for i := range n {
		switch k := rapid.IntRange(0, 9).Draw(t, "kind"); {
		case k < 5:
			path += "/" + rapid.SampledFrom(staticTexts).Draw(t, "static")
		case k < 9 || i < n-1:
			path += fmt.Sprintf("/{p%d}", i)
		default:
			path += "/{rest+}"
		}
	}
	method := rapid.SampledFrom([]string{"GET", "GET", "POST", "ANY"}).Draw(t, "method")
	return method + " " + or(path, "/")
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// drawRequire draws all sorts of entries, or such as differ by network alone.
func drawRequire(t *rapid.T, alike bool) []policy.Entry {
	some := func(label string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(scopes), 1, 2, rapid.ID[string]).Draw(t, label)
	}
	from := func() []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(networks), 1, 2, rapid.ID[string]).Draw(t, "networks")
	}
	if alike {
		return []policy.Entry{{JWT: &policy.JWTGrant{}, Networks: from()}}
	}
	var out []policy.Entry
	for range rapid.IntRange(1, 2).Draw(t, "entries") {
		switch rapid.IntRange(0, 6).Draw(t, "entry") {
		case 0:
			out = append(out, policy.Entry{JWT: &policy.JWTGrant{}})
		case 1:
			out = append(out, policy.Entry{JWT: &policy.JWTGrant{AnyScope: some("any")}})
		case 2:
			out = append(out, policy.Entry{APIKey: &policy.KeyGrant{Scopes: some("key")}})
		case 3:
			out = append(out, policy.Entry{JWT: &policy.JWTGrant{Claims: map[string][]any{"g": {"ops", "dev"}}}, Networks: from()})
		case 4:
			out = append(out, policy.Entry{JWT: &policy.JWTGrant{}, Networks: from()})
		default:
			out = append(out, policy.Entry{JWT: &policy.JWTGrant{Scopes: some("all")}})
		}
	}
	return out
}

func drawCaller(t *rapid.T) policy.Caller {
	held := func(label string) []string {
		return rapid.SliceOfDistinct(rapid.SampledFrom(scopes), rapid.ID[string]).Draw(t, label)
	}
	in := rapid.SliceOfDistinct(rapid.SampledFrom(networks), rapid.ID[string]).Draw(t, "in")
	c := policy.Caller{HasAddress: rapid.Bool().Draw(t, "address"), InNetwork: func(name string) bool { return slices.Contains(in, name) }}
	if rapid.IntRange(0, 4).Draw(t, "token") > 0 {
		c.JWT = &policy.JWT{Scopes: held("scopes"), Claims: map[string]any{}}
		if g := rapid.SampledFrom([]any{nil, "ops", "qa", []any{"x", "dev"}}).Draw(t, "g"); g != nil {
			c.JWT.Claims["g"] = g
		}
	}
	if rapid.Bool().Draw(t, "api key") {
		c.APIKey = &policy.Key{Scopes: held("key scopes")}
	}
	return c
}

// grants is the other opinion on Decide.
func grants(entries []policy.Entry, c policy.Caller) bool {
	subset := func(want, have []string) bool {
		return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
	}
	for _, e := range entries {
		ok := true
		if j := e.JWT; j != nil {
			ok = c.JWT != nil && subset(j.Scopes, c.JWT.Scopes)
			ok = ok && (j.AnyScope == nil || len(union(j.AnyScope, c.JWT.Scopes)) < len(j.AnyScope)+len(c.JWT.Scopes))
			for name, values := range j.Claims {
				ok = ok && slices.ContainsFunc(values, func(v any) bool { return strings.Contains(fmt.Sprint(c.JWT.Claims[name]), v.(string)) })
			}
		}
		if k := e.APIKey; k != nil {
			ok = ok && c.APIKey != nil && subset(k.Scopes, c.APIKey.Scopes)
		}
		if e.Networks != nil {
			ok = ok && c.HasAddress && slices.ContainsFunc(e.Networks, c.InNetwork)
		}
		if ok {
			return true
		}
	}
	return false
}

func union(a, b []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range slices.Concat(a, b) {
		out[s] = true
	}
	return out
}

func drawWorld(t *rapid.T) world {
	w := world{form: rapid.SampledFrom([]policy.PathForm{policy.Encoded, policy.Decoded}).Draw(t, "form")}
	w.stage = api + rapid.SampledFrom([]string{"prod", "$default", "null", "*"}).Draw(t, "stage") + "/"
	known, alike := map[string]bool{}, rapid.IntRange(0, 3).Draw(t, "alike") == 0
	for range rapid.IntRange(1, 7).Draw(t, "routes") {
		route := "$default"
		if rapid.IntRange(0, 11).Draw(t, "default") > 0 {
			route = drawTemplate(t)
		}
		if known[route] {
			continue
		}
		known[route] = true
		w.routes = append(w.routes, policy.Route{Route: route, Require: drawRequire(t, alike)})
		w.opinion = append(w.opinion, route)
	}
	table, found := policy.Compile(w.routes)
	if found != nil {
		t.Fatalf("%v: %v", w.opinion, found)
	}
	w.table = table
	w.caller = drawCaller(t)
	for _, r := range w.routes {
		w.granted = append(w.granted, grants(r.Require, w.caller))
	}
	return w
}

// drawPath makes a path near the table's templates, and odd in places.
func (w world) drawPath(t *rapid.T) string {
	route := rapid.SampledFrom(w.opinion).Draw(t, "near")
	segment := func() string {
		if rapid.IntRange(0, 14).Draw(t, "odd") == 0 {
			return rapid.SampledFrom(oddTexts).Draw(t, "odd text")
		}
		return rapid.SampledFrom(paramTexts).Draw(t, "text")
	}
	var out []string
	for _, part := range parts(route) {
		switch {
		case strings.HasSuffix(part, "+}"):
			for range rapid.IntRange(1, 3).Draw(t, "run") {
				out = append(out, segment())
			}
		case part[0] == '{' || rapid.IntRange(0, 9).Draw(t, "change") == 0:
			out = append(out, segment())
		case w.form == policy.Encoded:
			out = append(out, canonical(part))
		default:
			out = append(out, part)
		}
	}
	for rapid.IntRange(0, 5).Draw(t, "more") == 0 && len(out) < 12 {
		at := rapid.IntRange(0, len(out)).Draw(t, "at")
		out = slices.Insert(out, at, segment())
	}
	return strings.Join(out, "/")
}

func (w world) arn(method, path string) policy.ARN {
	a, err := policy.ParseARN(w.stage + method + "/" + path)
	if err != nil {
		panic(err)
	}
	return a
}

func drawMethod(t *rapid.T) string {
	return rapid.SampledFrom([]string{"GET", "GET", "POST", "PUT"}).Draw(t, "request method")
}

// view is a cached document beside what the package reports about it.
type view struct {
	world
	iam   iamDocument
	reach policy.Reach
	named []policy.Inexpressible
}

// judge says what is wrong with the document's answer to a request.
func (v view) judge(method, path string) string {
	encoded := v.form == policy.Encoded
	allowed := v.iam.allows(v.stage + method + "/" + path)
	route := v.opinion.choose(encoded, method, path)
	switch {
	case route >= 0 && allowed && !v.granted[route]:
		return "is allowed and was refused"
	case route >= 0 && !allowed && v.granted[route]:
		return v.excuse(route, method)
	case route >= 0 || !allowed:
		return ""
	case encoded && v.respells(method, path):
		return "is allowed and another spelling of what was refused"
	case clean(encoded, path) && !v.reported(method, path):
		return "is no route's and open, and is not reported"
	}
	return ""
}

// excuse accepts a refusal of a route that is reported, for this caller and
// before any.
func (v view) excuse(route int, method string) string {
	out := policy.Use{Route: policy.RouteID(route), Method: method}
	if !slices.Contains(v.reach.LeftOut, out) {
		return "is granted and refused, and the reach does not say so"
	}
	if !slices.ContainsFunc(v.named, func(x policy.Inexpressible) bool {
		return (x.Route == out.Route || slices.Contains(x.With, out.Route)) && slices.Contains(x.Methods, method)
	}) {
		return "is granted and refused, and the route was not named as inexpressible"
	}
	return ""
}

// respells says whether a path, decoded and encoded anew, is a refused one.
func (v view) respells(method, path string) bool {
	var out []string
	for _, raw := range strings.Split(path, "/") {
		said, err := url.PathUnescape(raw)
		if err != nil || strings.Contains(said, "/") {
			return false
		}
		out = append(out, canonical(said))
	}
	route := v.opinion.choose(true, method, strings.Join(out, "/"))
	return route >= 0 && !v.granted[route]
}

// clean says whether each segment could be a parameter's.
func clean(encoded bool, path string) bool {
	if path == "" {
		return true
	}
	for _, raw := range strings.Split(path, "/") {
		said, ok := text(encoded, raw)
		if !ok || encoded && canonical(said) != raw {
			return false
		}
	}
	return true
}

func (v view) reported(method, path string) bool {
	return slices.ContainsFunc(v.reach.AlsoOpens, func(p string) bool { return globs(p, method+" /"+path) })
}

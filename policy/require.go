package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"lambda-authorizer/problem"
)

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// checkRequire says what is wrong with a route's requirements. An empty list
// is always refused: whether it would open everything or nothing is not left
// to a guess.
func checkRequire(at string, entries []Entry) []problem.Problem {
	if len(entries) == 0 {
		return []problem.Problem{problem.At(at, "empty: a route without requirements opens to nobody; write what a caller needs, as in `- jwt: {}` for any valid token")}
	}
	var found []problem.Problem
	for i, e := range entries {
		at := index(at, i)
		if e.JWT == nil && e.APIKey == nil && e.Signature == nil {
			found = append(found, problem.At(at, "names no credential: add jwt, api_key or signature (an empty one, `jwt: {}`, takes any that is valid)"))
		}
		if e.JWT != nil {
			found = append(found, checkScopes(at+".jwt", e.JWT.Scopes, e.JWT.AnyScope)...)
			found = append(found, checkClaims(at+".jwt.claims", e.JWT.Claims)...)
		}
		if e.APIKey != nil {
			found = append(found, checkScopes(at+".api_key", e.APIKey.Scopes, e.APIKey.AnyScope)...)
		}
		if e.Signature != nil {
			found = append(found, checkScopes(at+".signature", e.Signature.Scopes, e.Signature.AnyScope)...)
		}
		found = append(found, checkNames(at+".networks", "network", e.Networks)...)
	}
	return found
}

func checkScopes(at string, all, any []string) []problem.Problem {
	found := checkNames(at+".scopes", "scope", all)
	found = append(found, checkNames(at+".any_scope", "scope", any)...)
	for i, s := range any {
		if slices.Contains(all, s) {
			found = append(found, problem.At(index(at+".any_scope", i), "%q is required by scopes already, so any_scope says nothing", s))
		}
	}
	return found
}

// checkNames looks at a list of scopes or networks. A scope cannot hold a
// space: "a b" in one string is two scopes to whoever issues tokens.
func checkNames(at, what string, names []string) []problem.Problem {
	var found []problem.Problem
	if names != nil && len(names) == 0 {
		found = append(found, problem.At(at, "empty: list a %s or leave the key out", what))
	}
	for i, s := range names {
		switch {
		case s == "":
			found = append(found, problem.At(index(at, i), "empty %s", what))
		case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
			found = append(found, problem.At(index(at, i), "%q holds white space; list each %s by itself", s, what))
		case slices.Contains(names[:i], s):
			found = append(found, problem.At(index(at, i), "%q is listed twice", s))
		}
	}
	return found
}

func checkClaims(at string, claims map[string][]any) []problem.Problem {
	var found []problem.Problem
	if claims != nil && len(claims) == 0 {
		found = append(found, problem.At(at, "empty: name a claim or leave the key out"))
	}
	names := make([]string, 0, len(claims))
	for name := range claims {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		at := at + "." + name
		if name == "" {
			found = append(found, problem.At(at, "a claim without a name"))
		}
		if len(claims[name]) == 0 {
			found = append(found, problem.At(at, "empty: list the values that are allowed"))
		}
		var seen []any
		for i, v := range claims[name] {
			v, ok := scalar(v)
			switch {
			case !ok:
				found = append(found, problem.At(index(at, i), "write a string, a number within 2^53, true or false"))
			case slices.Contains(seen, v):
				found = append(found, problem.At(index(at, i), "%v is listed twice", v))
			}
			seen = append(seen, v)
		}
	}
	return found
}

// maxInteger is the largest number up to which float64 tells integers apart.
const maxInteger = 1<<53 - 1

// scalar brings a configured or claimed value into the form in which they
// are compared: a string, a bool or a float64. A string is never a number.
func scalar(v any) (any, bool) {
	f := 0.0
	switch v := v.(type) {
	case string, bool:
		return v, true
	case float64:
		f = v
	case float32:
		f = float64(v)
	case int:
		return integer(int64(v))
	case int64:
		return integer(v)
	case int32:
		return integer(int64(v))
	case uint64:
		if v > maxInteger {
			return nil, false
		}
		return float64(v), true
	case uint32:
		f = float64(v)
	case json.Number:
		parsed, err := v.Float64()
		if err != nil {
			return nil, false
		}
		f = parsed
	default:
		return nil, false
	}
	return f, -maxInteger <= f && f <= maxInteger
}

func integer(v int64) (any, bool) {
	return float64(v), -maxInteger <= v && v <= maxInteger
}

package policy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
)

func TestEntryDecidesByWhatTheCallerHas(t *testing.T) {
	t.Parallel()
	token := func(scopes string, claims map[string]any) policy.Caller {
		return policy.Caller{JWT: &policy.JWT{Issuer: "main", Scopes: strings.Fields(scopes), Claims: claims}}
	}
	from := func(network string, c policy.Caller) policy.Caller {
		c.HasAddress = true
		c.InNetwork = func(name string) bool { return name == network }
		return c
	}
	keyed := func(scopes string, c policy.Caller) policy.Caller {
		c.APIKey = &policy.Key{Scopes: strings.Fields(scopes)}
		return c
	}
	anyJWT := policy.Entry{JWT: &policy.JWTGrant{}}
	reads := policy.Entry{JWT: &policy.JWTGrant{Scopes: []string{"items:read"}}}
	readsAndLists := policy.Entry{JWT: &policy.JWTGrant{Scopes: []string{"items:read", "items:list"}}}
	admin := policy.Entry{JWT: &policy.JWTGrant{AnyScope: []string{"admin", "root"}}}
	ops := policy.Entry{JWT: &policy.JWTGrant{Claims: map[string][]any{"cognito:groups": {"ops", "dev"}}}}
	level := policy.Entry{JWT: &policy.JWTGrant{Claims: map[string][]any{"level": {3, true}}}}
	partner := policy.Entry{JWT: &policy.JWTGrant{Issuer: "partners"}}
	office := policy.Entry{JWT: &policy.JWTGrant{Scopes: []string{"admin"}}, Networks: []string{"office", "vpn"}}
	key := policy.Entry{APIKey: &policy.KeyGrant{Scopes: []string{"items:read"}}}
	signed := policy.Entry{Signature: &policy.KeyGrant{AnyScope: []string{"items:read"}}}
	both := policy.Entry{JWT: &policy.JWTGrant{Scopes: []string{"items:read"}}, APIKey: &policy.KeyGrant{}}

	for _, c := range []struct {
		name   string
		any    []policy.Entry
		caller policy.Caller
		denied reason.Code // "" is granted
	}{
		{"any valid token", []policy.Entry{anyJWT}, token("", nil), ""},
		{"nobody", []policy.Entry{anyJWT}, policy.Caller{}, reason.CredentialKindNotAccepted},
		{"a key where a token is needed", []policy.Entry{anyJWT}, keyed("items:read", policy.Caller{}), reason.CredentialKindNotAccepted},
		{"the scope", []policy.Entry{reads}, token("items:list items:read", nil), ""},
		{"another scope", []policy.Entry{reads}, token("items:reader", nil), reason.ScopeInsufficient},
		{"a scope in other letters", []policy.Entry{reads}, token("ITEMS:READ", nil), reason.ScopeInsufficient},
		{"no scope", []policy.Entry{reads}, token("", nil), reason.ScopeInsufficient},
		{"one of two scopes", []policy.Entry{readsAndLists}, token("items:read", nil), reason.ScopeInsufficient},
		{"both scopes", []policy.Entry{readsAndLists}, token("items:list items:read", nil), ""},
		{"the second alternative", []policy.Entry{admin}, token("root", nil), ""},
		{"no alternative", []policy.Entry{admin}, token("user", nil), reason.ScopeInsufficient},
		{"a claim", []policy.Entry{ops}, token("", map[string]any{"cognito:groups": "dev"}), ""},
		{"a list that holds it", []policy.Entry{ops}, token("", map[string]any{"cognito:groups": []any{"qa", "ops"}}), ""},
		{"a list that does not", []policy.Entry{ops}, token("", map[string]any{"cognito:groups": []any{"qa", "oops"}}), reason.ClaimsInsufficient},
		{"an empty list", []policy.Entry{ops}, token("", map[string]any{"cognito:groups": []any{}}), reason.ClaimsInsufficient},
		{"a list in a list", []policy.Entry{ops}, token("", map[string]any{"cognito:groups": []any{[]any{"ops"}}}), reason.ClaimsInsufficient},
		{"values in one string", []policy.Entry{ops}, token("", map[string]any{"cognito:groups": "ops dev"}), reason.ClaimsInsufficient},
		{"an object", []policy.Entry{ops}, token("", map[string]any{"cognito:groups": map[string]any{"ops": true}}), reason.ClaimsInsufficient},
		{"no such claim", []policy.Entry{ops}, token("", map[string]any{"groups": "ops"}), reason.ClaimsInsufficient},
		{"null", []policy.Entry{ops}, token("", map[string]any{"cognito:groups": nil}), reason.ClaimsInsufficient},
		{"a number", []policy.Entry{level}, token("", map[string]any{"level": 3.0}), ""},
		{"a number as JSON writes it", []policy.Entry{level}, token("", map[string]any{"level": json.Number("3")}), ""},
		{"a number in a string", []policy.Entry{level}, token("", map[string]any{"level": "3"}), reason.ClaimsInsufficient},
		{"a number beside it", []policy.Entry{level}, token("", map[string]any{"level": 3.5}), reason.ClaimsInsufficient},
		{"a number too large to compare", []policy.Entry{level}, token("", map[string]any{"level": json.Number("1e400")}), reason.ClaimsInsufficient},
		{"a truth", []policy.Entry{level}, token("", map[string]any{"level": true}), ""},
		{"a falsehood", []policy.Entry{level}, token("", map[string]any{"level": false}), reason.ClaimsInsufficient},
		{"a token of another issuer", []policy.Entry{partner}, token("", nil), reason.CredentialKindNotAccepted},
		{"a named network", []policy.Entry{office}, from("vpn", token("admin", nil)), ""},
		{"another network", []policy.Entry{office}, from("home", token("admin", nil)), reason.AddressNotAllowed},
		{"no address", []policy.Entry{office}, token("admin", nil), reason.AddressNotAllowed},
		{"the right network without the scope", []policy.Entry{office}, from("office", token("user", nil)), reason.ScopeInsufficient},
		{"a key", []policy.Entry{key}, keyed("items:read", policy.Caller{}), ""},
		{"a key without the scope", []policy.Entry{key}, keyed("", policy.Caller{}), reason.ScopeInsufficient},
		{"a signature", []policy.Entry{signed}, policy.Caller{Signature: &policy.Key{Scopes: []string{"items:read"}}}, ""},
		{"a signature without the scope", []policy.Entry{signed}, policy.Caller{Signature: &policy.Key{}}, reason.ScopeInsufficient},
		{"a token and a key", []policy.Entry{both}, keyed("", token("items:read", nil)), ""},
		{"a token without its key", []policy.Entry{both}, token("items:read", nil), reason.CredentialKindNotAccepted},
		{"the key's scopes are not the token's", []policy.Entry{both}, keyed("items:read", token("", nil)), reason.ScopeInsufficient},
		{"the second entry", []policy.Entry{key, reads}, token("items:read", nil), ""},
		{"the entry that got furthest says why", []policy.Entry{key, reads, ops}, token("", nil), reason.ClaimsInsufficient},
		{"of equals the first", []policy.Entry{ops, {JWT: &policy.JWTGrant{Claims: map[string][]any{"x": {1}}}}}, token("", nil), reason.ClaimsInsufficient},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := compile(t, []policy.Route{{Route: "GET /items", Require: c.any}})
			err := table.Decide(0, c.caller)
			if granted := c.denied == ""; granted != (err == nil) || granted != table.Granted(c.caller).Has(0) {
				t.Fatalf("decided %v, granted %t", err, table.Granted(c.caller).Has(0))
			}
			if c.denied != "" && !errors.Is(err, c.denied) {
				t.Errorf("denied with %v, want %s", err, c.denied)
			}
		})
	}
}

func TestDenialSaysWhatIsMissingAndNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	table := compile(t, []policy.Route{{Route: "GET /items", Require: []policy.Entry{
		{JWT: &policy.JWTGrant{Scopes: []string{"read", "list"}, AnyScope: []string{"a", "b"}}, APIKey: &policy.KeyGrant{Scopes: []string{"k"}}},
	}}})
	err := table.Decide(0, policy.Caller{JWT: &policy.JWT{Issuer: "main", Scopes: []string{"topsecret"}}, APIKey: &policy.Key{}})
	const want = "scope_insufficient: the token needs read and list; the token needs one of a, b; the API key needs k"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNetworksAreAskedOnlyWhereAnEntryNamesThem(t *testing.T) {
	t.Parallel()
	table := compile(t, []policy.Route{
		{Route: "GET /items", Require: anyToken()},
		{Route: "GET /admin", Require: []policy.Entry{{APIKey: &policy.KeyGrant{}, Networks: []string{"office"}}}},
	})
	asked := false
	table.Granted(policy.Caller{JWT: &policy.JWT{}, HasAddress: true, InNetwork: func(string) bool { asked = true; return true }})
	if asked {
		t.Error("a network was asked for a caller who lacks the credential anyway")
	}
}

func TestSetIsComparable(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /a", "GET /b", "GET /c", "GET /d", "GET /e", "GET /f", "GET /g", "GET /h", "GET /i")
	one, same, other := table.SetOf(0, 8), table.SetOf(8, 0), table.SetOf(0, 7)
	if one != same || one.Key() != same.Key() || one == other || one.Key() == other.Key() {
		t.Error("equal sets differ, or different ones do not")
	}
	for id, want := range map[policy.RouteID]bool{0: true, 1: false, 8: true, 9: false, 100: false, -1: false} {
		if one.Has(id) != want {
			t.Errorf("has %d: %t", id, !want)
		}
	}
	if one.Empty() || !table.SetOf().Empty() || !(policy.Set{}).Empty() || (policy.Set{}).Has(0) {
		t.Error("empty is not empty")
	}
}

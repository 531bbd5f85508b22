package policy_test

import (
	"strings"
	"testing"

	"lambda-authorizer/policy"
)

func TestMostSpecificRouteDecides(t *testing.T) {
	t.Parallel()
	table := tableOf(t,
		"GET /", "GET /items", "GET /items/{id}", "GET /items/admin", "ANY /items/admin", "ANY /items/{id}/lines", "GET /items/{id}/{part}",
		"GET /{kind}/admin", "GET /{kind}/{id}/{rest+}", "ANY /files/{path+}", "GET /files/{name}", "POST /users:batch", "GET /café", "$default",
	)
	for _, c := range []struct {
		name, method, path, route string
	}{
		{"the root", "GET", "", "GET /"},
		{"the root with a method it has not", "POST", "", "$default"},
		{"a static path", "GET", "items", "GET /items"},
		{"static before a parameter", "GET", "items/admin", "GET /items/admin"},
		{"ANY where the exact method is missing", "PUT", "items/admin", "ANY /items/admin"},
		{"a parameter", "GET", "items/7", "GET /items/{id}"},
		{"a static first segment before a static second", "GET", "items/administrator", "GET /items/{id}"},
		{"segments before the method", "GET", "items/7/lines", "ANY /items/{id}/lines"},
		{"a parameter before a static that comes later", "GET", "items/7/x", "GET /items/{id}/{part}"},
		{"a way back from a static segment that leads nowhere", "GET", "items/7/x/y", "GET /{kind}/{id}/{rest+}"},
		{"a parameter first", "GET", "orders/admin", "GET /{kind}/admin"},
		{"a parameter before a greedy one", "GET", "files/a", "GET /files/{name}"},
		{"a greedy parameter takes more", "GET", "files/a/b/c", "ANY /files/{path+}"},
		{"another method of a greedy one", "PUT", "files/a", "ANY /files/{path+}"},
		{"a greedy parameter takes something", "GET", "files", "$default"},
		{"nothing else", "GET", "orders", "$default"},
		{"case counts", "GET", "Items/admin", "GET /{kind}/admin"},
		{"$connect as a path of a request", "GET", "$connect", "$default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, form := range []policy.PathForm{policy.Encoded, policy.Decoded} {
				id, ok := table.Match(form, c.method, c.path)
				if !ok || table.Template(id) != c.route {
					t.Errorf("form %d: %s /%s matches %d (%t), want %s", form, c.method, c.path, id, ok, c.route)
				}
			}
		})
	}
}

func TestMethodThatAPIGatewayDoesNotHaveMatchesNothing(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "ANY /{p+}", "$default")
	for _, method := range []string{"TRACE", "CONNECT", "get", "ANY", "*", "", "GET ", "$connect"} {
		if id, ok := table.Match(policy.Encoded, method, "items"); ok {
			t.Errorf("%q matches %s", method, table.Template(id))
		}
	}
}

func TestPathThatCanBeReadInTwoWaysMatchesNothing(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /{id}", "ANY /{path+}", "$default")
	for _, c := range []struct {
		name, path       string
		encoded, decoded bool
	}{
		{"an ordinary segment", "items", true, true},
		{"a segment that needs its encoding", "a%20b", true, true},
		{"encoded letters that are not ASCII", "%D0%BA", true, true},
		{"the same in lower case", "%d0%ba", true, true},
		{"letters that are not ASCII", "ключ", true, true},
		{"an encoded colon, which may be", "a%3Ab", true, true},
		{"a raw colon", "a:b", true, true},
		{"a star", "a*", true, true},
		{"an encoded percent sign", "100%25", true, true},
		{"a bare percent sign", "100%", false, true},
		{"half an escape", "a%2", false, true},
		{"no escape at all", "a%zz", false, true},
		{"an encoded letter", "%61dmin", false, true},
		{"an encoded tilde", "%7Eme", false, true},
		{"a slash at the end", "items/", false, false},
		{"a slash at the beginning", "/items", false, false},
		{"two slashes", "a//b", false, false},
		{"only a slash", "/", false, false},
		{"a dot", ".", false, false},
		{"two dots", "a/../b", false, false},
		{"three dots", "...", true, true},
		{"encoded dots", "%2e%2E", false, false},
		{"an encoded slash", "a%2Fb", false, false},
		{"an encoded slash in lower case", "a%2fb", false, false},
		{"an encoded backslash", "a%5cb", false, false},
		{"a backslash", `a\b`, false, false},
		{"a slash encoded twice", "a%252Fb", false, true},
		{"a letter encoded twice", "%2561", true, true},
		{"an encoded NUL", "a%00", false, true},
		{"an encoded line feed", "a%0A", false, true},
		{"an encoded DEL", "a%7F", false, true},
		{"an encoded C1 control", "a%C2%85", false, true},
		{"a C1 control", "a\u0085", false, false},
		{"a NUL", "a\x00", false, false},
		{"a tab", "a\tb", false, false},
		{"invalid UTF-8", "a\xff", false, false},
		{"encoded invalid UTF-8", "a%FF", false, true},
		{"UTF-8 that is too long for what it says", "%C0%AF", false, true},
		{"a question mark, which ends a path", "a?b", false, false},
		{"an encoded question mark", "a%3Fb", true, true},
		{"a number sign", "a#b", false, true},
		{"a long one", strings.Repeat("a/", 1000) + "b", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, ok := table.Match(policy.Encoded, "GET", c.path); ok != c.encoded {
				t.Errorf("encoded: %q matches: %t", c.path, ok)
			}
			if _, ok := table.Match(policy.Decoded, "GET", c.path); ok != c.decoded {
				t.Errorf("decoded: %q matches: %t", c.path, ok)
			}
		})
	}
}

func TestStaticSegmentHasOneSpelling(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /café", "GET /users:batch", "GET /{name}")
	for _, c := range []struct {
		name, path string
		form       policy.PathForm
		route      string
	}{
		{"as it must be encoded", "caf%C3%A9", policy.Encoded, "GET /café"},
		{"encoded in lower case", "caf%c3%a9", policy.Encoded, ""},
		{"not encoded", "café", policy.Encoded, ""},
		{"decoded", "café", policy.Decoded, "GET /café"},
		{"text that looks encoded", "caf%C3%A9", policy.Decoded, "GET /{name}"},
		{"a colon as it is", "users:batch", policy.Encoded, "GET /users:batch"},
		{"a colon encoded", "users%3Abatch", policy.Encoded, ""},
		{"text that looks like an encoded colon", "users%3Abatch", policy.Decoded, "GET /{name}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, ok := table.Match(c.form, "GET", c.path)
			if ok != (c.route != "") || ok && table.Template(id) != c.route {
				t.Errorf("%q matches %d (%t), want %q", c.path, id, ok, c.route)
			}
		})
	}
}

func TestConnectionMatchesConnectAlone(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "$connect", "$default", "ANY /{p+}")
	if id, ok := table.Match(policy.Encoded, "", "$connect"); !ok || table.Template(id) != "$connect" {
		t.Errorf("matches %d (%t)", id, ok)
	}
	if id, ok := table.Match(policy.Encoded, "", "$disconnect"); ok {
		t.Errorf("$disconnect matches %s", table.Template(id))
	}
	if _, ok := tableOf(t, "$default").Match(policy.Encoded, "", "$connect"); ok {
		t.Error("$connect matches without a route")
	}
}

func TestLookupFindsTheRouteThatAPIGatewayNames(t *testing.T) {
	t.Parallel()
	table := tableOf(t, "GET /items/{id}", "ANY /items/{id}", "ANY /admin/{proxy+}", "$default", "$connect")
	for key, want := range map[string]string{
		"GET /items/{id}":      "GET /items/{id}",
		"GET /items/{itemId}":  "GET /items/{id}",
		"ANY /items/{id}":      "ANY /items/{id}",
		"PUT /items/{other}":   "ANY /items/{id}",
		"POST /admin/{proxy+}": "ANY /admin/{proxy+}",
		"$default":             "$default",
		"$connect":             "$connect",
		"GET /admin/{proxy}":   "",
		"GET /{proxy+}":        "",
		"GET /items/7":         "",
		"GET":                  "",
		"":                     "",
		"GET /items/{id}/":     "",
	} {
		id, ok := table.Lookup(key)
		if ok != (want != "") || ok && table.Template(id) != want {
			t.Errorf("%q finds %d (%t), want %q", key, id, ok, want)
		}
	}
}

package config

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// manyRoutes is a table whose documents are longer than the least bound.
func manyRoutes(head string) string {
	var b strings.Builder
	b.WriteString(head + base[0].text + base[1].text + "routes:\n")
	for i := range 20 {
		fmt.Fprintf(&b, "  - {route: GET /reports/%d, require: [{jwt: {scopes: [\"reports:%d\"]}}]}\n", i, i)
	}
	return b.String()
}

func TestTableWhosePoliciesAreTooLargeDoesNotStart(t *testing.T) {
	t.Parallel()
	refused := regexp.MustCompile(`^authorizer\.yaml:6: routes: some caller (?:gets|may get) a policy of ([0-9]+) bytes, over response\.max_policy_bytes \(1024\): `)
	path := write(t, manyRoutes("response: {max_policy_bytes: 1024}\n\n"))
	_, err := Load(path, everything)
	got := said(t, path, err)
	if len(got) != 1 || !refused.MatchString(got[0]) {
		t.Fatalf("got %q", got)
	}
	size := refused.FindStringSubmatch(got[0])[1]
	if _, err := Load(write(t, manyRoutes("response: {max_policy_bytes: "+size+"}\n")), everything); err != nil {
		t.Errorf("with the %s bytes it asked for: %v", size, err)
	}
}

func TestSizeOfPoliciesMattersOnlyWhereTheyAreCached(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"not cached":     "gateway: {cache_ttl: 0s}\nresponse: {max_policy_bytes: 1024}\n",
		"simple answers": "gateway: {identity_sources: [$request.header.Authorization, $context.routeKey]}\nresponse: {http_api: simple, max_policy_bytes: 1024}\n",
	} {
		if _, err := Load(write(t, manyRoutes(head)), everything); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSizeCountsTheStagesThatMayCall(t *testing.T) {
	t.Parallel()
	size := func(apis string) string {
		_, err := Load(write(t, manyRoutes("gateway: {apis: ["+apis+"]}\nresponse: {max_policy_bytes: 1024}\n")), everything)
		if err == nil {
			t.Fatalf("%s: accepted", apis)
		}
		return regexp.MustCompile(`[0-9]+ bytes`).FindString(err.Error())
	}
	short, long := size("a1b2c3d4e5/v1"), size("a1b2c3d4e5/v1, a1b2c3d4e5/a-stage-with-a-rather-long-name")
	if short == long {
		t.Errorf("%s either way", short)
	}
	if any := size(`"a1b2c3d4e5/*"`); any != size("a1b2c3d4e5/"+assumedStage) {
		t.Errorf("any stage counts as %s", any)
	}
}

// What is known at start is not left to requests, which would all be refused.
func TestPathThatDoesNotFitBesideItsStageDoesNotStart(t *testing.T) {
	t.Parallel()
	path := func(n int) string { return strings.Repeat("p", n) }
	load := func(gateway string, routes ...string) error {
		text := "gateway: {" + gateway + "}\n" + base[0].text + base[1].text + "routes:\n"
		for i, r := range routes {
			text += fmt.Sprintf("  - {route: \"GET %s\", require: [{jwt: {scopes: [s%d]}}]}\n", r, i)
		}
		_, err := Load(write(t, text), everything)
		return err
	}
	stage := "a1b2c3d4e5/" + path(100)
	apart := []string{"/{x}/" + path(150) + "/" + path(149), "/" + path(149) + "/" + path(148) + "/{y}"}
	for _, c := range []struct {
		name, gateway string
		routes        []string
		refused       bool
	}{
		{"cached", "apis: [" + stage + "]", []string{"/" + path(368)}, true},
		{"not cached", "cache_ttl: 0s, apis: [" + stage + "]", []string{"/" + path(368)}, true},
		{"a shorter stage", "apis: [a1b2c3d4e5/prod]", []string{"/" + path(368)}, false},
		{"a shorter path", "apis: [" + stage + "]", []string{"/" + path(300)}, false},
		{"two routes that share nothing", "apis: [" + stage + "]", apart, false},
		{"what two routes share", "apis: [" + stage + "]", []string{"/{x}/" + path(190), "/" + path(170) + "/{y+}"}, true},
		{"what two routes share, not cached", "cache_ttl: 0s, apis: [" + stage + "]", []string{"/{x}/" + path(190), "/" + path(170) + "/{y+}"}, false},
	} {
		err := load(c.gateway, c.routes...)
		if (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "and API Gateway accepts 512: shorten") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Any valid token is one of the only issuer: nobody is refused what asks for it
// by name.
func TestTableIsNotRefusedForACallerOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	text := "response: {max_policy_bytes: 1600}\n" + base[0].text + base[1].text + "routes:\n  - {route: \"GET /{any+}\", require: [{jwt: {}}]}\n"
	for i := range 20 {
		text += fmt.Sprintf("  - {route: GET /reports/%d, require: [{jwt: {issuer: main}}]}\n", i)
	}
	if _, err := Load(write(t, text), everything); err != nil {
		t.Error(err)
	}
}

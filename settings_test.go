package house_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// requirements are what the routes ask for where callers present that.
var requirements = map[string]string{
	"a token":                                     `[{jwt: {}}]`,
	"a token in a cookie":                         `[{jwt: {}}]`,
	"a token in a header or a cookie":             `[{jwt: {}}]`,
	"a token in the query":                        `[{jwt: {}}]`,
	"an API key":                                  `[{api_key: {}}]`,
	"a token or an API key, in one header":        `[{jwt: {}}, {api_key: {}}]`,
	"a token or an API key, each in its header":   `[{jwt: {}}, {api_key: {}}]`,
	"a token and an API key, always both":         `[{jwt: {}, api_key: {}}]`,
	"a token, from known networks":                `[{jwt: {}, networks: [office]}]`,
	"a token, from known networks behind a proxy": `[{jwt: {}, networks: [office]}]`,
	"a signed request":                            `[{signature: {}}]`,
	"a token bound to a client certificate":       `[{jwt: {}}]`,
}

func TestSettingsTableIsWhatStartsAndWhatDoesNot(t *testing.T) {
	text := pages(t)["docs/settings.md"]
	more := map[string]string{}
	good := table(t, text, "callers present", "API's authorizer", "`gateway` in authorizer.yaml", "and")
	for _, row := range good {
		more[row[0]] = row[3]
		if err := starts(t, composed(t, row[0], row[2], row[3], strings.Contains(row[1], "WebSocket"))); err != nil {
			t.Errorf("%s, %s: %v", row[0], row[1], err)
		}
	}
	for name := range requirements {
		if _, ok := more[name]; !ok {
			t.Errorf("no row for %s", name)
		}
	}
	bad := table(t, text, "callers present", "with", "is refused because", "do")
	for _, row := range bad {
		if err := starts(t, composed(t, row[0], row[1], more[row[0]], false)); err == nil || !strings.Contains(err.Error(), "gateway.cache_ttl: 0s") {
			t.Errorf("%s with %s: %v, want a refusal that names the way out", row[0], row[1], err)
		}
	}
	if len(good) < 15 || len(bad) < 5 {
		t.Errorf("%d and %d rows", len(good), len(bad))
	}
}

// composed is the configuration that a row of the table speaks of.
func composed(t *testing.T, callers, gateway, and string, webSocket bool) string {
	t.Helper()
	require, ok := requirements[callers]
	if !ok {
		t.Fatalf("the test does not know %q", callers)
	}
	route := "GET /items"
	if webSocket {
		route = "$connect"
	}
	text := fmt.Sprintf("gateway: %s\ntables: {revocations: none}\nroutes: [{route: %q, require: %s}]\n", strings.Trim(gateway, "`"), route, require)
	if strings.Contains(require, "jwt") {
		text += "issuers: [{name: main, issuer: https://idp.example.com/, audiences: [x]}]\n"
	}
	var whole, more map[string]any
	if err := yaml.Unmarshal([]byte(text), &whole); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(strings.Trim(and, "`")), &more); err != nil {
		t.Fatal(err)
	}
	for section, value := range more {
		have, isMap := whole[section].(map[string]any)
		if keys, ok := value.(map[string]any); ok && isMap {
			maps.Copy(have, keys)
		} else {
			whole[section] = value
		}
	}
	out, err := yaml.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

//go:build terraform

package check

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/config"
)

// settings is what modules/settings says.
type settings struct {
	Problems        []string `json:"problems"`
	CacheTTL        int      `json:"cache_ttl"`
	IdentitySources []string `json:"identity_sources"`
	Simple          bool     `json:"simple"`
	Credentials     []string `json:"credentials"`
	Secrets         struct {
		APIKeys     []string `json:"api_keys"`
		SigningKeys []string `json:"signing_keys"`
		HS256       []string `json:"hs256"`
	} `json:"secrets"`
	Needs struct {
		Revocations bool `json:"revocations"`
		Nonces      bool `json:"nonces"`
	} `json:"needs"`
	LogPrincipal string   `json:"log_principal"`
	Routes       []string `json:"routes"`
}

// asked is one question to modules/settings.
type asked struct {
	Configuration string `json:"configuration"`
	Kind          string `json:"kind"`
	Simple        bool   `json:"simple"`
}

// asking is held by whoever uses the directory of testdata/settings.
var asking sync.Mutex

// ask runs modules/settings on all cases at once.
func ask(t *testing.T, cases map[string]asked) map[string]settings {
	t.Helper()
	const dir = module + "/check/testdata/settings"
	asking.Lock()
	defer asking.Unlock()
	initialise(t, dir)
	vars, err := json.Marshal(map[string]any{"cases": cases})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cases.tfvars.json")
	if err := os.WriteFile(file, vars, 0o644); err != nil {
		t.Fatal(err)
	}
	terraform(t, dir, "plan", "-no-color", "-input=false", "-lock=false", "-var-file="+file, "-out="+file+".plan")
	var shown struct {
		Planned struct {
			Outputs struct {
				Settings struct {
					Value map[string]settings `json:"value"`
				} `json:"settings"`
			} `json:"outputs"`
		} `json:"planned_values"`
	}
	decode(t, terraform(t, dir, "show", "-json", file+".plan"), &shown)
	return shown.Planned.Outputs.Settings.Value
}

var functionEnvironment = map[string]string{
	"ISSUER": "https://idp.example.com/", "AUDIENCE": "a", "TTL": "300s",
	"REVOCATIONS_TABLE": "revocations", "NONCES_TABLE": "nonces", "API_ID": "a1b2c3d4e5",
}

func load(path string) (*config.Config, error) {
	return config.Load(path, func(name string) (string, bool) {
		value, ok := functionEnvironment[name]
		return value, ok
	})
}

// TestSettingsAreWhatTheFunctionSays asks the module and the function's own
// loader about the same configurations: the shipped ones, those of the
// examples, and many made at random of the parts that matter for a cache.
func TestSettingsAreWhatTheFunctionSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cases := map[string]asked{}
	for name, path := range map[string]string{
		"shipped": "deploy/authorizer.yaml", "shipped-uncached": "deploy/authorizer-uncached.yaml",
		"example-rest": module + "/examples/attach-to-existing-rest-api/authorizer.yaml",
		"example-http": module + "/examples/attach-to-existing-http-api/authorizer.yaml",
		"example-ws":   module + "/examples/websocket/authorizer.yaml",
	} {
		for _, kind := range []string{"REST_REQUEST", "HTTP", "WEBSOCKET"} {
			cases[name+" "+kind] = asked{Configuration: filepath.Join(repository, path), Kind: kind}
		}
	}
	random := rand.New(rand.NewPCG(7, 7))
	for i := range 200 {
		name := fmt.Sprintf("random-%03d", i)
		text, kind := randomConfiguration(random)
		path := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cases[name] = asked{Configuration: path, Kind: kind}
	}
	accepted, refused := 0, 0
	for name, got := range ask(t, cases) {
		cfg, err := load(cases[name].Configuration)
		if (err == nil) != (len(got.Problems) == 0) {
			text, _ := os.ReadFile(cases[name].Configuration)
			t.Errorf("%s as %s:\nthe function says %v\nthe module says %q\n%s", name, cases[name].Kind, err, got.Problems, text)
			continue
		}
		if err != nil {
			refused++
			continue
		}
		accepted++
		if diff := cmp.Diff(want(cfg, cases[name].Kind), got); diff != "" {
			t.Errorf("%s (-function +module):\n%s", name, diff)
		}
	}
	if accepted < 40 || refused < 40 {
		t.Errorf("%d accepted, %d refused: the configurations tell nothing", accepted, refused)
	}
}

// want is what the module should say about a valid configuration.
func want(c *config.Config, kind string) settings {
	s := settings{
		Problems: []string{}, CacheTTL: int(c.Gateway.CacheTTL / time.Second), IdentitySources: []string{},
		Simple: c.Response.HTTPAPI == "simple", Credentials: []string{}, LogPrincipal: c.Log.Principal,
	}
	s.Secrets.APIKeys, s.Secrets.SigningKeys, s.Secrets.HS256 = []string{}, []string{}, []string{}
	sources, _ := c.Gateway.Sources()
	for _, source := range sources {
		source.API = map[string]config.API{"REST": config.REST, "HTTP": config.HTTP, "WEBSOCKET": config.WebSocket}[strings.Split(kind, "_")[0]]
		s.IdentitySources = append(s.IdentitySources, source.String())
	}
	if len(c.Issuers) > 0 {
		s.Credentials = append(s.Credentials, "jwt")
	}
	for _, issuer := range c.Issuers {
		if issuer.HMACSecret != "" {
			s.Secrets.HS256 = append(s.Secrets.HS256, issuer.HMACSecret)
		}
	}
	if c.APIKeys != nil {
		s.Credentials = append(s.Credentials, "api_key")
		s.Secrets.APIKeys = c.APIKeys.Secrets
	}
	if c.Signatures != nil {
		s.Credentials = append(s.Credentials, "signature")
		s.Secrets.SigningKeys = c.Signatures.Secrets
		s.Needs.Nonces = c.Signatures.Replay == "deny"
	}
	s.Needs.Revocations = c.Revocable()
	for _, r := range c.Routes {
		s.Routes = append(s.Routes, r.Route)
	}
	return s
}

// randomConfiguration is valid but for what a cache makes of it, and the kind of
// API that its identity sources are spelled for.
func randomConfiguration(r *rand.Rand) (text, kind string) {
	pick := func(options ...string) string { return options[r.IntN(len(options))] }
	var b strings.Builder
	source := pick(
		"", "method.request.header.Authorization", "method.request.header.authorization", "method.request.header.X-Api-Key",
		"method.request.header.Authorization, method.request.header.X-Api-Key",
		"method.request.header.Authorization, context.identity.sourceIp",
		"context.identity.sourceIp, method.request.header.Authorization, method.request.header.X-Forwarded-For",
		"method.request.querystring.access_token", "method.request.querystring.access_token, method.request.header.Authorization",
		"method.request.header.Authorization, method.request.header.AUTHORIZATION",
		"method.request.header.Cookie", "method.request.header.Sec-WebSocket-Protocol",
		"$request.header.Authorization", "$context.routeKey, $request.header.Authorization", "$request.header.Authorization, $context.routeKey",
		"$request.header.Authorization, $context.identity.sourceIp, $context.routeKey", "$request.header.X-Api-Key, $context.routeKey",
		"$request.header.Authorization, context.identity.sourceIp", "$stageVariables.x, $request.header.Authorization",
		"route.request.header.Authorization", "route.request.querystring.access_token", "route.request.header.Authorization, context.identity.sourceIp",
	)
	kind = map[byte]string{'$': "HTTP", 'r': "WEBSOCKET"}[(source + " ")[0]]
	if kind == "" {
		kind = "REST_REQUEST"
	}
	fmt.Fprintf(&b, "gateway:\n  cache_ttl: %s\n  identity_sources: [%s]\n", pick("0", "0s", "300s", "300s", "5m", "${TTL}", "3601s", "1h", "-5s"), quoted(source))
	fmt.Fprintf(&b, "tables: {revocations: %q, nonces: \"${NONCES_TABLE}\"}\n", pick("none", "${REVOCATIONS_TABLE}"))
	b.WriteString("issuers: [{name: main, issuer: \"${ISSUER}\", audiences: [\"${AUDIENCE}\"]}")
	b.WriteString(pick("", ", {name: old, issuer: \"https://old.example.com\", audiences: [a], hmac_secret: old/jwt}") + "]\n")
	b.WriteString(pick("", "", "", "bearer: {query: access_token}\n", "bearer: {header: \"\", query: access_token}\n", "bearer: {cookie: session}\n",
		"bearer: {header: \"\", cookie: session}\n", "bearer: {header: \"\", subprotocol: true}\n", "bearer: {header: X-Token}\n"))
	entries := []string{"{jwt: {}}"}
	if keys := pick("", "", "api_keys: {secrets: [a/keys]}\n", "api_keys: {header: Authorization, secrets: [a/keys, b/keys]}\n"); keys != "" {
		b.WriteString(keys)
		entries = append(entries, "{api_key: {}}")
		if !strings.Contains(keys, "Authorization") { // one header holds one credential
			entries = append(entries, "{jwt: {}, api_key: {}}")
		}
	}
	if r.IntN(8) == 0 {
		b.WriteString("signatures: {secrets: [a/signing], replay: " + pick("deny", "allow") + "}\n")
		entries = append(entries, "{signature: {}}", "{jwt: {}, signature: {}}")
	}
	if r.IntN(4) == 0 {
		b.WriteString("networks: {office: [203.0.113.0/24]}\n")
		entries = append(entries, "{jwt: {}, networks: [office]}")
	}
	b.WriteString(pick("", "", "", "deny_networks: [198.51.100.7/32]\n") + pick("", "", "trusted_proxies: [130.176.0.0/16]\n"))
	fmt.Fprintf(&b, "response: {http_api: %s, unauthenticated: %s}\n", pick("iam", "iam", "simple"), pick("error", "error", "error", "deny"))
	b.WriteString(pick("", "log: {principal: hash}\n") + "routes:\n")
	for _, route := range []string{"GET /orders", "POST /orders"} {
		fmt.Fprintf(&b, "  - route: %s\n    require:\n", route)
		for range 1 + r.IntN(2) {
			b.WriteString("      - " + pick(entries...) + "\n")
		}
	}
	return b.String(), kind
}

func quoted(list string) string {
	if list == "" {
		return ""
	}
	return `"` + strings.ReplaceAll(list, ", ", `", "`) + `"`
}

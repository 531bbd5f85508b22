//go:build terraform

package check

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/config"
)

// TestAuthorizersAreSetUpAsTheShippedConfigurationSays: what API Gateway is told
// in the example `complete` is what the function relies on.
func TestAuthorizersAreSetUpAsTheShippedConfigurationSays(t *testing.T) {
	t.Parallel()
	made := planComplete(t)
	cfg, err := load(filepath.Join(repository, "deploy", "authorizer.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	seconds := float64(cfg.Gateway.CacheTTL / time.Second)
	s := want(cfg, "REST_REQUEST")
	rest := one(t, made, "aws_api_gateway_authorizer", "")
	if got, want := rest["identity_source"], strings.Join(s.IdentitySources, ","); got != want {
		t.Errorf("REST: identity sources %v, gateway.identity_sources %v", got, want)
	}
	if rest["authorizer_result_ttl_in_seconds"] != seconds {
		t.Errorf("REST: TTL %v, gateway.cache_ttl %v s", rest["authorizer_result_ttl_in_seconds"], seconds)
	}
	http := one(t, made, "aws_apigatewayv2_authorizer", "")
	if diff := cmp.Diff(list(want(cfg, "HTTP").IdentitySources), http["identity_sources"]); diff != "" {
		t.Errorf("HTTP: identity sources (-configuration +authorizer):\n%s", diff)
	}
	if http["authorizer_result_ttl_in_seconds"] != seconds || http["authorizer_payload_format_version"] != "2.0" {
		t.Errorf("HTTP: TTL %v, gateway.cache_ttl %v s, payload %v", http["authorizer_result_ttl_in_seconds"], seconds, http["authorizer_payload_format_version"])
	}
	if http["enable_simple_responses"] != (cfg.Response.HTTPAPI == "simple") {
		t.Errorf("HTTP: simple responses %v, response.http_api %s", http["enable_simple_responses"], cfg.Response.HTTPAPI)
	}
	compareRoutes(t, cfg, made)
}

// compareRoutes: what has the authorizer is what the configuration lists. A
// route that it does not list would be closed to everybody; one that has no
// authorizer would be open.
func compareRoutes(t *testing.T, cfg *config.Config, made []planned) {
	t.Helper()
	var listed []string
	for _, r := range cfg.Routes {
		if r.Route != "$connect" {
			listed = append(listed, r.Route)
		}
	}
	slices.Sort(listed)
	for kind, attribute := range map[string]string{"aws_api_gateway_method": "authorization", "aws_apigatewayv2_route": "authorization_type"} {
		var guarded, open []string
		for _, r := range made {
			switch key, _ := r.Index.(string); {
			case r.Type != kind:
			case r.Values[attribute] == "CUSTOM":
				guarded = append(guarded, key)
			case !strings.HasPrefix(key, "OPTIONS "):
				open = append(open, key)
			}
		}
		slices.Sort(guarded)
		if diff := cmp.Diff(listed, guarded); diff != "" {
			t.Errorf("%s with the authorizer (-authorizer.yaml +planned):\n%s", kind, diff)
		}
		if diff := cmp.Diff([]string{"GET /health"}, open); diff != "" {
			t.Errorf("%s without the authorizer (-wanted +planned):\n%s", kind, diff)
		}
	}
}

// list is strings as decoded JSON has them.
func list(values []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

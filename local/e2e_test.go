package local_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/local"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/issuer"
)

// prefixes are the stages that answer ordinary requests, with the status of a
// route that an API does not have.
var prefixes = map[string]int{"/rest-token": 403, "/rest": 403, "/http": 404, "/http-iam": 404}

// events are the shapes that the stages send.
var events = map[string]string{
	"rest-token": "rest_token", "rest": "rest_request", "http": "http_2.0", "http-iam": "http_2.0", "ws": "websocket",
}

func TestCallerReadsAndWritesThroughEveryAPI(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	for prefix := range prefixes {
		t.Run(prefix, func(t *testing.T) {
			t.Parallel()
			token := s.token(t, "items:read items:write")
			created := s.wants(t, 201, "POST", prefix+"/items", token, `{"name":"first"}`)
			var item struct{ ID, Name string }
			if err := json.Unmarshal([]byte(created.body), &item); err != nil || item.Name != "first" {
				t.Fatalf("created %s: %v", created.body, err)
			}
			s.wants(t, 200, "GET", prefix+"/items/"+item.ID, token, "")
			list := s.wants(t, 200, "GET", prefix+"/items?limit=10", token, "")
			if !strings.Contains(list.body, item.ID) {
				t.Errorf("the list lacks %s: %s", item.ID, list.body)
			}
			s.wants(t, 200, "GET", created.location(t, prefix+"/items"), token, "")
			s.wants(t, 204, "DELETE", prefix+"/items/"+item.ID, token, "")
			s.wants(t, 404, "GET", prefix+"/items/"+item.ID, token, "")
		})
	}
}

func TestItemsOfOneCallerAreNotAnothers(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	for prefix := range prefixes {
		mine := s.token(t, "items:read items:write")
		created := s.wants(t, 201, "POST", prefix+"/items", mine, `{"name":"mine"}`)
		other := s.token(t, "items:read items:write", func(r *issuer.Request) { r.Subject = t.Name() + "-other" })
		s.wants(t, 404, "GET", created.location(t, prefix+"/items"), other, "")
	}
}

func TestCallerWithoutAValidTokenIs401(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	good := s.token(t, "items:read")
	tampered := good[:len(good)-20] + strings.Repeat("A", 20)
	for prefix := range prefixes {
		for name, token := range map[string]string{
			"no token":       "",
			"junk":           "junk",
			"tampered with":  tampered,
			"expired":        s.token(t, "items:read", func(r *issuer.Request) { r.TTL = -time.Hour }),
			"other audience": s.token(t, "items:read", func(r *issuer.Request) { r.Audience = "https://other.example.com" }),
			"other issuer":   s.token(t, "items:read", func(r *issuer.Request) { r.Claims = map[string]any{"iss": "https://evil.example.com"} }),
		} {
			got := s.send(t, "GET", prefix+"/items", token, "")
			if got.status != 401 || got.body != `{"message":"Unauthorized"}` {
				t.Errorf("%s, %s: %d %s", prefix, name, got.status, got.body)
			}
		}
	}
}

func TestCallerWhoseScopesDoNotReachIs403(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	for prefix := range prefixes {
		t.Run(prefix, func(t *testing.T) {
			t.Parallel()
			s.wants(t, 403, "POST", prefix+"/items", s.token(t, "items:read"), `{"name":"x"}`)
			got := s.decided(t, func(d decision) bool { return strings.HasSuffix(d.Principal, "|"+t.Name()) })
			stage := strings.TrimPrefix(prefix, "/")
			if got.Outcome != "deny" || got.Reason != "scope_insufficient" || got.Stage != stage || got.Event != events[stage] || got.Route != "POST /items" {
				t.Errorf("decision line %+v", got)
			}
			s.wants(t, 403, "GET", prefix+"/items", s.token(t, ""), "")
		})
	}
}

func TestRouteThatAnAPIDoesNotHaveIsNotAsked(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	token := s.token(t, "items:read items:write")
	for prefix, status := range prefixes {
		for _, path := range []string{"/nowhere", "/items/1/2", ""} {
			got := s.wants(t, status, "GET", prefix+path, token, "")
			if c := s.consulted(t, got); c != gateway.NotConsulted {
				t.Errorf("%s%s: the authorizer was %s", prefix, path, c)
			}
		}
	}
}

func TestFaultIs500AndNamesTheDependency(t *testing.T) {
	t.Parallel()
	dead := "http://127.0.0.1:1/oidc"
	s := ownStack(t, `
tables: {revocations: none}
issuers:
  - {name: main, issuer: "${ISSUER}", audiences: ["${AUDIENCE}"]}
  - {name: dead, issuer: "`+dead+`", audiences: ["${AUDIENCE}"]}
routes:
  - route: GET /items
    require: [{jwt: {scopes: [items:read]}}]
`)
	token := s.token(t, "items:read", func(r *issuer.Request) { r.Claims = map[string]any{"iss": dead} })
	for prefix := range prefixes {
		s.wants(t, 500, "GET", prefix+"/items", token, "")
		stage := strings.TrimPrefix(prefix, "/")
		got := s.decided(t, func(d decision) bool { return d.Stage == stage && d.Outcome == "fault" })
		if got.Reason != "jwks_unavailable" {
			t.Errorf("%s: decision line %+v", prefix, got)
		}
		s.wants(t, 200, "GET", prefix+"/items", s.token(t, "items:read"), "")
	}
}

func TestHealthHasNoAuthorizer(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	got := s.wants(t, 200, "GET", "/health", "", "")
	if got.body != `{"status":"ok"}` {
		t.Errorf("body %s", got.body)
	}
	s.wants(t, 404, "GET", "/health/x", "", "")
}

func TestWebPageMayAskWhereItsOriginIsSet(t *testing.T) {
	t.Parallel()
	const origin = "https://app.example.com"
	s := ownStack(t, "", func(o *local.Options) {
		o.Getenv = func(name string) (string, bool) { return origin, name == "ITEMS_CORS_ORIGINS" }
	})
	for prefix, missing := range prefixes {
		r, err := http.NewRequestWithContext(t.Context(), "OPTIONS", s.URL()+prefix+"/items", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "GET")
		got := do(t, r)
		if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%s: %d %v", prefix, got.status, got.header)
		}
		s.wants(t, 401, "GET", prefix+"/items", "", "")
		theStack(t).wants(t, missing, "OPTIONS", prefix+"/items", "", "")
	}
}

func TestPathOfNobodyListsWhatThereIs(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	for _, path := range []string{"/", "/items", "/restless/items", "//rest/items"} {
		got := s.wants(t, 404, "GET", path, "", "")
		if !strings.Contains(got.body, s.URL()+"/rest-token/") {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}

func TestEnvironmentFileKeepsEveryCallOnThisMachine(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	raw, err := os.ReadFile(s.EnvPath())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"export LOCAL_URL='" + s.URL() + "'", "export ISSUER='" + s.URL() + "/oidc'",
		"export AWS_ACCESS_KEY_ID='AKIAIOSFODNN7EXAMPLE'", "export AWS_CONFIG_FILE='/dev/null'",
		"unset AWS_PROFILE", "export AWS_ENDPOINT_URL='" + s.URL() + "/aws'",
		"export AWS_ENDPOINT_URL_DYNAMODB='http://", "export ITEMS_TABLE='local-items'",
		"export REVOCATIONS_TABLE='local-revocations'", "export NONCES_TABLE='local-nonces'",
		"export ITEMS_CURSOR_SECRET='local/items-cursor'",
		"export REST_TOKEN_API_ID='resttoken1'", "export HTTP_IAM_STAGE='http-iam'",
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s lacks %s", s.EnvPath(), want)
		}
	}
}

func TestKeyRotationIsSeenByEveryAuthorizer(t *testing.T) {
	t.Parallel()
	s := ownStack(t, "")
	before := s.token(t, "items:read")
	response, err := http.Post(s.URL()+"/oidc/rotate", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	after := s.token(t, "items:read")
	for prefix := range prefixes {
		s.wants(t, 200, "GET", prefix+"/items", before, "")
		s.wants(t, 200, "GET", prefix+"/items", after, "")
	}
}

package local_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"lambda-authorizer/httpsig"
	"lambda-authorizer/local"
)

const uncachedConfig = "../deploy/authorizer-uncached.yaml"

// the second configuration that ships, whole.
func uncachedStack(t *testing.T) *stack {
	t.Helper()
	return ownStack(t, "", func(o *local.Options) { o.Config = uncachedConfig })
}

func TestShippedUncachedConfigurationRunsWithItsKeys(t *testing.T) {
	t.Parallel()
	s := uncachedStack(t)
	for _, stage := range s.Stages() {
		if caches := stage.TTL > 0; caches != (stage.Closed != "") {
			t.Errorf("/%s, cached for %v: closed: %q", stage.Name, stage.TTL, stage.Closed)
		}
	}
	keys := s.Keys()
	if keys.APIKeyHeader != "X-Api-Key" || keys.APIKeyRoute != "GET /items" || keys.SigningRoute != "GET /items" {
		t.Errorf("how to use the keys: %q, %q, %q", keys.APIKeyHeader, keys.APIKeyRoute, keys.SigningRoute)
	}
	signer, err := httpsig.NewSigner(keys.SigningKeyID, keys.SigningKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"/rest", "/http"} {
		byKey := func(r *http.Request) error { r.Header.Set("X-Api-Key", keys.APIKey); return nil }
		s.wantsBy(t, 200, "GET", prefix+"/items", "", byKey)
		s.wantsBy(t, 403, "POST", prefix+"/items", `{"name":"x"}`, byKey) // from a partner's address alone
		s.wantsBy(t, 201, "POST", prefix+"/items", `{"name":"x"}`, signer.Sign)
		s.wantsBy(t, 200, "GET", prefix+"/items?limit=10", "", signer.Sign)
		s.wants(t, 200, "GET", prefix+"/items", s.token(t, "items:read"), "")
	}
	raw, err := os.ReadFile(s.EnvPath())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"export API_KEYS_SECRET='authorizer/api-keys'", "export API_KEY='" + keys.APIKey + "'",
		"export SIGNING_KEYS_SECRET='authorizer/signing-keys'", "export SIGNING_KEY='" + keys.SigningKey + "'",
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s lacks %s", s.EnvPath(), want)
		}
	}
}

func TestConfigurationWithoutKeysGetsNone(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	if keys := s.Keys(); keys != (local.Keys{}) {
		t.Error("keys that nothing asked for")
	}
	raw, err := os.ReadFile(s.EnvPath())
	if err != nil || strings.Contains(string(raw), "API_KEY") || strings.Contains(string(raw), "SIGNING_KEY") {
		t.Errorf("%s names keys, %v", s.EnvPath(), err)
	}
}

func TestSecretsThatAConfigurationNamesAreThere(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:elsewhere/keys-AbCdEf"
	s := ownStack(t, `
gateway: {cache_ttl: 0s}
tables: {revocations: none}
issuers:
  - {name: legacy, issuer: legacy, hmac_secret: "${PREFIX}/legacy", audiences: [api]}
api_keys: {secrets: ["`+arn+`", "${PREFIX}/more"]}
routes:
  - route: GET /items
    require: [{api_key: {scopes: [items:read]}}]
`, func(o *local.Options) {
		o.Getenv = func(name string) (string, bool) { return "team", name == "PREFIX" }
	})
	for _, name := range []string{"team/legacy", arn, "elsewhere/keys", "team/more"} {
		if _, err := s.secretsManager().GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.wantsBy(t, 200, "GET", "/rest/items", "", func(r *http.Request) error {
		r.Header.Set("X-Api-Key", s.Keys().APIKey)
		return nil
	})
}

func TestTablesThatAConfigurationNamesAreThere(t *testing.T) {
	t.Parallel()
	s := ownStack(t, `
gateway: {cache_ttl: 0s}
tables: {revocations: prod-revocations, nonces: "${TEAM}-${NONCES_TABLE}"}
issuers: [{name: main, issuer: "${ISSUER}", audiences: ["${AUDIENCE}"]}]
signatures: {secrets: [signing-keys]}
routes:
  - {route: GET /items, require: [{jwt: {scopes: [items:read]}}, {signature: {scopes: [items:read]}}]}
`, func(o *local.Options) {
		o.Getenv = func(name string) (string, bool) { return "team", name == "TEAM" }
	})
	s.wants(t, 200, "GET", "/rest/items", s.token(t, "items:read"), "")
	signer, err := httpsig.NewSigner(s.Keys().SigningKeyID, s.Keys().SigningKey)
	if err != nil {
		t.Fatal(err)
	}
	s.wantsBy(t, 200, "GET", "/rest/items", "", signer.Sign)
	raw, err := os.ReadFile(s.EnvPath())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"export REVOCATIONS_TABLE='prod-revocations'", "export NONCES_TABLE='local-nonces'"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s lacks %s", s.EnvPath(), want)
		}
	}
}

// What is wrong with a name is the authorizer's to say.
func TestTableNameThatIsNoneClosesTheStages(t *testing.T) {
	t.Parallel()
	s := ownStack(t, strings.Replace(unsafeToCache, "none", "a b", 1))
	for _, stage := range s.Stages() {
		if !strings.Contains(stage.Closed, "my.yaml:2: tables.revocations: ") {
			t.Errorf("/%s: %s", stage.Name, stage.Closed)
		}
	}
}

func (s *stack) secretsManager() *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		BaseEndpoint: aws.String(s.URL() + "/aws"), Region: "eu-central-1", Credentials: madeUp,
	})
}

// wantsBy checks the status of a request that a credential was put on.
func (s *stack) wantsBy(t *testing.T, status int, method, path, body string, credential func(*http.Request) error) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if err := credential(r); err != nil {
		t.Fatal(err)
	}
	got := do(t, r)
	if got.status != status {
		t.Errorf("%s %s: %d %s, want %d", method, path, got.status, got.body, status)
	}
	return got
}

// makeSecret makes a secret for keys, where it is not there.
func (s *stack) makeSecret(t *testing.T, name string) {
	t.Helper()
	_, err := s.secretsManager().CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(`{"keys":{}}`)})
	if there := new(types.ResourceExistsException); err != nil && !errors.As(err, &there) {
		t.Fatal(err)
	}
}

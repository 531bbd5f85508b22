package issuer_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/jwks"
	"lambda-authorizer/local/issuer"
)

// serve starts an issuer under /oidc of a server of its own.
func serve(t *testing.T) (*issuer.Issuer, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	t.Cleanup(server.Close)
	i, err := issuer.New(server.URL+"/oidc", "local-api")
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = i.Handler()
	return i, server.URL + "/oidc"
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(body))
}

// part decodes the header (0) or the payload (1) of a token.
func part(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The project's own verifier, which shares no code with the issuer, finds the
// keys by discovery and accepts the tokens.
func TestTokensVerifyThroughDiscovery(t *testing.T) {
	t.Parallel()
	i, url := serve(t)
	config := jwks.Issuer{Issuer: url, Name: "local", Audiences: []string{"local-api"}}
	config.SetDefaults()
	verifier, err := jwks.New([]jwks.Issuer{config}, jwks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	verifier.Prefetch(t.Context()) // else the first fetch keeps the next for 30 s
	verify := func(token string) error {
		_, err := verifier.Verify(t.Context(), token, "")
		return err
	}
	_, first := get(t, url+"/token?scope=items:read&sub=bob")
	if err := verify(first); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Rotate(); err != nil {
		t.Fatal(err)
	}
	_, second := get(t, url+"/token")
	for name, token := range map[string]string{"before": first, "after": second} {
		if err := verify(token); err != nil {
			t.Errorf("token from %s the rotation: %v", name, err)
		}
	}
	_, expired := get(t, url+"/token?ttl=-1h")
	if err := verify(expired); err == nil {
		t.Error("an expired token verifies")
	}
	_, foreign := get(t, url+"/token?aud=other")
	if err := verify(foreign); err == nil {
		t.Error("a token for another audience verifies")
	}
}

func TestTokenSaysWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	i, url := serve(t)
	now := time.Unix(1_800_000_000, 0)
	i.Now = func() time.Time { return now }
	for query, want := range map[string]map[string]any{
		"":                                {"sub": "alice", "aud": "local-api", "iat": 1_800_000_000., "exp": 1_800_003_600., "scope": nil, "iss": url},
		"scope=a+b&sub=bob&aud=x":         {"sub": "bob", "aud": "x", "scope": "a b"},
		"ttl=60":                          {"exp": 1_800_000_060.},
		"ttl=90s&iat=-1h":                 {"exp": 1_800_000_090., "iat": 1_799_996_400.},
		"ttl=-10s":                        {"exp": 1_799_999_990., "iat": 1_799_996_390.},
		"iat=1700000000":                  {"iat": 1_700_000_000.},
		`claims={"groups":["o"],"sub":1}`: {"sub": 1., "groups": []any{"o"}},
	} {
		status, token := get(t, url+"/token?"+strings.ReplaceAll(query, `"`, "%22"))
		if status != 200 {
			t.Errorf("%s: %d %s", query, status, token)
			continue
		}
		got := part(t, token, 1)
		for name, value := range want {
			if fmt.Sprint(got[name]) != fmt.Sprint(value) {
				t.Errorf("%s: %s is %v, want %v", query, name, got[name], value)
			}
		}
		if got["jti"] == nil || got["client_id"] == nil || part(t, token, 0)["typ"] != "at+jwt" {
			t.Errorf("%s: no RFC 9068 token: %v", query, got)
		}
	}
}

func TestParameterThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	_, url := serve(t)
	for query, want := range map[string]string{
		"ttl=soon":    "parameter ttl ",
		"iat=then":    "parameter iat ",
		"claims=x":    "parameter claims ",
		"scopes=read": "parameter scopes is unknown",
	} {
		status, body := get(t, url+"/token?"+query)
		if status != 400 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}

func TestPostAnswersAsOAuth(t *testing.T) {
	t.Parallel()
	_, url := serve(t)
	form := map[string][]string{"grant_type": {"client_credentials"}, "scope": {"items:read"}, "ttl": {"60"}}
	response, err := http.PostForm(url+"/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
		Scope       string `json:"scope"`
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.TokenType != "Bearer" || got.ExpiresIn != 60 || got.Scope != "items:read" || part(t, got.AccessToken, 1)["scope"] != "items:read" {
		t.Errorf("answer %+v", got)
	}
}

func TestRotationKeepsTheKeyBeforeAndNoOlder(t *testing.T) {
	t.Parallel()
	_, url := serve(t)
	kids := func() (out []string) {
		var set struct{ Keys []struct{ Kid string } }
		_, body := get(t, url+"/jwks")
		if err := json.Unmarshal([]byte(body), &set); err != nil {
			t.Fatal(err)
		}
		for _, key := range set.Keys {
			out = append(out, key.Kid)
		}
		return out
	}
	first := kids()
	for range 2 {
		response, err := http.Post(url+"/rotate", "", nil)
		if err != nil || response.StatusCode != 200 {
			t.Fatal(response, err)
		}
		response.Body.Close()
	}
	after := kids()
	_, token := get(t, url+"/token")
	if len(first) != 1 || len(after) != 2 || after[1] == first[0] || part(t, token, 0)["kid"] != after[0] {
		t.Errorf("keys %v, then %v; a token names %v", first, after, part(t, token, 0)["kid"])
	}
}

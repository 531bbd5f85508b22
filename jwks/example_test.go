package jwks_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"lambda-authorizer/jwks"
	"lambda-authorizer/reason"
)

// An issuer is configured by its URL; where its keys are is discovered.
func ExampleVerifier_Verify() {
	public, private, _ := ed25519.GenerateKey(nil)
	b64 := base64.RawURLEncoding.EncodeToString
	mux := http.NewServeMux()
	idp := httptest.NewServer(mux)
	defer idp.Close()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, idp.URL, idp.URL+"/jwks")
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": %q}]}`, b64(public))
	})
	token := func(expires time.Time) string {
		input := b64([]byte(`{"alg":"EdDSA","kid":"1"}`)) + "." + b64(fmt.Appendf(nil,
			`{"iss":%q,"aud":"https://api.example.com","sub":"alice","scope":"items:read","exp":%d}`, idp.URL, expires.Unix()))
		return input + "." + b64(ed25519.Sign(private, []byte(input)))
	}

	ctx := context.Background()
	verifier, err := jwks.New([]jwks.Issuer{{
		Issuer:    idp.URL,
		Name:      "main",
		Audiences: []string{"https://api.example.com"},
	}}, jwks.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier.Prefetch(ctx)

	t, err := verifier.Verify(ctx, token(time.Now().Add(time.Hour)), "")
	fmt.Println(t.Issuer, t.Principal, t.Scopes, err)
	_, err = verifier.Verify(ctx, token(time.Now().Add(-time.Hour)), "")
	fmt.Println(reason.Of(err), reason.Of(err).Status())
	// Output:
	// main alice [items:read] <nil>
	// token_expired 401
}

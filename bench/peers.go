package main

import (
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v2/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v2/jwt"

	"lambda-authorizer/jwks"
)

// allPeers sets each up once with its keys at hand; the first is the measure.
func allPeers(token string, key *rsa.PrivateKey, dir, set string) ([]peer, error) {
	cold, err := ours(dir, -1)
	if err != nil {
		return nil, err
	}
	warm, err := ours(dir, 16)
	if err != nil {
		return nil, err
	}
	goJOSE, err := goJOSE(token, set)
	if err != nil {
		return nil, err
	}
	jwx, err := jwx(token, set)
	if err != nil {
		return nil, err
	}
	return []peer{
		{"crypto/rsa verify alone", rawVerify(token, key)},
		{"jwks, a token seen for the first time", func() error { _, err := cold.Verify(background, token, ""); return err }},
		{"jwks, a repeated token", func() error { _, err := warm.Verify(background, token, ""); return err }},
		{"golang-jwt v5", golangJWT(key, token)},
		{"go-jose v4", goJOSE},
		{"go-oidc v3", goOIDC(token, key)},
		{"jwx v2 jwt.Parse", jwx},
	}, nil
}

func ours(dir string, cache int) (*jwks.Verifier, error) {
	return jwks.New([]jwks.Issuer{{Issuer: issuer, Name: "main", JWKSFile: "jwks.json", Audiences: []string{audience}}},
		jwks.Options{Dir: dir, CacheSize: cache})
}

// golangJWT has no key sets of its own: the lookup by kid is the least that a
// user writes.
func golangJWT(key *rsa.PrivateKey, token string) func() error {
	parser := jwt.NewParser(jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired(), jwt.WithValidMethods([]string{"RS256"}))
	keys := map[any]*rsa.PublicKey{"k1": &key.PublicKey}
	return func() error {
		_, err := parser.Parse(token, func(t *jwt.Token) (any, error) { return keys[t.Header["kid"]], nil })
		return err
	}
}

func goJOSE(token, set string) (func() error, error) {
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(set), &keys); err != nil {
		return nil, err
	}
	return func() error {
		parsed, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			return err
		}
		var claims josejwt.Claims
		var rest map[string]any
		if err := parsed.Claims(keys, &claims, &rest); err != nil {
			return err
		}
		return claims.Validate(josejwt.Expected{Issuer: issuer, AnyAudience: josejwt.Audience{audience}, Time: time.Now()})
	}, nil
}

func goOIDC(token string, key *rsa.PrivateKey) func() error {
	keys := &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{&key.PublicKey}}
	verifier := oidc.NewVerifier(issuer, keys, &oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{"RS256"}})
	return func() error {
		verified, err := verifier.Verify(background, token)
		if err != nil {
			return err
		}
		var claims map[string]any
		return verified.Claims(&claims)
	}
}

func jwx(token, set string) (func() error, error) {
	keys, err := jwk.Parse([]byte(set))
	if err != nil {
		return nil, err
	}
	return func() error {
		parsed, err := jwxjwt.Parse([]byte(token), jwxjwt.WithKeySet(keys), jwxjwt.WithIssuer(issuer), jwxjwt.WithAudience(audience))
		if err == nil && parsed.Subject() != "alice" {
			return errors.New("another token")
		}
		return err
	}, nil
}

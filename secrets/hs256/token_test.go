package hs256_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/jwks"
	"lambda-authorizer/local/secretsmanager"
	"lambda-authorizer/reason"
	"lambda-authorizer/secrets"
	"lambda-authorizer/secrets/hs256"
)

// token is one of the issuer "legacy", without kid, signed with 32 times b.
func token(b byte, expires time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"iss":"legacy","sub":"s","aud":"api","exp":%d}`, expires.Unix()))
	h := hmac.New(sha256.New, bytes.Repeat([]byte{b}, 32))
	h.Write([]byte(input))
	return input + "." + encode(h.Sum(nil))
}

// Tokens of a legacy issuer, through the whole way: Secrets Manager, reader,
// keys, verifier.
func TestTokenIsGoodAsLongAsItsKeyCounts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	var down atomic.Bool
	server := secretsmanager.New("eu-central-1", "123456789012")
	server.Now = clock
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		server.ServeHTTP(w, r)
	}))
	defer service.Close()
	if err := server.Create("prod/legacy-jwt", string(document("default", key('a')))); err != nil {
		t.Fatal(err)
	}
	config := aws.Config{Region: "eu-central-1", BaseEndpoint: aws.String(service.URL), Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}
	clients := secrets.NewClients(func(context.Context) (aws.Config, error) { return config, nil }, func(o *sdk.Options) { o.Retryer = aws.NopRetryer{} })
	v, err := jwks.New([]jwks.Issuer{{Issuer: "legacy", Name: "legacy", HMACSecret: "prod/legacy-jwt", Audiences: []string{"api"}}}, jwks.Options{
		Now: clock,
		Shared: func(secret string) jwks.SharedKeys {
			return hs256.Keys{From: secrets.NewReader([]string{secret}, hs256.Parse, secrets.Options{Clients: clients, Now: clock, PreviousGrace: time.Hour})}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	expires := now.Add(24 * time.Hour)
	old, next, forged := token('a', expires), token('b', expires), token('x', expires)
	expect := func(when, what, raw string, want error) {
		t.Helper()
		if _, err := v.Verify(t.Context(), raw, ""); !errors.Is(err, want) {
			t.Errorf("%s, %s: %v, want %v", when, what, err, want)
		}
	}
	expect("at first", "token of the key", old, nil)
	expect("at first", "forged token", forged, reason.SignatureInvalid)

	now = now.Add(30 * time.Second)
	text := string(document("default", key('b')))
	client := sdk.NewFromConfig(config)
	if _, err := client.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: aws.String("prod/legacy-jwt"), SecretString: &text}); err != nil {
		t.Fatal(err)
	}
	rotated := now
	expect("after a rotation", "token of the new key", next, nil)
	expect("after a rotation", "token of the old key", old, nil)

	down.Store(true)
	now = rotated.Add(time.Hour - time.Nanosecond)
	expect("Secrets Manager down", "token of the old key, within its grace", old, nil)
	expect("Secrets Manager down", "token of the new key", next, nil)
	expect("Secrets Manager down", "forged token", forged, reason.SecretsUnavailable)
	down.Store(false)

	now = rotated.Add(time.Hour)
	expect("after the grace", "token of the old key, though it was verified before", old, reason.SecretsUnavailable)
	now = now.Add(30 * time.Second)
	expect("after the grace", "token of the old key", old, reason.SignatureInvalid)
	expect("after the grace", "token of the new key", next, nil)
}

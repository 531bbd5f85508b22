package local_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/runtimeapi"
)

// make run has no HTTP API with payload format 1.0; the function serves one all
// the same.
func TestRealAuthorizerServesPayloadFormat1(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs(defaultConfig)
	if err != nil {
		t.Fatal(err)
	}
	function := runtimeapi.New(runtimeapi.Options{
		Name: "authorizer-http1", Bootstrap: filepath.Join(dir, "authorizer", "bootstrap"), Timeout: 10 * time.Second,
		Env: []string{"AUTHORIZER_CONFIG=" + config, "ISSUER=" + s.Issuer().URL(), "AUDIENCE=local-api",
			"REVOCATIONS_TABLE=local-revocations", "AWS_ENDPOINT_URL_DYNAMODB=" + s.DynamoDB()},
	})
	defer function.Close()
	stage, err := gateway.New(gateway.Options{
		Kind: gateway.HTTP1, API: "http000001", Stage: "$default", Routes: []string{"GET /items", "POST /items"},
		Authorizer: &gateway.Authorizer{
			Function: function.Invoke, TTL: time.Minute, IdentitySources: []string{"$request.header.Authorization"},
		},
		Backend: func(context.Context, []byte) ([]byte, error) { return []byte(`{"statusCode":200,"body":"{}"}`), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Close()
	token := s.token(t, "items:read")
	for _, c := range []struct {
		method, token string
		status        int
	}{{"GET", token, 200}, {"POST", token, 403}, {"GET", token, 200}, {"GET", "", 401}, {"GET", "junk", 401}} {
		r := httptest.NewRequest(c.method, "/items", nil)
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		recorder := httptest.NewRecorder()
		stage.ServeHTTP(recorder, r)
		if recorder.Code != c.status {
			t.Errorf("%s with %.8q: %d %s, want %d", c.method, c.token, recorder.Code, recorder.Body, c.status)
		}
	}
}

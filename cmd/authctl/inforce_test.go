package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/jwks"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/revocation"
)

// unauthorized is the error that API Gateway answers with 401.
type unauthorized struct{}

func (unauthorized) Error() string        { return "Unauthorized" }
func (unauthorized) ErrorMessage() string { return "Unauthorized" }

// guarded is a stage whose results are cached, with a function behind it that
// looks at the table and nothing else.
func guarded(t *testing.T, s *stand, ttl, cacheTTL time.Duration) *gateway.Stage {
	t.Helper()
	cfg := revocation.Config{Timeout: 2 * time.Second}
	cfg.SetDefaults()
	cfg.CacheTTL = cacheTTL
	checker, err := revocation.New(s.server.Client(), s.table, cfg, revocation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	authorize := func(ctx context.Context, payload []byte) ([]byte, error) {
		var event struct{ AuthorizationToken, MethodArn string }
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		said, err := jwks.Unverified(bare(event.AuthorizationToken))
		if err != nil {
			return nil, err
		}
		g := &target{issuer: issuer{url: said.Issuer}, token: said}
		if _, err := checker.Check(ctx, g.credential()); err != nil {
			return nil, unauthorized{}
		}
		return fmt.Appendf(nil, `{"principalId":"x","policyDocument":{"Version":"2012-10-17","Statement":[`+
			`{"Effect":"Allow","Action":"execute-api:Invoke","Resource":%q}]}}`, event.MethodArn), nil
	}
	stage, err := gateway.New(gateway.Options{
		Kind: gateway.RESTToken, API: "a1b2c3d4e5", Stage: "prod", Routes: []string{"GET /items"},
		Authorizer: &gateway.Authorizer{TTL: ttl, IdentitySources: []string{"method.request.header.Authorization"}, Function: authorize},
		Backend: func(context.Context, []byte) ([]byte, error) {
			return []byte(`{"statusCode":200,"body":"{}"}`), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stage.Close)
	return stage
}

// asks makes a request with a token and returns the status.
func asks(stage *gateway.Stage, token string) int {
	r := httptest.NewRequest("GET", "/prod/items", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	stage.ServeHTTP(w, r)
	return w.Code
}

// inForceConfig agrees with guarded.
func inForceConfig(ttl, cacheTTL time.Duration) string {
	return fmt.Sprintf("gateway: {cache_ttl: %s, apis: [a1b2c3d4e5/prod]}\nrevocation: {cache_ttl: %s}\n", ttl, cacheTTL) + bulkConfig[1:]
}

// While a thief keeps asking, a flush at once would do nothing: a function that
// still believes what it read would let API Gateway cache another pass.
func TestFlushedRevocationIsInForceWhenTheCommandReturns(t *testing.T) {
	t.Parallel()
	s := newStand(startDynamo(t))
	o := newOperator(t, s, inForceConfig(300*time.Second, time.Second))
	stage := guarded(t, s, 300*time.Second, time.Second)
	s.serve(gateway.Control(stage))
	token := tokenOf([]string{"jti=stolen"})
	if got := asks(stage, token); got != 200 {
		t.Fatalf("before: %d", got)
	}
	thief, stop := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for thief.Err() == nil {
			asks(stage, token)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	stdout, _ := o.runs(0, token, "revoke", "token", "--flush", "rest:a1b2c3d4e5/prod")
	if got := asks(stage, token); got != 401 {
		t.Errorf("a request after the command has returned gets %d", got)
	}
	stop()
	<-gone
	says(t, stdout, "^in force +now, through rest:a1b2c3d4e5/prod: flushed at 20")
	if strings.Contains(stdout, "elsewhere") {
		t.Errorf("no other API is configured:\n%s", stdout)
	}
}

func TestRevocationAndRestoreAreInForceByThePrintedTime(t *testing.T) {
	t.Parallel()
	s := newStand(startDynamo(t))
	o := newOperator(t, s, inForceConfig(2*time.Second, time.Second))
	stage := guarded(t, s, 2*time.Second, time.Second)
	token := tokenOf([]string{"sid=s1"})
	for _, step := range []struct {
		command       string
		before, after int
	}{{"revoke", 200, 401}, {"restore", 401, 200}} {
		if got := asks(stage, token); got != step.before {
			t.Fatalf("before %s: %d", step.command, got)
		}
		stdout, _ := o.runs(0, "", step.command, "session", "s1", "--issuer", "main", "--output", "json")
		var said struct {
			InForce struct {
				By time.Time `json:"in_force_by"`
			} `json:"in_force"`
		}
		if err := json.Unmarshal([]byte(stdout), &said); err != nil {
			t.Fatal(err)
		}
		if left := time.Until(said.InForce.By); left > 4*time.Second || left < 2*time.Second {
			t.Errorf("%s is in force in %s, of a bound of 3s", step.command, left)
		}
		for got := step.before; got != step.after; time.Sleep(20 * time.Millisecond) {
			if got = asks(stage, token); got != step.after && time.Now().After(said.InForce.By) {
				t.Fatalf("after %s: %d at %s, in force by %s", step.command, got, time.Now(), said.InForce.By)
			}
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lambda-authorizer/items"
	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/runtimeapi"
	"lambda-authorizer/local/secretsmanager"
)

// TestBootstrapServesBothKindsOfAPI runs the binary as Lambda would, behind
// API Gateway's stand-in, with a table and a secret over the wire.
func TestBootstrapServesBothKindsOfAPI(t *testing.T) {
	t.Parallel()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", bootstrap, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table, err := dynamo.Start(t.Context(), dynamo.Options{Endpoint: os.Getenv(dynamo.EndpointVariable)})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	name := table.TableName()
	if _, err := table.Client().CreateTable(t.Context(), items.TableInput(name)); err != nil {
		t.Fatal(err)
	}
	vault := secretsmanager.New(runtimeapi.Region, runtimeapi.Account)
	if err := vault.Create("items/cursor", strings.Repeat("k", 32)); err != nil {
		t.Fatal(err)
	}
	aws := httptest.NewServer(vault)
	defer aws.Close()

	var lines lockedLines
	function := runtimeapi.New(runtimeapi.Options{
		Name: "items", Bootstrap: bootstrap, Stdout: lines.add,
		Env: []string{
			"ITEMS_TABLE=" + name, "ITEMS_CURSOR_SECRET=items/cursor", "ITEMS_CORS_ORIGINS=https://app.example.com",
			"AWS_ENDPOINT_URL_DYNAMODB=" + table.Endpoint(), "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + aws.URL,
		},
	})
	defer function.Close()

	for kind, source := range map[gateway.Kind]string{
		gateway.RESTRequest: "method.request.header.Authorization", gateway.HTTP2Simple: "$request.header.Authorization",
	} {
		stage, err := gateway.New(gateway.Options{
			Kind: kind, API: "api0000001", Stage: "prod", Backend: function.Invoke,
			Routes:     []string{"GET /items", "POST /items", "GET /items/{id}", "DELETE /items/{id}"},
			Authorizer: &gateway.Authorizer{Function: letIn(string(kind)), IdentitySources: []string{source}},
		})
		if err != nil {
			t.Fatal(err)
		}
		use(t, stage)
	}
	function.Close() // with it the last line is here
	if got := lines.count(`"outcome":"ok"`); got != 2*5 {
		t.Errorf("%d lines of answered requests: %s", got, lines.all())
	}
}

// use makes two items, pages through them and deletes one.
func use(t *testing.T, stage http.Handler) {
	t.Helper()
	send := func(method, target, body string, want int) (answer struct {
		ID         string
		Items      []struct{ ID string }
		NextCursor string `json:"next_cursor"`
	}) {
		t.Helper()
		r := httptest.NewRequest(method, "/prod"+target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer x")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		stage.ServeHTTP(w, r)
		if w.Code != want {
			t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		_ = json.Unmarshal(w.Body.Bytes(), &answer)
		return answer
	}
	first := send("POST", "/items", `{"name":"lamp"}`, http.StatusCreated).ID
	second := send("POST", "/items", `{"name":"chair"}`, http.StatusCreated).ID
	page := send("GET", "/items?limit=1", "", http.StatusOK)
	if len(page.Items) != 1 || page.Items[0].ID != first || page.NextCursor == "" {
		t.Fatalf("first page %+v", page)
	}
	page = send("GET", "/items?limit=1&cursor="+page.NextCursor, "", http.StatusOK)
	if len(page.Items) != 1 || page.Items[0].ID != second || page.NextCursor != "" {
		t.Fatalf("second page %+v", page)
	}
	send("DELETE", "/items/"+first, "", http.StatusNoContent)
}

// letIn is an authorizer that lets everyone in as principal.
func letIn(principal string) gateway.Function {
	return func(_ context.Context, payload []byte) ([]byte, error) {
		var event struct{ MethodArn string }
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		grant := fmt.Sprintf(`{"principal":%q,"auth_method":"jwt","scope":"items:read items:write"}`, principal)
		if event.MethodArn == "" {
			return []byte(`{"isAuthorized":true,"context":` + grant + `}`), nil
		}
		return fmt.Appendf(nil, `{"principalId":%q,"context":%s,"policyDocument":{"Version":"2012-10-17",
			"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":%q}]}}`, principal, grant, event.MethodArn), nil
	}
}

type lockedLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *lockedLines) add(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(line))
}

func (l *lockedLines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func (l *lockedLines) count(what string) int { return strings.Count(l.all(), what) }

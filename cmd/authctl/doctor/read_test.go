package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

func TestRESTAPIIsReadFromAllItsPages(t *testing.T) {
	t.Parallel()
	c := soundREST(t)
	c.API.Authorizers[1].URI = ""
	const main = "t0k3n0"
	want := []Method{
		{Route: "ANY /admin/{proxy+}", Authorization: "CUSTOM", AuthorizerID: main, ID: "4dm1np"},
		{Route: "GET /health", Authorization: "NONE", ID: "h34lth"},
		{Route: "GET /items", Authorization: "CUSTOM", AuthorizerID: main, ID: "1t3ms0"},
		{Route: "OPTIONS /items", Authorization: "NONE", ID: "1t3ms0", Mock: true},
		{Route: "POST /items", Authorization: "CUSTOM", AuthorizerID: main, ID: "1t3ms0"},
		{Route: "GET /items/{id}", Authorization: "CUSTOM", AuthorizerID: main, ID: "1t3m00"},
	}
	if diff := cmp.Diff(want, c.API.Methods); diff != "" {
		t.Errorf("methods (-want +got):\n%s", diff)
	}
	authorizers := []Authorizer{
		{ID: "c0gn1t", Name: "users", Type: "COGNITO_USER_POOLS", TTL: 300 * time.Second, IdentitySources: []string{"method.request.header.Authorization"}},
		{ID: main, Name: "main", Type: "TOKEN", TTL: 300 * time.Second, IdentitySources: []string{"method.request.header.Authorization"}},
	}
	if diff := cmp.Diff(authorizers, c.API.Authorizers); diff != "" {
		t.Errorf("authorizers (-want +got):\n%s", diff)
	}
	if len(c.API.Responses) != 6 || len(c.API.Deployed) != 6 {
		t.Errorf("%d gateway responses and %d deployed methods, want 6 of each", len(c.API.Responses), len(c.API.Deployed))
	}
	if !json.Valid([]byte(c.API.ResourcePolicy)) {
		t.Errorf("the resource policy is not JSON: %s", c.API.ResourcePolicy)
	}
}

func TestHTTPAPIIsReadFromAllItsPages(t *testing.T) {
	t.Parallel()
	c := soundHTTP(t)
	var routes []string
	for _, m := range c.API.Methods {
		routes = append(routes, m.Route)
	}
	if diff := cmp.Diff([]string{"ANY /admin/{proxy+}", "GET /items", "POST /items", "GET /items/{id}"}, routes); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	a := c.Authorizer
	if a.ID != "s1mpl3" || a.Payload != "2.0" || !a.Simple || a.TTL != 300*time.Second || len(a.IdentitySources) != 2 || !c.API.AutoDeploy {
		t.Errorf("authorizer %+v, auto-deploy %t", a, c.API.AutoDeploy)
	}
}

func TestWebSocketAPIKeepsNoResults(t *testing.T) {
	t.Parallel()
	c := soundWebSocket(t)
	if c.API.Kind != WebSocket || c.Authorizer.TTL != 0 {
		t.Errorf("%s with a TTL of %v", c.API.Kind, c.Authorizer.TTL)
	}
}

func TestTTLThatIsNotSetIsTheDefault(t *testing.T) {
	t.Parallel()
	api, err := ReadREST(t.Context(), restClient(t), "a1b2c3d4e5", "prod")
	if err != nil {
		t.Fatal(err)
	}
	// The Cognito authorizer's file has no TTL.
	if got := api.Authorizers[0].TTL; got != 300*time.Second {
		t.Errorf("TTL %v", got)
	}
}

func TestAPIOrStageThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	for _, at := range [][2]string{{"z9y8x7w6v5", "prod"}, {"a1b2c3d4e5", "dev"}, {"h1b2c3d4e5", "dev"}} {
		_, errREST := ReadREST(t.Context(), restClient(t), at[0], at[1])
		_, errHTTP := ReadHTTP(t.Context(), httpClient(t), at[0], at[1])
		for _, err := range []error{errREST, errHTTP} {
			var answer smithy.APIError
			if !errors.As(err, &answer) || answer.ErrorCode() != "NotFoundException" {
				t.Errorf("%s/%s: %v", at[0], at[1], err)
			}
		}
	}
}

// Every member of the files is one that the SDK, which is generated from the
// API models, has a place for: a misspelt one would be passed over in silence.
func TestFilesHoldOnlyMembersOfTheModels(t *testing.T) {
	t.Parallel()
	rest := map[string]any{
		"GetRestApi": apigateway.GetRestApiOutput{}, "GetAuthorizers": apigateway.GetAuthorizersOutput{},
		"GetResources": apigateway.GetResourcesOutput{}, "GetStage": apigateway.GetStageOutput{},
		"GetDeployment": apigateway.GetDeploymentOutput{}, "GetGatewayResponses": apigateway.GetGatewayResponsesOutput{},
	}
	http := map[string]any{
		"GetApi": apigatewayv2.GetApiOutput{}, "GetAuthorizers": apigatewayv2.GetAuthorizersOutput{},
		"GetStage": apigatewayv2.GetStageOutput{}, "GetRoutes": apigatewayv2.GetRoutesOutput{},
	}
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		models := http
		if _, err := os.Stat(filepath.Join(filepath.Dir(file), "GetRestApi.json")); err == nil {
			models = rest
		}
		operation, _, _ := strings.Cut(filepath.Base(file), ".")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, unknown := range members(value, reflect.TypeOf(models[operation]), "") {
			t.Errorf("%s: %s is no member", file, unknown)
		}
	}
}

// members are the paths in value that typ has no field for. REST lists are
// called item on the wire and Items in the SDK.
func members(value any, typ reflect.Type, path string) []string {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	var unknown []string
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			unknown = append(unknown, members(one, typ.Elem(), path+"[]")...)
		}
	case map[string]any:
		for name, one := range v {
			at := fmt.Sprintf("%s.%s", path, name)
			if typ.Kind() == reflect.Map {
				unknown = append(unknown, members(one, typ.Elem(), at)...)
				continue
			}
			field, ok := typ.FieldByNameFunc(func(f string) bool {
				return strings.EqualFold(f, name) || name == "item" && f == "Items"
			})
			if !ok {
				unknown = append(unknown, at)
				continue
			}
			unknown = append(unknown, members(one, field.Type, at)...)
		}
	}
	return unknown
}

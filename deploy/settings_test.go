package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/config"
)

// What AWS's own validation does not look into: which authorizer a route has,
// and whether API Gateway treats its answers as the function was told.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-lambdatokenauthorizer.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-lambdaauthorizer.html
var (
	extensionKeys = map[bool][]string{ // by: an HTTP API
		false: {"type", "authorizerUri", "authorizerCredentials", "identitySource", "identityValidationExpression", "authorizerResultTtlInSeconds"},
		true:  {"type", "authorizerUri", "authorizerCredentials", "identitySource", "authorizerPayloadFormatVersion", "enableSimpleResponses", "authorizerResultTtlInSeconds"},
	}
	samAuthKeys = map[bool][]string{
		false: {"DefaultAuthorizer", "Authorizers", "AddDefaultAuthorizerToCorsPreflight", "ApiKeyRequired", "InvokeRole", "ResourcePolicy", "UsagePlan", "AddApiKeyRequiredToCorsPreflight"},
		true:  {"DefaultAuthorizer", "Authorizers", "EnableIamAuthorizer"},
	}
	samAuthorizerKeys = map[bool][]string{
		false: {"FunctionArn", "FunctionInvokeRole", "FunctionPayloadType", "Identity", "DisableFunctionDefaultPermissions", "AuthorizationScopes"},
		true:  {"FunctionArn", "FunctionInvokeRole", "AuthorizerPayloadFormatVersion", "EnableFunctionDefaultPermissions", "EnableSimpleResponses", "Identity"},
	}
	samIdentityKeys = []string{"Context", "Header", "Headers", "QueryStrings", "ReauthorizeEvery", "StageVariables", "ValidationExpression"}
)

// setting is an authorizer as API Gateway is told.
type setting struct {
	http    bool
	kind    string // token, request
	sources []string
	ttl     time.Duration
	simple  bool
}

// checkSettings lists what is wrong with the authorizers of a template's APIs
// beside the configuration of the functions that they call.
func checkSettings(template object, configs map[bool]*config.Config, public []string) (problems []string) {
	apis := of(template, "AWS::Serverless::Api", "AWS::Serverless::HttpApi")
	for _, name := range slices.Sorted(maps.Keys(apis)) {
		http := text(at(template["Resources"], name, "Type")) == "AWS::Serverless::HttpApi"
		report := func(format string, args ...any) {
			problems = append(problems, name+": "+fmt.Sprintf(format, args...))
		}
		settings := map[string]setting{}
		if body := at(apis[name], "DefinitionBody"); body != nil {
			maps.Copy(settings, extensions(body, http, report))
			checkRoutes(body, settings, at(apis[name], "Auth", "DefaultAuthorizer"), public, report)
		}
		if auth, ok := at(apis[name], "Auth").(object); ok {
			maps.Copy(settings, samAuth(auth, http, report))
		}
		if len(settings) == 0 {
			report("has no authorizer")
		}
		for _, authorizer := range slices.Sorted(maps.Keys(settings)) {
			compare(settings[authorizer], configs[http], func(format string, args ...any) {
				report("%s: %s", authorizer, fmt.Sprintf(format, args...))
			})
		}
	}
	return problems
}

// extensions reads the authorizers of an OpenAPI definition.
func extensions(body any, http bool, report func(string, ...any)) map[string]setting {
	out := map[string]setting{}
	schemes, _ := at(body, "components", "securitySchemes").(object)
	for name, scheme := range schemes {
		extension, ok := at(scheme, "x-amazon-apigateway-authorizer").(object)
		if !ok {
			continue
		}
		unknown(extension, extensionKeys[http], name, report)
		s := setting{http: http, kind: text(extension["type"]), ttl: 300 * time.Second, simple: extension["enableSimpleResponses"] == true}
		if ttl, ok := extension["authorizerResultTtlInSeconds"].(int); ok {
			s.ttl = time.Duration(ttl) * time.Second
		}
		if sources, ok := extension["identitySource"].(string); ok {
			for source := range strings.SplitSeq(sources, ",") {
				s.sources = append(s.sources, strings.TrimSpace(source))
			}
		}
		if http && text(extension["authorizerPayloadFormatVersion"]) != "2.0" {
			report("%s: authorizerPayloadFormatVersion is %v: must be 2.0", name, extension["authorizerPayloadFormatVersion"])
		}
		if !http && at(scheme, "x-amazon-apigateway-authtype") != "custom" {
			report("%s: x-amazon-apigateway-authtype is %v: must be custom", name, at(scheme, "x-amazon-apigateway-authtype"))
		}
		if s.kind == "token" && !slices.Contains(s.sources, "method.request.header."+text(at(scheme, "name"))) {
			report("%s: a TOKEN authorizer takes the header that name says, %v, and identitySource is %v", name, at(scheme, "name"), s.sources)
		}
		if !strings.HasSuffix(text(extension["authorizerUri"]), "Function.Alias}/invocations") {
			report("%s: authorizerUri is %v: must invoke the live alias", name, extension["authorizerUri"])
		}
		out[name] = s
	}
	return out
}

// samAuth reads the Auth property of a SAM API.
func samAuth(auth object, http bool, report func(string, ...any)) map[string]setting {
	out := map[string]setting{}
	unknown(auth, samAuthKeys[http], "Auth", report)
	authorizers, _ := auth["Authorizers"].(object)
	if d, ok := auth["DefaultAuthorizer"]; !ok {
		report("Auth: no DefaultAuthorizer: routes would be open")
	} else if _, ok := authorizers[text(d)]; !ok {
		report("Auth: DefaultAuthorizer %v is none of its Authorizers", d)
	}
	for name, a := range authorizers {
		authorizer, _ := a.(object)
		unknown(authorizer, samAuthorizerKeys[http], name, report)
		identity, _ := authorizer["Identity"].(object)
		unknown(identity, samIdentityKeys, name+": Identity", report)
		s := setting{http: http, kind: "request", ttl: 300 * time.Second, simple: authorizer["EnableSimpleResponses"] == true}
		if !http && text(authorizer["FunctionPayloadType"]) != "REQUEST" {
			s.kind = "token"
			header, ok := identity["Header"].(string)
			if !ok {
				header = "Authorization"
			}
			s.sources = append(s.sources, "method.request.header."+header)
		}
		if http && text(authorizer["AuthorizerPayloadFormatVersion"]) != "2.0" {
			report("%s: AuthorizerPayloadFormatVersion is %v: must be 2.0", name, authorizer["AuthorizerPayloadFormatVersion"])
		}
		if ttl, ok := identity["ReauthorizeEvery"].(int); ok {
			s.ttl = time.Duration(ttl) * time.Second
		}
		s.sources = append(s.sources, samSources(identity, http)...)
		out[name] = s
	}
	return out
}

func samSources(identity object, http bool) (out []string) {
	request, dollar := "method.request.", ""
	if http {
		request, dollar = "$request.", "$"
	}
	for _, form := range [][2]string{
		{"Headers", request + "header."}, {"QueryStrings", request + "querystring."},
		{"StageVariables", dollar + "stageVariables."}, {"Context", dollar + "context."},
	} {
		names, _ := identity[form[0]].([]any)
		for _, n := range names {
			out = append(out, form[1]+text(n))
		}
	}
	return out
}

func unknown(m object, known []string, where string, report func(string, ...any)) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(known, key) {
			report("%s: unknown key %s", where, key)
		}
	}
}

// checkRoutes makes sure that every operation that is not public names one of
// the definition's own authorizers, and alone.
func checkRoutes(body any, settings map[string]setting, standard any, public []string, report func(string, ...any)) {
	for route, op := range operations(body) {
		security, listed := at(op, "security").([]any)
		open := slices.Contains(public, route) || strings.HasPrefix(route, "OPTIONS ")
		switch {
		case open && len(security) > 0:
			report("%s: is public, and has an authorizer", route)
		case open:
		case !listed && standard != nil:
		case len(security) == 0:
			report("%s: has no authorizer", route)
		case len(security) > 1:
			report("%s: has alternatives: API Gateway takes one authorizer", route)
		default:
			named := 0
			for scheme := range security[0].(object) {
				if _, ok := settings[scheme]; ok {
					named++
				} else if at(body, "components", "securitySchemes", scheme) == nil {
					report("%s: names %s, which is not defined", route, scheme)
				}
			}
			if named != 1 {
				report("%s: names %d authorizers", route, named)
			}
		}
	}
}

var methods = []string{"get", "put", "post", "delete", "patch", "options", "head", "x-amazon-apigateway-any-method"}

// operations are a definition's, by "METHOD /path".
func operations(body any) map[string]any {
	out := map[string]any{}
	paths, _ := at(body, "paths").(object)
	for path, item := range paths {
		members, _ := item.(object)
		for method, op := range members {
			if slices.Contains(methods, method) {
				out[strings.ToUpper(method)+" "+path] = op
			}
		}
	}
	return out
}

// compare holds what API Gateway is told against what the function was told.
func compare(s setting, c *config.Config, report func(string, ...any)) {
	if s.ttl != c.Gateway.CacheTTL {
		report("result TTL is %v, gateway.cache_ttl %v", s.ttl, c.Gateway.CacheTTL)
	}
	var want []string
	for _, source := range c.Gateway.IdentitySources {
		want = append(want, spelled(source, s.http))
	}
	if diff := cmp.Diff(want, s.sources); diff != "" {
		report("identity sources are %v, gateway.identity_sources %v", s.sources, want)
	}
	if s.http && s.simple != (c.Response.HTTPAPI == "simple") {
		report("simple responses are %v, response.http_api is %s", s.simple, c.Response.HTTPAPI)
	}
}

// spelled writes an identity source as that kind of API does: the zip has one
// file for both.
func spelled(source string, http bool) string {
	if !http {
		return source
	}
	for _, form := range [][2]string{{"method.request.", "$request."}, {"context.", "$context."}, {"stageVariables.", "$stageVariables."}} {
		if name, ok := strings.CutPrefix(source, form[0]); ok {
			return form[1] + name
		}
	}
	return source
}

// shipped loads a configuration as the deployed function does.
func shipped(t *testing.T, path string) *config.Config {
	t.Helper()
	c, err := config.Load(path, func(name string) (string, bool) {
		v, ok := map[string]string{
			"ISSUER": "https://idp.example.com/", "AUDIENCE": "https://api.example.com",
			"REVOCATIONS_TABLE": "revocations", "NONCES_TABLE": "nonces", "API_ID": "a1b2c3d4e5", "STAGE": "prod",
		}[name]
		return v, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// simpleConfig is what cmd/package makes of the shipped configuration for an
// HTTP API with simple answers; its own test holds it to this.
func simpleConfig(t *testing.T) *config.Config {
	t.Helper()
	raw, err := os.ReadFile("authorizer.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "identity_sources: [method.request.header.Authorization]",
		"identity_sources: [$request.header.Authorization, $context.routeKey]", 1) + "\nresponse: {http_api: simple}\n"
	path := filepath.Join(t.TempDir(), "authorizer.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return shipped(t, path)
}

func TestTemplateTellsAPIGatewayWhatTheFunctionWasTold(t *testing.T) {
	t.Parallel()
	template := read(t, "sam/template.yaml")
	iam, simple := shipped(t, "authorizer.yaml"), simpleConfig(t)
	for _, c := range []struct {
		parameters map[string]string
		http       *config.Config
	}{
		{map[string]string{}, iam},
		{map[string]string{"RestAuthorizer": "REQUEST", "UsagePlan": "true", "CorsOrigin": "https://app.example.com"}, iam},
		{map[string]string{"HttpAnswers": "simple", "DomainName": "api.example.com"}, simple},
		{map[string]string{"VpcEndpointIds": "vpce-0123456789abcdef0", "DeployHttp": "false"}, iam},
	} {
		got := deployed(t, template, c.parameters)
		for _, problem := range checkSettings(got, map[bool]*config.Config{false: iam, true: c.http}, []string{"GET /health"}) {
			t.Errorf("%v: %s", c.parameters, problem)
		}
	}
}

func TestAttachExampleAgreesWithTheShippedConfiguration(t *testing.T) {
	t.Parallel()
	shipped := shipped(t, "authorizer.yaml")
	configs := map[bool]*config.Config{false: shipped, true: shipped}
	for _, problem := range checkSettings(deployed(t, read(t, "sam/attach.yaml"), nil), configs, nil) {
		t.Error(problem)
	}
}

func TestWebSocketExampleAsksForConnect(t *testing.T) {
	t.Parallel()
	template := read(t, "sam/websocket.yaml")
	var connect []any
	for _, s := range shipped(t, "authorizer.yaml").Gateway.IdentitySources {
		connect = append(connect, strings.Replace(s, "method.", "route.", 1))
	}
	if diff := cmp.Diff(any(connect), at(template, "Resources", "Authorizer", "Properties", "IdentitySource")); diff != "" {
		t.Error(diff)
	}
	route := at(template, "Resources", "Connect", "Properties")
	if at(route, "RouteKey") != "$connect" || at(route, "AuthorizationType") != "CUSTOM" || at(route, "AuthorizerId", "Ref") != "Authorizer" {
		t.Errorf("$connect: %v", route)
	}
}

func TestEachMistakeAboutAuthorizersIsFound(t *testing.T) {
	t.Parallel()
	shipped := shipped(t, "authorizer.yaml")
	got := checkSettings(deployed(t, read(t, "testdata/broken.yaml"), nil), map[bool]*config.Config{false: shipped, true: shipped}, []string{"GET /health"})
	want := []string{
		"Bare: has no authorizer",
		"Http: Auth: no DefaultAuthorizer: routes would be open",
		"Http: LambdaAuthorizer: AuthorizerPayloadFormatVersion is <nil>: must be 2.0",
		"Http: LambdaAuthorizer: result TTL is 0s, gateway.cache_ttl 5m0s",
		"Http: LambdaAuthorizer: simple responses are true, response.http_api is iam",
		"Rest: Authorizer: a TOKEN authorizer takes the header that name says, X-Token, and identitySource is [method.request.header.Authorization context.identity.sourceIp]",
		"Rest: Authorizer: authorizerUri is arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/${AuthorizerFunction.Arn}/invocations: must invoke the live alias",
		"Rest: Authorizer: identity sources are [method.request.header.Authorization context.identity.sourceIp], gateway.identity_sources [method.request.header.Authorization]",
		"Rest: Authorizer: result TTL is 1m0s, gateway.cache_ttl 5m0s",
		"Rest: Authorizer: unknown key authorizerPayloadFormatVersion",
		"Rest: Authorizer: x-amazon-apigateway-authtype is <nil>: must be custom",
		"Rest: DELETE /items: names 0 authorizers",
		"Rest: GET /health: is public, and has an authorizer",
		"Rest: GET /items: names 0 authorizers",
		"Rest: GET /items: names Autoriser, which is not defined",
		"Rest: PATCH /items: has no authorizer",
		"Rest: POST /items: has no authorizer",
		"Rest: PUT /items: has alternatives: API Gateway takes one authorizer",
		"Sam: Auth: DefaultAuthorizer LambdaAuthoriser is none of its Authorizers",
		"Sam: Auth: unknown key Authorizer",
		"Sam: LambdaAuthorizer: Identity: unknown key ReauthoriseEvery",
		"Sam: LambdaAuthorizer: identity sources are [method.request.querystring.token], gateway.identity_sources [method.request.header.Authorization]",
		"Sam: LambdaAuthorizer: unknown key IdentitySource",
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func seconds(v any) time.Duration {
	n, _ := v.(int)
	return time.Duration(n) * time.Second
}

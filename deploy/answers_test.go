package deploy_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func gatewayResponses(t *testing.T, parameters map[string]string) object {
	t.Helper()
	template := deployed(t, read(t, "sam/template.yaml"), parameters)
	responses, _ := at(template, "Resources", "RestApi", "Properties", "DefinitionBody", "x-amazon-apigateway-gateway-responses").(object)
	return responses
}

var contextVariable = regexp.MustCompile(`\$context[.\w]+`)

// Everything that API Gateway answers itself is a problem of RFC 9457, and no
// answer of it may be kept.
func TestGatewayAnswersAreProblems(t *testing.T) {
	t.Parallel()
	responses := gatewayResponses(t, nil)
	status := map[string]int{
		"BAD_REQUEST_BODY": 400, "BAD_REQUEST_PARAMETERS": 400, "UNAUTHORIZED": 401,
		"ACCESS_DENIED": 403, "INVALID_API_KEY": 403, "WAF_FILTERED": 403,
		"MISSING_AUTHENTICATION_TOKEN": 404, "RESOURCE_NOT_FOUND": 404, "REQUEST_TOO_LARGE": 413, "UNSUPPORTED_MEDIA_TYPE": 415,
		"THROTTLED": 429, "QUOTA_EXCEEDED": 429, "AUTHORIZER_FAILURE": 500, "AUTHORIZER_CONFIGURATION_ERROR": 500,
		"INTEGRATION_TIMEOUT": 504, "INTEGRATION_FAILURE": 504, "DEFAULT_4XX": 0, "DEFAULT_5XX": 0,
	}
	if len(responses) != len(status) {
		t.Errorf("%d gateway responses, want %d", len(responses), len(status))
	}
	for name, want := range status {
		headers, _ := at(responses, name, "responseParameters").(object)
		if headers["gatewayresponse.header.Content-Type"] != "'application/problem+json'" ||
			headers["gatewayresponse.header.Cache-Control"] != "'private, no-store'" {
			t.Errorf("%s: %v", name, headers)
		}
		var problem struct {
			Type, Title, Detail, Instance string
			Status                        int
		}
		if err := json.Unmarshal([]byte(text(at(responses, name, "responseTemplates", "application/json"))), &problem); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasPrefix(problem.Type, "urn:lambda-authorizer:problem:") || problem.Title == "" || problem.Detail == "" ||
			problem.Instance != "$context.requestId" || problem.Status != want {
			t.Errorf("%s: %+v", name, problem)
		}
		// Variables are put in as they are: one that quotes the request could
		// break out of its string.
		for _, v := range contextVariable.FindAllString(text(at(responses, name, "responseTemplates")), -1) {
			if v != "$context.requestId" && (v != "$context.authorizer.reason" || name != "ACCESS_DENIED") {
				t.Errorf("%s says %s, which nobody escapes", name, v)
			}
		}
		if code, _ := at(responses, name, "statusCode").(int); code != want {
			t.Errorf("%s: status %d in the body, %d on the line", name, want, code)
		}
	}
	for name, header := range map[string]string{
		"UNAUTHORIZED": "WWW-Authenticate", "THROTTLED": "Retry-After", "QUOTA_EXCEEDED": "Retry-After",
	} {
		if at(responses, name, "responseParameters", "gatewayresponse.header."+header) == nil {
			t.Errorf("%s: no %s", name, header)
		}
	}
	if body := text(at(responses, "ACCESS_DENIED", "responseTemplates", "application/json")); !strings.Contains(body, `"reason": "$context.authorizer.reason"`) {
		t.Errorf("ACCESS_DENIED does not tell the reason: %s", body)
	}
}

// A page can read why it was refused only where the refusal has CORS headers.
func TestGatewayAnswersCanBeReadByTheOriginThatMayCall(t *testing.T) {
	t.Parallel()
	const header = "gatewayresponse.header.Access-Control-Allow-Origin"
	for name, r := range gatewayResponses(t, map[string]string{"CorsOrigin": "https://app.example.com"}) {
		if got := at(r, "responseParameters", header); got != "'https://app.example.com'" {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, r := range gatewayResponses(t, nil) {
		if got := at(r, "responseParameters", header); got != nil {
			t.Errorf("%s, without an origin: %v", name, got)
		}
	}
}

var (
	goList     = regexp.MustCompile(`(?s)(AllowedHeaders|ExposedHeaders): \[\]string\{(.*?)\}`)
	goString   = regexp.MustCompile(`"([^"]+)"`)
	idempotent = regexp.MustCompile(`idempotencyHeader\s*=\s*"([^"]+)"`)
)

// An HTTP API answers preflight requests itself, in the place of items.
func TestHTTPAPIAllowsTheHeadersThatTheServiceAllows(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../items/cors.go")
	if err != nil {
		t.Fatal(err)
	}
	source := string(raw)
	constant, err := os.ReadFile("../items/idempotency.go")
	if err != nil {
		t.Fatal(err)
	}
	name := idempotent.FindStringSubmatch(string(constant) + source)
	if name == nil {
		t.Fatal("items has no idempotencyHeader any more")
	}
	source = strings.ReplaceAll(source, "idempotencyHeader", `"`+name[1]+`"`)
	body := at(deployed(t, read(t, "sam/template.yaml"), map[string]string{"CorsOrigin": "https://app.example.com"}),
		"Resources", "HttpApi", "Properties", "DefinitionBody", "x-amazon-apigateway-cors")
	lists := goList.FindAllStringSubmatch(source, -1)
	if len(lists) != 2 {
		t.Fatal("items/cors.go lists no headers any more")
	}
	for _, l := range lists {
		var want []any
		for _, h := range goString.FindAllStringSubmatch(l[2], -1) {
			want = append(want, strings.ToLower(h[1]))
		}
		got := at(body, map[string]string{"AllowedHeaders": "allowHeaders", "ExposedHeaders": "exposeHeaders"}[l[1]])
		sorted := cmp.Transformer("sort", func(in []any) []string {
			var out []string
			for _, v := range in {
				out = append(out, text(v))
			}
			slices.Sort(out)
			return out
		})
		if diff := cmp.Diff(any(want), got, sorted); diff != "" {
			t.Errorf("%s:\n%s", l[1], diff)
		}
	}
}

// The configuration names secrets; the template makes them.
func TestSecretsHaveTheNamesThatTheConfigurationUses(t *testing.T) {
	t.Parallel()
	c := shipped(t, "authorizer-uncached.yaml")
	var want []string
	want = append(want, c.APIKeys.Secrets...)
	want = append(want, c.Signatures.Secrets...)
	for _, i := range c.Issuers {
		if i.HMACSecret != "" {
			want = append(want, i.HMACSecret)
		}
	}
	var got []string
	template := deployed(t, read(t, "sam/template.yaml"), nil)
	for name, s := range of(template, "AWS::SecretsManager::Secret") {
		if name != "CursorSecret" {
			got = append(got, text(s["Name"]))
		}
		// A name is taken as long as its secret is there: kept by a first
		// deployment that failed, it would fail each one after it.
		for policy, want := range map[string]string{"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"} {
			if at(template, "Resources", name, policy) != want {
				t.Errorf("%s: no %s: %s", name, policy, want)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

var variable = regexp.MustCompile(`\$\{([A-Z_]+)\}`)

// A variable that is not set stops the function at its start.
func TestFunctionsHaveTheVariablesThatTheConfigurationsUse(t *testing.T) {
	t.Parallel()
	template := deployed(t, read(t, "sam/template.yaml"), map[string]string{
		"Issuer": "https://idp.example.com/", "Audience": "https://api.example.com", "RestApiId": "a1b2c3d4e5", "HttpApiId": "b1b2c3d4e5",
	})
	for _, path := range []string{"authorizer.yaml", "authorizer-uncached.yaml"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range variable.FindAllStringSubmatch(string(raw), -1) {
			for _, f := range []string{"RestAuthorizerFunction", "HttpAuthorizerFunction"} {
				if at(template, "Resources", f, "Properties", "Environment", "Variables", v[1]) == nil {
					t.Errorf("%s needs %s, which %s has not", path, v[1], f)
				}
			}
		}
	}
}

// Gradual, watched, and alike: that is what catches a bad version.
//
// SAM puts "CodeDeployDefault.Lambda" before the names that it knows, and that
// is the configuration of CodeDeploy. Any other name is taken for one of this
// account's own, which there is not: the deployment group would not be made.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html
func TestFunctionsAreDeployedGraduallyAndWatched(t *testing.T) {
	t.Parallel()
	template := deployed(t, read(t, "sam/template.yaml"), nil)
	globals := at(read(t, "sam/template.yaml"), "Globals", "Function")
	if at(globals, "Runtime") != "provided.al2023" || at(globals, "Tracing") != "Active" {
		t.Errorf("globals: %v", globals)
	}
	if diff := cmp.Diff(any([]any{"arm64"}), at(globals, "Architectures")); diff != "" {
		t.Error(diff)
	}
	for name, alarms := range map[string][]any{
		"RestAuthorizerFunction": {ref("RestAuthorizerErrors"), ref("RestAuthorizerSlow")},
		"HttpAuthorizerFunction": {ref("HttpAuthorizerErrors"), ref("HttpAuthorizerSlow")},
		"Items":                  {ref("ItemsErrors"), ref("ItemsSlow")},
	} {
		f := at(template, "Resources", name, "Properties")
		if at(f, "AutoPublishAlias") != "live" || at(f, "LoggingConfig", "LogFormat") != "JSON" ||
			at(f, "DeploymentPreference", "Type") != "Canary10Percent5Minutes" {
			t.Errorf("%s: %v", name, f)
		}
		// The canary waits for longer than an alarm needs: metrics come
		// minutes late.
		for _, a := range alarms {
			if n, _ := at(template, "Resources", text(at(a, "Ref")), "Properties", "DatapointsToAlarm").(int); n < 1 || n > 3 {
				t.Errorf("%s: %v sounds after %d minutes", name, a, n)
			}
		}
		if diff := cmp.Diff(any(alarms), at(f, "DeploymentPreference", "Alarms")); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		logs := text(at(f, "LoggingConfig", "LogGroup", "Ref"))
		if at(template, "Resources", logs, "Properties", "RetentionInDays") == nil {
			t.Errorf("%s: its logs are kept for ever", name)
		}
	}
}

// Without a role in the account's settings API Gateway refuses a stage that
// logs: the stage waits for its log group, and that for the settings.
func TestStageWaitsForTheAccountsLogRole(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]any{"create": ref("AccountLogSettings"), "exists": ""} {
		template := deployed(t, read(t, "sam/template.yaml"), map[string]string{"AccountLogRole": role})
		if diff := cmp.Diff(want, at(template, "Resources", "RestAccessLogs", "Metadata", "After")); diff != "" {
			t.Errorf("%s:\n%s", role, diff)
		}
		if diff := cmp.Diff(any(arn("RestAccessLogs")), at(template, "Resources", "RestApi", "Properties", "AccessLogSetting", "DestinationArn")); diff != "" {
			t.Errorf("%s:\n%s", role, diff)
		}
	}
}

package deploy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/revocation"
)

// The Serverless Framework is not run here: packaged_test.go does. What it is
// told is held against the code.
func TestServerlessExampleIsWhatTheFunctionWasTold(t *testing.T) {
	t.Parallel()
	example := read(t, "serverless/serverless.yml")
	c := shipped(t, "authorizer.yaml")
	report := func(format string, args ...any) { t.Errorf(format, args...) }

	rest := at(example, "custom", "restAuthorizer")
	compare(setting{kind: "token", sources: []string{text(at(rest, "identitySource"))}, ttl: seconds(at(rest, "resultTtlInSeconds"))}, c, report)
	unknown(rest.(object), []string{"name", "arn", "type", "identitySource", "resultTtlInSeconds", "identityValidationExpression", "managedExternally"}, "restAuthorizer", report)

	http := at(example, "provider", "httpApi", "authorizers", "lambdaAuthorizer")
	var sources []string
	for _, s := range values(at(http, "identitySource")) {
		sources = append(sources, text(s))
	}
	compare(setting{
		http: true, sources: sources, ttl: seconds(at(http, "resultTtlInSeconds")), simple: at(http, "enableSimpleResponses") == true,
	}, c, report)
	unknown(http.(object), []string{"type", "functionName", "functionArn", "name", "resultTtlInSeconds", "enableSimpleResponses", "payloadVersion", "identitySource", "managedExternally"}, "lambdaAuthorizer", report)
	if at(http, "payloadVersion") != "2.0" || at(http, "type") != "request" {
		t.Errorf("HTTP: %v", http)
	}

	for _, name := range []any{at(rest, "name"), at(http, "functionName")} {
		f := at(example, "functions", text(name))
		if at(f, "package", "artifact") != "../../build/authorizer.zip" || at(f, "handler") != "bootstrap" {
			t.Errorf("authorizer function %v: %v", name, f)
		}
	}
	for _, v := range []string{"ISSUER", "AUDIENCE", "REVOCATIONS_TABLE"} {
		if at(example, "functions", "authorizer", "environment", v) == nil {
			t.Errorf("the function has no %s", v)
		}
	}
	if diff := cmp.Diff(any(shape(revocation.TableInput(""), "expires_at")), at(example, "resources", "Resources", "Revocations", "Properties")); diff != "" {
		t.Error(diff)
	}
}

func TestServerlessExampleDeploysTheRoutesOfTheService(t *testing.T) {
	t.Parallel()
	protected, public := routes(t)
	closed, open := map[string][]string{}, map[string][]string{}
	for _, e := range values(at(read(t, "serverless/serverless.yml"), "functions", "items", "events")) {
		for kind, event := range e.(object) {
			route := text(at(event, "method")) + " /" + strings.TrimPrefix(text(at(event, "path")), "/")
			switch authorizer := at(event, "authorizer"); {
			case authorizer == nil:
				open[kind] = append(open[kind], route)
			case authorizer == "${self:custom.restAuthorizer}" && kind == "http", at(authorizer, "name") == "lambdaAuthorizer" && kind == "httpApi":
				closed[kind] = append(closed[kind], route)
			default:
				t.Errorf("%s %s has the authorizer %v", kind, route, authorizer)
			}
		}
	}
	for _, kind := range []string{"http", "httpApi"} {
		slices.Sort(closed[kind])
		if diff := cmp.Diff(protected, closed[kind]); diff != "" {
			t.Errorf("%s, routes with the authorizer:\n%s", kind, diff)
		}
		if diff := cmp.Diff(public, open[kind]); diff != "" {
			t.Errorf("%s, routes without:\n%s", kind, diff)
		}
	}
}

// The framework's own role is one for all functions, and its own permission for
// an authorizer is for every route of the API: the example has both of its own.
func TestServerlessExampleGrantsNothingByWildcard(t *testing.T) {
	t.Parallel()
	example := read(t, "serverless/serverless.yml")
	if at(example, "provider", "iam") != nil {
		t.Error("one role for all functions")
	}
	for function, role := range map[string]string{"authorizer": "AuthorizerRole", "items": "ItemsRole"} {
		if at(example, "functions", function, "role") != role {
			t.Errorf("%s has not the role %s", function, role)
		}
	}
	for _, authorizer := range []any{at(example, "custom", "restAuthorizer"), at(example, "provider", "httpApi", "authorizers", "lambdaAuthorizer")} {
		if at(authorizer, "managedExternally") != true {
			t.Errorf("the framework permits every route to call: %v", authorizer)
		}
	}
	template := at(example, "resources").(object)
	const api = ": SourceArn arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
	want := []string{
		"AuthorizerRole" + trace, "HttpMayAsk" + api + "${HttpApi}" + anyAuthorizer,
		"ItemsRole" + trace, "RestMayAsk" + api + "${ApiGatewayRestApi}" + anyAuthorizer,
	}
	if diff := cmp.Diff(want, slices.Compact(wildcards(deployed(t, template, nil)))); diff != "" {
		t.Error(diff)
	}
	grants := []statement{}
	for _, role := range []string{"AuthorizerRole", "ItemsRole"} {
		collect(role, at(template, "Resources", role, "Properties", "Policies"), &grants)
	}
	for _, s := range grants {
		for _, action := range values(s.body["Action"]) {
			if !slices.Contains(mayDo, text(action)) || s.where == "ItemsRole" && strings.HasPrefix(text(action), "dynamodb:") {
				t.Errorf("%s may %s", s.where, action)
			}
		}
	}
}

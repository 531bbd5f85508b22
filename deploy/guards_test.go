package deploy_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// property walks down "Resource|property|…|0|…", which begins at the
// resource's properties.
func property(template object, path string) any {
	name, rest, _ := strings.Cut(path, "|")
	value := at(template, "Resources", name, "Properties")
	for key := range strings.SplitSeq(rest, "|") {
		if i, err := strconv.Atoi(key); err == nil {
			many := values(value)
			if i >= len(many) {
				return nil
			}
			value = many[i]
			continue
		}
		value = at(value, key)
	}
	return value
}

// What stands in the template once and guards something: each line is a
// property of a deployment with these parameters.
func TestTemplateSaysWhatGuards(t *testing.T) {
	t.Parallel()
	const (
		endpoint = "|DefinitionBody|servers|0|x-amazon-apigateway-endpoint-configuration|disableExecuteApiEndpoint"
		file     = "|Environment|Variables|AUTHORIZER_CONFIG"
		vpce     = "vpce-0123456789abcdef0"
	)
	private := map[string]string{"VpcEndpointIds": vpce}
	domain := map[string]string{"DomainName": "api.example.com", "CertificateArn": "arn", "TruststoreUri": "s3://bucket/ca.pem"}
	plan := map[string]string{"UsagePlan": "true", "UsageQuotaPerDay": "7", "ThrottleRate": "3", "ThrottleBurst": "4"}
	simple := map[string]string{"HttpAnswers": "simple"}
	template := read(t, "sam/template.yaml")
	for _, c := range []struct {
		parameters map[string]string
		path       string
		want       any
	}{
		// Requests are not logged whole, and throttled for every method.
		{nil, "RestApi|MethodSettings", []any{object{
			"HttpMethod": "*", "ResourcePath": "/*", "MetricsEnabled": true, "LoggingLevel": "ERROR", "DataTraceEnabled": false,
			"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 500,
		}}},
		{nil, "HttpApi|DefaultRouteSettings", object{"DetailedMetricsEnabled": true, "ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 500}},
		{plan, "HttpApi|DefaultRouteSettings|ThrottlingRateLimit", "3"},
		{plan, "RestApi|MethodSettings|0|ThrottlingBurstLimit", "4"},

		// A private API is reached through its endpoints alone, and its policy
		// opens what has no authorizer and nothing else.
		{nil, "RestApi|EndpointConfiguration", object{"Type": "REGIONAL"}},
		{nil, "RestApi|DefinitionBody|x-amazon-apigateway-policy", nil},
		{private, "RestApi|EndpointConfiguration", object{"Type": "PRIVATE", "VPCEndpointIds": []any{vpce}}},
		{private, "RestApi|DefinitionBody|x-amazon-apigateway-policy|Statement", []any{
			object{"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
				"Condition": object{"StringNotEquals": object{"aws:SourceVpce": []any{vpce}}}},
			object{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
				"Resource": []any{"execute-api:/prod/GET/health", "execute-api:/prod/OPTIONS/items", "execute-api:/prod/OPTIONS/items/*"}},
		}},

		// Beside a domain with its TLS and client certificates nothing answers.
		{nil, "RestApi" + endpoint, false},
		{nil, "HttpApi" + endpoint, false},
		{domain, "RestApi" + endpoint, true},
		{domain, "HttpApi" + endpoint, true},
		{domain, "CustomDomain|DomainNameConfigurations|0|SecurityPolicy", "TLS_1_2"},
		{domain, "CustomDomain|MutualTlsAuthentication|TruststoreUri", "s3://bucket/ca.pem"},

		// Simple answers need the configuration that was made for them.
		{nil, "HttpAuthorizerFunction" + file, "/var/task/authorizer.yaml"},
		{simple, "HttpAuthorizerFunction" + file, "/var/task/authorizer-simple.yaml"},
		{simple, "RestAuthorizerFunction" + file, "/var/task/authorizer.yaml"},

		// Usage is metered by what the authorizer says, never by a header.
		{nil, "RestApi|DefinitionBody|x-amazon-apigateway-api-key-source", "AUTHORIZER"},
		{nil, "UsageOfRest|Quota", nil},
		{plan, "UsageOfRest|Quota", object{"Limit": "7", "Period": "DAY"}},
		{plan, "UsageOfRest|Throttle", object{"RateLimit": "3", "BurstLimit": "4"}},
		{plan, "UsageOfRest|ApiStages", []any{object{"ApiId": ref("RestApi"), "Stage": ref("RestApi.Stage")}}},

		// RFC 9110 section 11.6.1: a 401 names a scheme.
		{nil, "RestApi|DefinitionBody|x-amazon-apigateway-gateway-responses|UNAUTHORIZED|responseParameters|gatewayresponse.header.WWW-Authenticate", "'Bearer'"},

		// The alias, not whatever was published last.
		{nil, "RestAuthorizerPermission|FunctionName", ref("RestAuthorizerFunction.Alias")},
		{nil, "HttpAuthorizerPermission|FunctionName", ref("HttpAuthorizerFunction.Alias")},
		{nil, "ItemsRestPermission|FunctionName", ref("Items.Alias")},
		{nil, "ItemsHttpPermission|FunctionName", ref("Items.Alias")},
		{nil, "RotatePermission|SourceArn", ref("HmacSecret")},
	} {
		if diff := cmp.Diff(c.want, property(deployed(t, template, c.parameters), c.path)); diff != "" {
			t.Errorf("%v: %s:\n%s", c.parameters, c.path, diff)
		}
	}
}

func TestPermissionsAreForThisAccountsAPIGateway(t *testing.T) {
	t.Parallel()
	permissions := of(deployed(t, read(t, "sam/template.yaml"), nil), "AWS::Lambda::Permission")
	for name, p := range permissions {
		service := "apigateway.amazonaws.com"
		if name == "RotatePermission" {
			service = "secretsmanager.amazonaws.com"
		}
		if p["Action"] != "lambda:InvokeFunction" || p["Principal"] != service || cmp.Diff(any(ref("AWS::AccountId")), p["SourceAccount"]) != "" {
			t.Errorf("%s: %v", name, p)
		}
	}
	if len(permissions) != 5 {
		t.Errorf("%d permissions", len(permissions))
	}
}

// The access log is the record of what API Gateway answered from its cache.
func TestAccessLogsAreJSONAndSayWhoAndWhatTheAuthorizerDid(t *testing.T) {
	t.Parallel()
	template := deployed(t, read(t, "sam/template.yaml"), nil)
	common := map[string]string{"request_id": "requestId", "status": "status", "reason": "authorizer.reason", "auth_method": "authorizer.auth_method", "source_ip": "identity.sourceIp"}
	for path, own := range map[string]map[string]string{
		"RestApi|AccessLogSetting":  {"principal": "authorizer.principalId", "authorizer_status": "authorizer.status", "authorizer_latency": "authorizer.latency", "route": "resourcePath"},
		"HttpApi|AccessLogSettings": {"principal": "authorizer.principal", "authorizer_error": "authorizer.error", "route": "routeKey"},
	} {
		var format map[string]string
		if err := json.Unmarshal([]byte(text(property(template, path+"|Format"))), &format); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, fields := range []map[string]string{common, own} {
			for name, variable := range fields {
				if format[name] != "$context."+variable {
					t.Errorf("%s: %s is %q", path, name, format[name])
				}
			}
		}
		// Put in as they are, these could break out of their strings.
		for name, variable := range format {
			for _, part := range []string{"path", "identity.userAgent", "error.message", "authorizer.claims"} {
				if variable == "$context."+part {
					t.Errorf("%s: %s is a piece of the request: %s", path, name, variable)
				}
			}
		}
	}
}

// log.principal: hash keeps the principal out of every log.
func TestHashedPrincipalIsInNoLog(t *testing.T) {
	t.Parallel()
	template := read(t, "sam/template.yaml")
	if d := at(template, "Parameters", "LogPrincipal", "Default"); d != shipped(t, "authorizer.yaml").Log.Principal {
		t.Errorf("LogPrincipal is %v, log.principal %s", d, shipped(t, "authorizer.yaml").Log.Principal)
	}
	hashed := deployed(t, template, map[string]string{"LogPrincipal": "hash"})
	for _, path := range []string{"RestApi|AccessLogSetting|Format", "HttpApi|AccessLogSettings|Format"} {
		format := text(property(hashed, path))
		if strings.Contains(format, "principal") || !json.Valid([]byte(format)) {
			t.Errorf("%s: %s", path, format)
		}
	}
	if property(hashed, "Items|Environment|Variables|ITEMS_LOG_PRINCIPAL") != "hash" {
		t.Error("items logs the principal as it is")
	}
}

// Logs are the audit record: they outlive the stack, and not for ever.
func TestLogsAreKept(t *testing.T) {
	t.Parallel()
	template := deployed(t, read(t, "sam/template.yaml"), nil)
	groups := of(template, "AWS::Logs::LogGroup")
	for name, group := range groups {
		for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if at(template, "Resources", name, policy) != "Retain" {
				t.Errorf("%s: no %s: Retain", name, policy)
			}
		}
		if group["RetentionInDays"] != 90 {
			t.Errorf("%s is kept for %v days", name, group["RetentionInDays"])
		}
	}
	if len(groups) != 6 {
		t.Errorf("%d log groups", len(groups))
	}
}

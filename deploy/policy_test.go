package deploy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statement is one of an IAM policy, by where it stands.
type statement struct {
	where string
	body  object
}

// statements are all that a template grants: inline policies of roles,
// policies of their own, permissions of functions, resource policies.
func statements(template object) (out []statement) {
	for _, name := range slices.Sorted(maps.Keys(section(template, "Resources"))) {
		collect(name, at(template["Resources"], name, "Properties"), &out)
	}
	return out
}

func collect(where string, value any, out *[]statement) {
	switch v := value.(type) {
	case object:
		if s, ok := v["Statement"]; ok {
			many, is := s.([]any)
			if !is {
				many = []any{s}
			}
			for _, one := range many {
				if body, ok := one.(object); ok {
					*out = append(*out, statement{where, body})
				}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			collect(where, v[key], out)
		}
	case []any:
		for _, e := range v {
			collect(where, e, out)
		}
	}
}

func values(v any) []any {
	if many, ok := v.([]any); ok {
		return many
	}
	if v == nil {
		return nil
	}
	return []any{v}
}

// wildcards lists every * and every inversion in what a template grants, and
// every managed policy, whose text is elsewhere.
func wildcards(template object) (out []string) {
	for _, s := range statements(template) {
		for _, key := range []string{"NotAction", "NotResource", "NotPrincipal"} {
			if s.body[key] != nil {
				out = append(out, fmt.Sprintf("%s: %s", s.where, key))
			}
		}
		for _, key := range []string{"Action", "Resource", "Principal"} {
			for _, v := range values(s.body[key]) {
				if strings.Contains(fmt.Sprint(v), "*") {
					what := fmt.Sprintf("%s: %s %s %v", s.where, s.body["Effect"], key, v)
					if key == "Resource" { // a wildcard is listed for its actions alone
						what += fmt.Sprintf(" for %v", values(s.body["Action"]))
					}
					out = append(out, what)
				}
			}
		}
	}
	for name, p := range of(template, "AWS::Lambda::Permission") {
		for _, key := range []string{"Principal", "SourceArn", "FunctionName", "Action"} {
			if strings.Contains(fmt.Sprint(p[key]), "*") {
				out = append(out, fmt.Sprintf("%s: %s %v", name, key, p[key]))
			}
		}
		for _, key := range []string{"SourceArn"} {
			if p[key] == nil {
				out = append(out, fmt.Sprintf("%s: no %s", name, key))
			}
		}
	}
	for name, p := range of(template, "AWS::IAM::Role", "AWS::Serverless::Function") {
		for _, key := range []string{"ManagedPolicyArns", "Policies"} {
			for _, policy := range values(p[key]) {
				if m, ok := policy.(object); !ok || m["Fn::Join"] != nil {
					out = append(out, fmt.Sprintf("%s: managed policy %v", name, policy))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// trace is X-Ray's: it knows no resources.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
const trace = ": Allow Resource * for [xray:PutTraceSegments xray:PutTelemetryRecords]"

// An authorizer's id is given when API Gateway imports the definition, so the
// permission ends where the API does.
const anyAuthorizer = "/authorizers/*"

// allowed are the wildcards that stay, each with its reason.
var allowed = map[string]map[string]string{
	"sam/template.yaml": {
		"DeployRole: Allow Resource * for [cloudwatch:DescribeAlarms]": "alarms have no resources to name there",
		"AuthorizerRole" + trace: "X-Ray", "ItemsRole" + trace: "X-Ray", "RotateRole" + trace: "X-Ray",
		"RestAuthorizerPermission: SourceArn arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}" + anyAuthorizer: "this API's",
		"HttpAuthorizerPermission: SourceArn arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}" + anyAuthorizer: "this API's",
		"ItemsRestPermission: SourceArn arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}/prod/*":               "the stage's methods, all of which are of items",
		"ItemsHttpPermission: SourceArn arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/$default/*":           "the stage's routes, all of which are of items",
		"AccountLogWriter: managed policy arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs":          "what API Gateway's documentation asks for; off unless the account has none",
		"RestApi: Deny Principal *":                                                          "a refusal",
		"RestApi: Deny Resource execute-api:/* for [execute-api:Invoke]":                     "a refusal",
		"RestApi: Allow Principal *":                                                         "routes without an authorizer",
		"RestApi: Allow Resource execute-api:/prod/OPTIONS/items/* for [execute-api:Invoke]": "preflight requests of one route",
	},
	"sam/attach.yaml": {
		"OrdersMayAsk: SourceArn arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Orders}" + anyAuthorizer:         "this API's",
		"OrdersHttpMayAsk: SourceArn arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${OrdersHttp}" + anyAuthorizer: "this API's",
	},
	"sam/websocket.yaml":          {},
	"observability/template.yaml": {},
}

func TestNothingIsGrantedByWildcardButWhatIsListed(t *testing.T) {
	t.Parallel()
	for file, parameters := range everything {
		parameters = maps.Clone(parameters)
		if file == "sam/template.yaml" {
			delete(parameters, "DomainName")
			parameters["VpcEndpointIds"], parameters["AccountLogRole"] = "vpce-0123456789abcdef0", "create"
		}
		want := slices.Sorted(maps.Keys(allowed[file]))
		got := slices.Compact(wildcards(deployed(t, read(t, file), parameters)))
		if diff := cmp.Diff(want, got, cmp.Transformer("none", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
			t.Errorf("%s: want -, got +\n%s", file, diff)
		}
	}
}

func TestEachWildcardIsFound(t *testing.T) {
	t.Parallel()
	got := wildcards(read(t, "testdata/broken.yaml"))
	want := []string{
		"Anybody: Principal *",
		"Anybody: no SourceArn",
		"AuthorizerFunction: managed policy AdministratorAccess",
		"Open: Allow Action dynamodb:*",
		"Open: Allow Resource * for []",
		"Open: Allow Resource arn:aws:dynamodb:eu-central-1:123456789012:table/* for [dynamodb:*]",
		"Open: NotAction",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What each role may do is what its function does, and no more.
func TestRolesMayDoWhatTheirFunctionsDo(t *testing.T) {
	t.Parallel()
	template := deployed(t, read(t, "sam/template.yaml"), everything["sam/template.yaml"])
	secretsOnly := object{"StringEquals": object{"kms:ViaService": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}}
	key := any(everything["sam/template.yaml"]["SecretKeyArn"])
	tables := object{"Action": "kms:Decrypt", "Resource": everything["sam/template.yaml"]["TableKeyArn"],
		"Condition": object{"StringEquals": object{"kms:ViaService": "dynamodb.${AWS::Region}.${AWS::URLSuffix}"}}}
	logs := func(group string) object {
		return object{"Action": []any{"logs:CreateLogStream", "logs:PutLogEvents"}, "Resource": arn(group)}
	}
	trace := object{"Action": []any{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "Resource": "*"}
	want := map[string][]object{
		"AuthorizerRole": {
			{"Action": []any{"dynamodb:GetItem", "dynamodb:BatchGetItem"}, "Resource": arn("RevocationsTable")},
			{"Action": "dynamodb:PutItem", "Resource": arn("NoncesTable")},
			{"Action": "secretsmanager:GetSecretValue", "Resource": []any{ref("ApiKeysSecret"), ref("SigningKeysSecret"), ref("HmacSecret")}},
			{"Action": "kms:Decrypt", "Resource": key, "Condition": secretsOnly},
			tables,
			logs("RestAuthorizerLogs"), logs("HttpAuthorizerLogs"), trace,
		},
		"ItemsRole": {
			{"Action": []any{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"}, "Resource": arn("ItemsTable")},
			{"Action": "secretsmanager:GetSecretValue", "Resource": ref("CursorSecret")},
			{"Action": "kms:Decrypt", "Resource": key, "Condition": secretsOnly},
			tables,
			logs("ItemsLogs"), trace,
		},
		"RotateRole": {
			{"Action": []any{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"}, "Resource": ref("HmacSecret")},
			{"Action": []any{"kms:Decrypt", "kms:GenerateDataKey"}, "Resource": key, "Condition": secretsOnly},
			logs("RotateLogs"), trace,
		},
		"DeployRole": {
			{"Action": []any{"lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"}, "Resource": []any{
				arn("RestAuthorizerFunction"), "${RestAuthorizerFunction.Arn}:live",
				arn("HttpAuthorizerFunction"), "${HttpAuthorizerFunction.Arn}:live",
				arn("Items"), "${Items.Arn}:live",
			}},
			{"Action": "cloudwatch:DescribeAlarms", "Resource": "*"},
		},
	}
	for role, grants := range want {
		var got []object
		collected := []statement{}
		collect(role, at(template, "Resources", role, "Properties", "Policies"), &collected)
		for _, s := range collected {
			if s.body["Effect"] != "Allow" {
				t.Errorf("%s: %v", role, s.body)
			}
			delete(s.body, "Effect")
			delete(s.body, "Sid")
			got = append(got, s.body)
		}
		if diff := cmp.Diff(grants, got); diff != "" {
			t.Errorf("%s:\n%s", role, diff)
		}
	}
	for name, f := range of(template, "AWS::Serverless::Function") {
		if role := at(f, "Role", "Fn::GetAtt"); role == nil {
			t.Errorf("%s has no role of its own: SAM's has more", name)
		}
		if p := at(f, "DeploymentPreference"); p != nil && cmp.Diff(any(arn("DeployRole")), at(p, "Role")) != "" {
			t.Errorf("%s: SAM's role of CodeDeploy may move every function's alias", name)
		}
	}
}

func ref(name string) object { return object{"Ref": name} }

func arn(name string) object { return object{"Fn::GetAtt": []any{name, "Arn"}} }

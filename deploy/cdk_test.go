package deploy_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/revocation"
)

// cdkCode is where the documented command compiles to.
const cdkCode = "cdk/build"

var cdkCommand = regexp.MustCompile(`(npm --prefix deploy exec .*) && npx cdk deploy -a '(.*)'`)

// synthesisedBelow is a directory with a zip and the templates, "" until a test
// has asked for them.
var synthesisedBelow string

// synthesised compiles the construct and its example with every check of the
// compiler and runs it, once, by the very command that the example names.
var synthesised = sync.OnceValues(func() (dir string, err error) {
	if synthesisedBelow, err = os.MkdirTemp("", "cdk"); err != nil {
		return "", err
	}
	example, err := os.ReadFile("cdk/example.ts")
	if err != nil {
		return "", err
	}
	command := cdkCommand.FindStringSubmatch(string(example))
	if command == nil {
		return "", errors.New("cdk/example.ts names no command")
	}
	zip := filepath.Join(synthesisedBelow, "authorizer.zip")
	if err := os.WriteFile(zip, []byte("stands for build/authorizer.zip"), 0o644); err != nil {
		return "", err
	}
	for _, line := range command[1:] {
		c := exec.Command("sh", "-c", line)
		c.Dir = ".."
		c.Env = append(os.Environ(), "CDK_OUTDIR="+filepath.Join(synthesisedBelow, "out"), fmt.Sprintf(`CDK_CONTEXT_JSON={"zip":%q}`, zip))
		if said, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", line, err, said)
		}
	}
	return synthesisedBelow, nil
})

func cdkTemplates(t *testing.T) map[string]string {
	t.Helper()
	dir, err := synthesised()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, stack := range []string{"AuthorizerExample", "AuthorizerExampleSimple"} {
		out[stack] = filepath.Join(dir, "out", stack+".template.json")
	}
	return out
}

func TestMain(m *testing.M) {
	code := m.Run()
	if synthesisedBelow != "" {
		os.RemoveAll(synthesisedBelow)
	}
	os.Exit(code)
}

func TestSynthesisedTemplatesPassTheValidationOfAWS(t *testing.T) {
	t.Parallel()
	files := map[string]map[string]string{}
	for _, path := range cdkTemplates(t) {
		files[path] = map[string]string{}
	}
	for _, f := range validate(t, files) {
		if f.Rule == "W3005" { // CDK writes each dependency out, those that follow from a reference, too
			continue
		}
		t.Errorf("%s:%d: %s %s %s: %s", filepath.Base(f.File), f.Line, f.Rule, f.ID, f.Path, f.Message)
	}
}

func TestSynthesisedAuthorizersAreWhatTheFunctionWasTold(t *testing.T) {
	t.Parallel()
	configs := map[string]struct {
		file   string
		simple bool
	}{"AuthorizerExample": {"authorizer.yaml", false}, "AuthorizerExampleSimple": {"authorizer-simple.yaml", true}}
	for stack, path := range cdkTemplates(t) {
		template := read(t, path)
		seen := 0
		for name, a := range of(template, "AWS::ApiGateway::Authorizer") {
			seen++
			compare(setting{kind: text(a["Type"]), sources: []string{text(a["IdentitySource"])}, ttl: seconds(a["AuthorizerResultTtlInSeconds"])},
				shipped(t, "authorizer.yaml"), func(format string, args ...any) { t.Errorf("%s: %s: %s", stack, name, fmt.Sprintf(format, args...)) })
		}
		for name, a := range of(template, "AWS::ApiGatewayV2::Authorizer") {
			seen++
			var sources []string
			for _, s := range values(a["IdentitySource"]) {
				sources = append(sources, text(s))
			}
			c := shipped(t, "authorizer.yaml")
			if configs[stack].simple {
				c = simpleConfig(t)
			}
			compare(setting{http: true, sources: sources, ttl: seconds(a["AuthorizerResultTtlInSeconds"]), simple: a["EnableSimpleResponses"] == true},
				c, func(format string, args ...any) { t.Errorf("%s: %s: %s", stack, name, fmt.Sprintf(format, args...)) })
			if a["AuthorizerPayloadFormatVersion"] != "2.0" {
				t.Errorf("%s: %s: payload format %v", stack, name, a["AuthorizerPayloadFormatVersion"])
			}
		}
		if seen != 2 {
			t.Errorf("%s has %d authorizers", stack, seen)
		}
		var files []string
		for _, f := range of(template, "AWS::Lambda::Function") {
			if file := at(f, "Environment", "Variables", "AUTHORIZER_CONFIG"); file != nil {
				files = append(files, strings.TrimPrefix(text(file), "/var/task/"))
			}
		}
		if !slices.Contains(files, configs[stack].file) {
			t.Errorf("%s: no function uses %s: %v", stack, configs[stack].file, files)
		}
	}
}

func TestSynthesisedAPIsDeployTheRoutesOfTheService(t *testing.T) {
	t.Parallel()
	protected, public := routes(t)
	for stack, path := range cdkTemplates(t) {
		template := read(t, path)
		for kind, routes := range map[string]map[string]bool{"REST": restRoutes(template), "HTTP": httpRoutes(template)} {
			var closed, open []string
			for route, authorized := range routes {
				if authorized {
					closed = append(closed, route)
					continue
				}
				open = append(open, route)
			}
			slices.Sort(closed)
			if diff := cmp.Diff(protected, closed); diff != "" {
				t.Errorf("%s %s, routes with the authorizer:\n%s", stack, kind, diff)
			}
			if diff := cmp.Diff(public, open); diff != "" {
				t.Errorf("%s %s, routes without:\n%s", stack, kind, diff)
			}
		}
	}
}

// restRoutes are a template's methods, and whether they have the authorizer.
func restRoutes(template object) map[string]bool {
	resources := of(template, "AWS::ApiGateway::Resource")
	var path func(name string) string
	path = func(name string) string {
		r, ok := resources[name]
		if !ok {
			return ""
		}
		return path(text(at(r["ParentId"], "Ref"))) + "/" + text(r["PathPart"])
	}
	out := map[string]bool{}
	for _, m := range of(template, "AWS::ApiGateway::Method") {
		route := text(m["HttpMethod"]) + " " + path(text(at(m["ResourceId"], "Ref")))
		out[route] = m["AuthorizationType"] == "CUSTOM" && at(m["AuthorizerId"], "Ref") != nil
	}
	return out
}

func httpRoutes(template object) map[string]bool {
	out := map[string]bool{}
	for _, r := range of(template, "AWS::ApiGatewayV2::Route") {
		out[text(r["RouteKey"])] = r["AuthorizationType"] == "CUSTOM" && at(r["AuthorizerId"], "Ref") != nil
	}
	return out
}

// The wildcards of an example's backend are CDK's own; the authorizer has but
// X-Ray's, and its permissions name API and authorizer.
func TestSynthesisedAuthorizerIsGrantedNothingByWildcard(t *testing.T) {
	t.Parallel()
	for stack, path := range cdkTemplates(t) {
		template := read(t, path)
		resources := section(template, "Resources")
		for name, p := range of(template, "AWS::Lambda::Permission") {
			if strings.HasPrefix(text(at(p["FunctionName"], "Fn::GetAtt")), "[Backend") {
				delete(resources, name)
			}
		}
		// A key's policy speaks of this key, by *, to the account that has it.
		maps.DeleteFunc(resources, func(name string, r any) bool {
			return strings.HasPrefix(name, "BackendServiceRole") || at(r, "Type") == "AWS::KMS::Key"
		})
		for _, w := range wildcards(template) {
			if !strings.HasSuffix(w, trace) || !strings.Contains(w, "AuthorizerRole") {
				t.Errorf("%s: %s", stack, w)
			}
		}
		asks := 0
		for name, p := range of(template, "AWS::Lambda::Permission") {
			asks++
			if !strings.Contains(fmt.Sprint(p["SourceArn"]), "/authorizers/ map[Ref:") {
				t.Errorf("%s: %s may come from %v", stack, name, p["SourceArn"])
			}
		}
		if asks != 2 {
			t.Errorf("%s: %d permissions for authorizers", stack, asks)
		}
		for name, p := range of(template, "AWS::IAM::Policy") {
			for _, s := range values(at(p["PolicyDocument"], "Statement")) {
				for _, action := range values(at(s, "Action")) {
					if !slices.Contains(mayDo, text(action)) {
						t.Errorf("%s: %s may %s", stack, name, action)
					}
				}
				if at(s, "Action") == "kms:Decrypt" && at(s, "Condition", "StringEquals", "kms:ViaService") == nil {
					t.Errorf("%s: %s may decrypt past the services that keep what is encrypted", stack, name)
				}
			}
		}
	}
}

// mayDo is all that an authorizer may.
var mayDo = []string{
	"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "secretsmanager:GetSecretValue", "kms:Decrypt",
	"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
}

func TestSynthesisedTablesAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	for stack, path := range cdkTemplates(t) {
		tables := of(read(t, path), "AWS::DynamoDB::Table")
		for name, table := range tables {
			want := shape(nonces, "expires_at")
			if strings.HasPrefix(name, "Revocations") {
				want = shape(revocation.TableInput(""), "expires_at")
			}
			want["SSESpecification"] = object{"SSEEnabled": true} // KMS is its default
			if diff := cmp.Diff(want, table); diff != "" {
				t.Errorf("%s: %s:\n%s", stack, name, diff)
			}
		}
		if len(tables) != 2 {
			t.Errorf("%s: %d tables", stack, len(tables))
		}
	}
}

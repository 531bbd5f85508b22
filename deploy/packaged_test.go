//go:build serverless

package deploy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// osls, the free successor of the Serverless Framework's version 3, packages
// the example offline. What it would hand to CloudFormation is held against
// authorizer.yaml. make lint-serverless runs this: the packager takes a minute
// and a half to install, and build/authorizer.zip must be there.
func TestServerlessPackagesTheExampleAsTheFunctionWasTold(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	if err := os.CopyFS(filepath.Join(top, "deploy", "serverless"), os.DirFS("serverless")); err != nil {
		t.Fatal(err)
	}
	zip, err := os.ReadFile("../build/authorizer.zip")
	if err != nil {
		t.Fatalf("%v: make package", err)
	}
	if err := os.Mkdir(filepath.Join(top, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(top, "build", "authorizer.zip"), zip, 0o644); err != nil {
		t.Fatal(err)
	}
	osls, err := filepath.Abs("packager/node_modules/.bin/osls")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), osls, "package")
	c.Dir = filepath.Join(top, "deploy", "serverless")
	c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=made-up", "AWS_REGION=eu-central-1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(c.Dir, ".serverless", "cloudformation-template-update-stack.json"))
	if err != nil {
		t.Fatal(err)
	}
	var template object
	if err := json.Unmarshal(data, &template); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for name, r := range at(template, "Resources").(object) {
		p := at(r, "Properties")
		ttl, _ := at(p, "AuthorizerResultTtlInSeconds").(float64)
		s := setting{ttl: seconds(int(ttl))}
		switch kind := text(at(r, "Type")); kind {
		case "AWS::ApiGateway::Authorizer":
			s.kind, s.sources = "token", []string{text(at(p, "IdentitySource"))}
			seen[kind] = at(p, "Type") == "TOKEN"
		case "AWS::ApiGatewayV2::Authorizer":
			s.http, s.simple = true, at(p, "EnableSimpleResponses") == true
			for _, source := range values(at(p, "IdentitySource")) {
				s.sources = append(s.sources, text(source))
			}
			seen[kind] = at(p, "AuthorizerPayloadFormatVersion") == "2.0"
		default:
			continue
		}
		compare(s, shipped(t, "authorizer.yaml"), func(format string, args ...any) { t.Errorf(name+": "+format, args...) })
	}
	if !seen["AWS::ApiGateway::Authorizer"] || !seen["AWS::ApiGatewayV2::Authorizer"] {
		t.Errorf("authorizers packaged as they should be: %v", seen)
	}
}

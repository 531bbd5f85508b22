package deploy_test

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// finding is one of AWS's offline validation.
type finding struct {
	File, Rule, ID, Path, Message string
	Line                          int
}

// validate runs @aws/cloudformation-validate over files with parameters.
func validate(t *testing.T, files map[string]map[string]string) []finding {
	t.Helper()
	input, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("node", "validate.js", string(input))
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("node validate.js: %v (npm ci --prefix deploy installs what it needs)\n%s", err, stderr.String())
	}
	var findings []finding
	if err := json.Unmarshal(out, &findings); err != nil {
		t.Fatal(err)
	}
	return findings
}

var samReference = regexp.MustCompile(`^'([A-Za-z]+)\.(Alias|Stage)' is not one of `)

// known are findings that are not so.
func known(template object, f finding) bool {
	switch f.Rule {
	case "W2509": // a parameter that names a secret's key or prefix holds no secret
		return f.ID == "SecretKeyArn" || f.ID == "SecretPrefix"
	case "W9002": // the tool puts the value of a parameter in its place
		return at(template, "Resources", f.ID, "Properties", strings.TrimPrefix(f.Path, "Properties."), "Ref") != nil
	case "F1020": // SAM's own references, which the tool does not know outside of SAM's resources
		m := samReference.FindStringSubmatch(f.Message)
		if m == nil {
			return false
		}
		resource := at(template, "Resources", m[1])
		switch at(resource, "Type") {
		case "AWS::Serverless::Function":
			return m[2] == "Alias" && at(resource, "Properties", "AutoPublishAlias") != nil
		case "AWS::Serverless::Api", "AWS::Serverless::HttpApi":
			return m[2] == "Stage"
		}
	}
	return false
}

// everything is a deployment with every option on.
var everything = map[string]map[string]string{
	"sam/template.yaml": {
		"Issuer": "https://idp.example.com/", "Audience": "https://api.example.com", "CorsOrigin": "https://app.example.com",
		"AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:alarms", "ReservedConcurrency": "50", "ProvisionedConcurrency": "5",
		"BusyFrom": "cron(0 7 ? * MON-FRI *)", "BusyUntil": "cron(0 19 ? * MON-FRI *)", "UsagePlan": "true",
		"DomainName": "api.example.com", "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-4333-8444-555555555555",
		"TruststoreUri": "s3://bucket/ca.pem",
		"WebAclArn":     "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/main/11111111-2222-4333-8444-555555555555",
		"TableKeyArn":   "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555",
		"SecretKeyArn":  "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555556",
	},
	"observability/template.yaml": {
		"Name": "authorizer", "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:alarms",
		"RestAuthorizerName": "rest", "RestAuthorizerLogs": "rest-logs", "RestAuthorizerErrors": "rest-errors", "RestApiName": "api",
		"HttpAuthorizerName": "http", "HttpAuthorizerLogs": "http-logs", "HttpAuthorizerErrors": "http-errors", "HttpApiId": "a1b2c3d4e5",
		"ItemsName": "items", "ItemsErrors": "items-errors", "RotateName": "rotate",
		"RevocationsTable": "revocations", "NoncesTable": "nonces", "ItemsTable": "items",
	},
	"sam/attach.yaml": {
		"RestAuthorizerAlias": "arn:aws:lambda:eu-central-1:123456789012:function:rest:live",
		"HttpAuthorizerAlias": "arn:aws:lambda:eu-central-1:123456789012:function:http:live",
	},
	"sam/websocket.yaml": {"AuthorizerAlias": "arn:aws:lambda:eu-central-1:123456789012:function:rest:live"},
}

func TestTemplatesPassTheValidationOfAWS(t *testing.T) {
	t.Parallel()
	templates := map[string]object{}
	for file := range everything {
		templates[file] = read(t, file)
	}
	for _, f := range validate(t, everything) {
		if !known(templates[f.File], f) {
			t.Errorf("%s:%d: %s %s %s: %s", f.File, f.Line, f.Rule, f.ID, f.Path, f.Message)
		}
	}
}

// The rules must be in force: a template with a mistake that they cover fails.
func TestValidationOfAWSFindsABrokenTemplate(t *testing.T) {
	t.Parallel()
	for _, f := range validate(t, map[string]map[string]string{"testdata/broken.yaml": {}}) {
		if f.ID == "Table" && strings.Contains(f.Path, "BillingMode") {
			return
		}
	}
	t.Error("BillingMode: FREE passed")
}

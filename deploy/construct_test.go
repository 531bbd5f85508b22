package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// construct runs JavaScript that may say stack, authorizer(props) and key(id),
// and returns what it prints.
func construct(t *testing.T, script string) string {
	t.Helper()
	dir, err := synthesised()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("node", "-e", fmt.Sprintf(`
		const { App, Stack, Duration } = require("aws-cdk-lib");
		const { Table, AttributeType } = require("aws-cdk-lib/aws-dynamodb");
		const { Key } = require("aws-cdk-lib/aws-kms");
		const { Secret } = require("aws-cdk-lib/aws-secretsmanager");
		const { LambdaAuthorizer } = require("./%s/lambda-authorizer.js");
		const app = new App();
		const stack = new Stack(app, "S");
		const key = (id) => Key.fromKeyArn(stack, id, "arn:aws:kms:eu-central-1:123456789012:key/" + id);
		const table = (id, props) => new Table(stack, id, { partitionKey: { name: "pk", type: AttributeType.STRING }, ...props });
		const authorizer = (props) => new LambdaAuthorizer(stack, "A", { zip: %q, environment: {}, revocations: table("T"), ...props });
		%s`, cdkCode, filepath.Join(dir, "authorizer.zip"), script))
	command.Env = append(os.Environ(), "CDK_OUTDIR="+t.TempDir())
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return string(said)
}

// What the function would refuse at run time, the construct refuses before
// anything is deployed.
func TestConstructRefusesWhatWouldNotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ props, call, want string }{
		"a TTL of over an hour":            {"{cacheTtl: Duration.hours(2)}", "a", "at most an hour"},
		"caching without a key":            {"{headers: []}", "a", "at least one"},
		"TOKEN with two headers":           {"{headers: ['Authorization', 'X-Api-Key']}", "a.tokenAuthorizer()", "exactly one header"},
		"simple answers for a REST API":    {"{simple: true}", "a.requestAuthorizer()", "is for HTTP APIs"},
		"a secret by a part of its ARN":    {"{secrets: [Secret.fromSecretNameV2(stack, 's', 'authorizer/api-keys')]}", "a", "complete ARN"},
		"no caching and no header is fine": {"{cacheTtl: Duration.seconds(0), headers: []}", "a.httpAuthorizer()", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := construct(t, fmt.Sprintf("try { const a = authorizer(%s); %s } catch (e) { console.log(e.message); }", c.props, c.call))
			if !strings.Contains(said, c.want) || (c.want == "") != (said == "") {
				t.Errorf("said %q, want %q", said, c.want)
			}
		})
	}
}

// With a customer's key DynamoDB decrypts in the name of its caller.
func TestConstructMayUseTheKeysOfItsTables(t *testing.T) {
	t.Parallel()
	said := construct(t, `
		authorizer({ revocations: table("R", { encryptionKey: key("one") }), nonces: table("N", { encryptionKey: key("two") }) });
		console.log(JSON.stringify(app.synth().getStackByName("S").template));`)
	var template object
	if err := json.Unmarshal([]byte(said), &template); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	got := map[string]any{}
	for _, s := range statements(template) {
		if s.body["Action"] == "kms:Decrypt" {
			got[text(s.body["Resource"])] = at(s.body, "Condition", "StringEquals", "kms:ViaService")
		}
	}
	via := object{"Fn::Join": []any{"", []any{"dynamodb.", object{"Ref": "AWS::Region"}, ".", object{"Ref": "AWS::URLSuffix"}}}}
	want := map[string]any{
		"arn:aws:kms:eu-central-1:123456789012:key/one": via,
		"arn:aws:kms:eu-central-1:123456789012:key/two": via,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/policy"
)

func TestARNIsReadByteForByte(t *testing.T) {
	t.Parallel()
	base := policy.ARN{Partition: "aws", Region: "eu-west-1", Account: "123456789012", API: "a1b2c3d4e5"}
	with := func(partition, stage, method, path string) policy.ARN {
		a := base
		a.Partition, a.Stage, a.Method, a.Path = partition, stage, method, path
		return a
	}
	for _, c := range []struct {
		name, arn string
		want      policy.ARN
	}{
		{"a REST request", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/items/7", with("aws", "prod", "GET", "items/7")},
		{"the root", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/", with("aws", "prod", "GET", "")},
		{"an HTTP API's stage", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/$default/POST/items", with("aws", "$default", "POST", "items")},
		{"a console test", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/null/GET/items", with("aws", "null", "GET", "items")},
		{"a console test of any stage", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/*/GET/items", with("aws", "*", "GET", "items")},
		{"the console's own stage", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/ESTestInvoke-stage/GET/", with("aws", "ESTestInvoke-stage", "GET", "")},
		{"China", "arn:aws-cn:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/items", with("aws-cn", "prod", "GET", "items")},
		{"GovCloud", "arn:aws-us-gov:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/items", with("aws-us-gov", "prod", "GET", "items")},
		{"colons in the path", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/a:b/arn:aws:x:/c", with("aws", "prod", "GET", "a:b/arn:aws:x:/c")},
		{"slashes in the path", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET//a//", with("aws", "prod", "GET", "/a//")},
		{"encoded characters stay", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/a%2Fb%20c", with("aws", "prod", "GET", "a%2Fb%20c")},
		{"wildcards in the path are text", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/*?", with("aws", "prod", "GET", "*?")},
		{"any bytes in the path", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/\x00\xffé", with("aws", "prod", "GET", "\x00\xffé")},
		{"a WebSocket connection", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$connect", with("aws", "prod", "", "$connect")},
		{"a path that ends like a connection", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/$connect", with("aws", "prod", "GET", "$connect")},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := policy.ParseARN(c.arn)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if got.String() != c.arn {
				t.Errorf("written %s", got)
			}
			if got.WebSocket() != (c.want.Method == "") {
				t.Error("taken for the wrong kind of API")
			}
		})
	}
}

func TestARNOfSomethingElseIsRefused(t *testing.T) {
	t.Parallel()
	for name, arn := range map[string]string{
		"empty":                     "",
		"no ARN":                    "GET /items",
		"too short":                 "arn:aws:execute-api:eu-west-1:123456789012",
		"another service":           "arn:aws:lambda:eu-west-1:123456789012:function:x/prod/GET/",
		"an API alone":              "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5",
		"no method":                 "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod",
		"no slash after the method": "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET",
		"an empty method":           "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod//items",
		"a wildcard for the method": "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/*/items",
		"a method in lower case":    "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/get/items",
		"another WebSocket route":   "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$disconnect",
		"something below $connect":  "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/$connect/x",
		"an empty stage":            "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5//GET/items",
		"a wildcard in the stage":   "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/pr*d/GET/items",
		"a variable for a stage":    "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/${x}/GET/items",
		"a wildcard for the API":    "arn:aws:execute-api:eu-west-1:123456789012:*/prod/GET/items",
		"a wildcard for the region": "arn:aws:execute-api:*:123456789012:a1b2c3d4e5/prod/GET/items",
		"an empty region":           "arn:aws:execute-api::123456789012:a1b2c3d4e5/prod/GET/items",
		"an empty account":          "arn:aws:execute-api:eu-west-1::a1b2c3d4e5/prod/GET/items",
		"an empty partition":        "arn::execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/items",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := policy.ParseARN(arn)
			if err == nil {
				t.Fatalf("taken for %+v", got)
			}
			if got != (policy.ARN{}) || strings.Contains(err.Error(), "items") {
				t.Errorf("an error with something of the ARN: %+v, %v", got, err)
			}
		})
	}
}

func FuzzParseARN(f *testing.F) {
	for _, s := range []string{
		stage + "GET/items", stage + "$connect", api + "*/GET/", api + "$default/GET/a:b", "arn:aws:execute-api::::/", "", "arn:aws:execute-api:r:a:i/s/M/\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := policy.ParseARN(s)
		if err != nil {
			if a != (policy.ARN{}) {
				t.Errorf("%q: an error and an ARN", s)
			}
			return
		}
		if a.String() != s {
			t.Errorf("%q is written %q", s, a)
		}
		if (a.Method == "") != (a.Path == "$connect" && strings.HasSuffix(s, "/"+a.Stage+"/$connect")) {
			t.Errorf("%q: method %q, path %q", s, a.Method, a.Path)
		}
	})
}

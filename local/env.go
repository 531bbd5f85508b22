package local

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lambda-authorizer/local/runtimeapi"
)

// envFile is written when everything is ready and removed when it ends.
const envFile = "local.env"

// EnvPath is the path of the file that a shell can source: URLs, AWS
// endpoints, names and ids, and credentials that no account has.
func (s *Stack) EnvPath() string { return filepath.Join(s.options.Dir, envFile) }

func (s *Stack) writeEnv(context.Context) error {
	var b strings.Builder
	fmt.Fprintln(&b, "# Written by make run. Source it: every AWS call then stays on this machine.")
	fmt.Fprintln(&b, "unset AWS_PROFILE AWS_DEFAULT_PROFILE")
	for _, pair := range s.variables() {
		fmt.Fprintf(&b, "export %s='%s'\n", pair[0], strings.ReplaceAll(pair[1], "'", `'\''`))
	}
	s.env = []byte(b.String())
	return os.WriteFile(s.EnvPath(), s.env, 0o600)
}

// removeEnv leaves a file that is another stack's: of one that runs, or that
// was started later in the same directory.
func (s *Stack) removeEnv() {
	if found, err := os.ReadFile(s.EnvPath()); err == nil && s.env != nil && bytes.Equal(found, s.env) {
		_ = os.Remove(s.EnvPath()) // what is left points to a port where nobody listens
	}
}

// variables lists names and values. The AWS CLI before 2.13 does not read
// AWS_ENDPOINT_URL_*: it needs --endpoint-url.
func (s *Stack) variables() [][2]string {
	pairs := [][2]string{
		{"LOCAL_URL", s.url},
		{"ISSUER", s.issuer.URL()},
		{"AUDIENCE", Audience},
		{"AWS_ACCESS_KEY_ID", runtimeapi.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", runtimeapi.SecretAccessKey},
		{"AWS_SESSION_TOKEN", "local"},
		{"AWS_REGION", runtimeapi.Region},
		{"AWS_DEFAULT_REGION", runtimeapi.Region},
		{"AWS_CONFIG_FILE", "/dev/null"},
		{"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
		{"AWS_EC2_METADATA_DISABLED", "true"},
		{"AWS_PAGER", ""},
		{"AWS_ENDPOINT_URL", s.awsURL()},
		{"AWS_ENDPOINT_URL_DYNAMODB", s.dynamo.Endpoint()},
		{"AWS_ENDPOINT_URL_SECRETS_MANAGER", s.awsURL()},
		{"AWS_ENDPOINT_URL_STS", s.awsURL()},
		{"AWS_ENDPOINT_URL_API_GATEWAY", s.awsURL()},
		{"AWS_ENDPOINT_URL_APIGATEWAYV2", s.awsURL()},
		{"ITEMS_TABLE", itemsTable},
		{"REVOCATIONS_TABLE", s.exported(s.base.Tables.Revocations, revocationsTable)},
		{"NONCES_TABLE", s.exported(s.base.Tables.Nonces, noncesTable)},
		{"ITEMS_CURSOR_SECRET", cursorSecret},
	}
	pairs = append(pairs, s.keyEnv()...)
	for _, stage := range s.stages {
		name := strings.ToUpper(strings.ReplaceAll(stage.Name, "-", "_"))
		pairs = append(pairs,
			[2]string{name + "_URL", s.url + "/" + stage.Name},
			[2]string{name + "_API_ID", stage.API},
			[2]string{name + "_STAGE", stage.Name})
	}
	return pairs
}

// exported is the table that the AWS CLI shall use. Where the configuration's
// name is made of variables, these must stay what they are for authctl.
func (s *Stack) exported(raw, own string) string {
	if strings.Contains(raw, "$") {
		return own
	}
	return s.table(raw, own)
}

// keyEnv is what the configuration's secrets are called, and what is in them.
func (s *Stack) keyEnv() (pairs [][2]string) {
	for _, pair := range [][2]string{
		{"API_KEYS_SECRET", s.first(s.base.APIKeys.Secrets)}, {"API_KEY", s.keys.APIKey},
		{"SIGNING_KEYS_SECRET", s.first(s.base.Signatures.Secrets)},
		{"SIGNING_KEY_ID", s.keys.SigningKeyID}, {"SIGNING_KEY", s.keys.SigningKey},
	} {
		if pair[1] != "" {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

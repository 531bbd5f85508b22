package main

import (
	"slices"
	"strings"
	"testing"

	"lambda-authorizer/apikey"
	"lambda-authorizer/config"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/jwks"
)

func TestSecretIsFoundInTheConfigurationUnderItsNameAndItsARN(t *testing.T) {
	t.Parallel()
	const prefix = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
	cfg := &config.Config{
		APIKeys:    &apikey.Config{Secrets: []string{"prod/api-keys", prefix + "prod/more-AbCdEf"}},
		Signatures: &httpsig.Config{Secrets: []string{"prod/signing-keys"}},
		Issuers:    []jwks.Issuer{{Name: "main", HMACSecret: "prod/legacy-jwt"}},
	}
	for given, c := range map[string]struct{ secret, note, err string }{
		"prod/api-keys":                     {"prod/api-keys", "", ""},
		prefix + "prod/api-keys-AbCdEf":     {prefix + "prod/api-keys-AbCdEf", "", ""},
		prefix + "prod/api-keys":            {prefix + "prod/api-keys", "", ""},
		"prod/more":                         {prefix + "prod/more-AbCdEf", "", ""},
		"prod/another":                      {"prod/another", "does not list prod/another", ""},
		prefix + "prod/api-keys-old-AbCdEf": {prefix + "prod/api-keys-old-AbCdEf", "does not list", ""},
		"prod/signing-keys":                 {"", "", "signatures.secrets in a.yaml has prod/signing-keys for something else, which an API key would break"},
		prefix + "prod/signing-keys-AbCdEf": {"", "", "signatures.secrets in a.yaml has "},
		"prod/legacy-jwt":                   {"", "", "hmac_secret of issuer main in a.yaml has "},
	} {
		p := &keyPlace{kind: apiKeys, cfg: cfg, file: "a.yaml", secret: given, all: slices.Clone(cfg.APIKeys.Secrets)}
		err := p.choose()
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %s", given, err, c.err)
			}
			continue
		}
		notes := strings.Join(p.notes, "\n")
		if err != nil || p.secret != c.secret || !strings.Contains(notes, c.note) || (c.note == "") != (notes == "") {
			t.Errorf("%s: %s, notes %q, %v", given, p.secret, notes, err)
		}
		if n := len(p.all); (c.note == "") != (n == 2) {
			t.Errorf("%s: %d secrets are searched for the id", given, n)
		}
	}
	p := &keyPlace{kind: signingKeys, cfg: cfg, file: "a.yaml", secret: "prod/api-keys", all: []string{"prod/signing-keys"}}
	if err := p.choose(); err == nil || !strings.Contains(err.Error(), "api_keys.secrets in a.yaml has prod/api-keys for something else") {
		t.Errorf("a signing key among API keys: %v", err)
	}
}

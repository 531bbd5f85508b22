package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/keydoc"
	"lambda-authorizer/local/runtimeapi"
	"lambda-authorizer/secrets"
	"lambda-authorizer/secrets/hs256"
)

// Keys are credentials for a configuration that reads such, made anew at each
// start. Empty fields: it reads none.
type Keys struct {
	// APIKey stands in the header APIKeyHeader. It may do whatever some route
	// lets an API key do.
	APIKey, APIKeyHeader string
	// APIKeyRoute is a route that an API key alone opens, as in "GET /items",
	// where there is one without parameters.
	APIKeyRoute string
	// SigningKeyID and SigningKey, its secret in base64, sign requests.
	SigningKeyID, SigningKey string
	// SigningRoute is a route that a signature alone opens.
	SigningRoute string
}

// The keys' ids, and whose they are. They differ: nothing forbids one secret
// for both kinds.
const (
	apiKeyID         = "local"
	apiKeyPrincipal  = "local-partner"
	signingKeyID     = "local-machine"
	signingPrincipal = "local-machine"
)

// Keys are the credentials that the stack has made.
func (s *Stack) Keys() Keys { return s.keys }

// Revocable tells whether the configuration names a table of revocations.
func (s *Stack) Revocable() bool {
	return !strings.EqualFold(s.expand(s.base.Tables.Revocations), "none")
}

// entry is one entry of a route's require, as far as keys go.
type entry struct {
	JWT       any
	APIKey    *grant `yaml:"api_key"`
	Signature *grant
	Networks  []string
}

type grant struct {
	Scopes   []string
	AnyScope []string `yaml:"any_scope"`
}

// keySections are what the stack has to know of a configuration to make the
// secrets that it names.
type keySections struct {
	APIKeys struct {
		Header  string
		Secrets []string
	} `yaml:"api_keys"`
	Signatures struct{ Secrets []string }
	Issuers    []struct {
		HMACSecret string `yaml:"hmac_secret"`
	}
}

// scopes are all that some entry asks of a kind of key.
func (k *known) scopes(of func(entry) *grant) []string {
	var all []string
	for _, r := range k.Routes {
		for _, e := range r.Require {
			if g := of(e); g != nil {
				all = append(append(all, g.Scopes...), g.AnyScope...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// openTo is a route without parameters that one kind of key alone opens.
func (k *known) openTo(kind func(entry) *grant) string {
	for _, r := range k.Routes {
		alone := func(e entry) bool {
			others := e.JWT != nil || e.APIKey != nil && e.Signature != nil || len(e.Networks) > 0
			return kind(e) != nil && !others
		}
		if strings.HasPrefix(r.Route, "GET /") && !strings.Contains(r.Route, "{") && slices.ContainsFunc(r.Require, alone) {
			return r.Route
		}
	}
	return ""
}

func ofAPIKey(e entry) *grant    { return e.APIKey }
func ofSignature(e entry) *grant { return e.Signature }

// makeKeys makes the secrets that the configuration names, and in the first of
// each kind a key. It does so as an operator would, over the wire.
func (s *Stack) makeKeys(ctx context.Context) error {
	known := &s.base.known
	for _, issuer := range known.Issuers {
		text, err := hs256.Replace(nil)
		if err != nil {
			return err
		}
		if err := s.makeSecret(issuer.HMACSecret, string(text)); err != nil {
			return err
		}
	}
	for _, name := range slices.Concat(known.APIKeys.Secrets, known.Signatures.Secrets) {
		if err := s.makeSecret(name, `{"keys":{}}`); err != nil {
			return err
		}
	}
	config := aws.Config{
		Region: runtimeapi.Region, BaseEndpoint: aws.String(s.awsURL()),
		Credentials: credentials.NewStaticCredentialsProvider(runtimeapi.AccessKeyID, runtimeapi.SecretAccessKey, ""),
	}
	writer := &secrets.Writer{Clients: secrets.NewClients(func(context.Context) (aws.Config, error) { return config, nil })}
	if err := s.makeAPIKey(ctx, writer); err != nil {
		return err
	}
	return s.makeSigningKey(ctx, writer)
}

func (s *Stack) makeAPIKey(ctx context.Context, writer *secrets.Writer) error {
	known := &s.base.known
	secret := s.first(known.APIKeys.Secrets)
	if secret == "" {
		return nil
	}
	operator := &apikey.Operator{Documents: writer}
	key, err := operator.Create(ctx, secret, apikey.Grant{
		ID: apiKeyID, Principal: apiKeyPrincipal, Scopes: known.scopes(ofAPIKey),
	})
	if err != nil {
		return unlessInvalid("make an API key", err)
	}
	config := apikey.Config{Header: known.APIKeys.Header}
	config.SetDefaults()
	s.keys.APIKey, s.keys.APIKeyHeader, s.keys.APIKeyRoute = key.Text, config.Header, known.openTo(ofAPIKey)
	return nil
}

func (s *Stack) makeSigningKey(ctx context.Context, writer *secrets.Writer) error {
	known := &s.base.known
	secret := s.first(known.Signatures.Secrets)
	if secret == "" {
		return nil
	}
	operator := &httpsig.Operator{Documents: writer}
	key, err := operator.Create(ctx, secret, httpsig.Grant{
		ID: signingKeyID, Principal: signingPrincipal, Scopes: known.scopes(ofSignature),
	})
	if err != nil {
		return unlessInvalid("make a signing key", err)
	}
	s.keys.SigningKeyID, s.keys.SigningKey, s.keys.SigningRoute = key.ID, key.Text, known.openTo(ofSignature)
	return nil
}

// unlessInvalid passes over what is wrong with the configuration, such as a
// scope that is none: the authorizer says it better.
func unlessInvalid(what string, err error) error {
	if wrong := new(keydoc.InvalidError); errors.As(err, &wrong) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// makeSecret makes a secret, once. A name that is missing or cannot be read is
// the authorizer's to complain about.
func (s *Stack) makeSecret(raw, text string) error {
	name := s.expand(raw)
	if name == "" || s.secrets.Has(name) {
		return nil
	}
	if err := s.secrets.Create(name, text); err != nil {
		return fmt.Errorf("make a secret: %w", err)
	}
	return nil
}

func (s *Stack) first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return s.expand(names[0])
}

// expand puts variables in. A name with one that is not set is none.
func (s *Stack) expand(name string) string {
	missing := false
	out := variable.ReplaceAllStringFunc(name, func(found string) string {
		value, ok := s.lookup(variable.FindStringSubmatch(found)[1])
		missing = missing || !ok
		return value
	})
	if missing {
		return ""
	}
	return out
}

// lookup knows what every stage's function does: the stack's own names first.
func (s *Stack) lookup(name string) (string, bool) {
	switch name {
	case "ISSUER":
		return s.issuer.URL(), true
	case "AUDIENCE":
		return Audience, true
	case "REVOCATIONS_TABLE":
		return revocationsTable, true
	case "NONCES_TABLE":
		return noncesTable, true
	}
	return s.options.Getenv(name)
}

package main

import (
	"context"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/config"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
)

// keyKind is what tells API keys and signing keys apart.
type keyKind struct {
	command, noun string
	// revoke is the kind's word for authctl revoke.
	revoke string
	// section is where the configuration lists the secrets.
	section string
	// example is an id.
	example string
	// gets is what a client is handed.
	gets string
	// validID tells what may be shown: anything else may be a secret.
	validID func(string) bool
	// unknown is why a key is refused that is not used.
	unknown  reason.Code
	secrets  func(*config.Config) []string
	operator func(keydoc.Documents, keydoc.Rules, func() time.Time) keyOperator
}

var (
	apiKeys = &keyKind{
		command: "apikey", noun: "API key", revoke: "api-key", section: "api_keys.secrets", example: "7f3a9c", gets: "key",
		unknown: reason.APIKeyUnknown, validID: apikey.ValidID,
		secrets: func(c *config.Config) []string {
			if c.APIKeys == nil {
				return nil
			}
			return c.APIKeys.Secrets
		},
		operator: func(d keydoc.Documents, r keydoc.Rules, now func() time.Time) keyOperator {
			return apiKeyOperator{&apikey.Operator{Documents: d, Rules: apikey.Rules(r), Now: now}}
		},
	}
	signingKeys = &keyKind{
		command: "signing-key", noun: "signing key", revoke: "signing-key", section: "signatures.secrets", example: "partner-acme",
		gets: "secret in base64", unknown: reason.SigningKeyUnknown, validID: httpsig.ValidID,
		secrets: func(c *config.Config) []string {
			if c.Signatures == nil {
				return nil
			}
			return c.Signatures.Secrets
		},
		operator: func(d keydoc.Documents, r keydoc.Rules, now func() time.Time) keyOperator {
			return signingKeyOperator{&httpsig.Operator{Documents: d, Rules: httpsig.Rules(r), Now: now}}
		},
	}
)

// keyOperator does the work for one kind.
type keyOperator interface {
	// create takes a grant that says nothing which the kind does not know.
	create(ctx context.Context, secret string, g apikey.Grant, others []string) (id, text string, err error)
	list(ctx context.Context, secret string) ([]listedKey, error)
	Rotate(ctx context.Context, secret, id string, grace time.Duration) (keydoc.Rotated, error)
	Disable(ctx context.Context, secret, id string) error
	Enable(ctx context.Context, secret, id string) error
}

// listedKey is a key as list shows it: no secret, no hash of one, and of what
// may be a credential elsewhere only that it is there.
type listedKey struct {
	Secret string `json:"secret"`
	// ID is empty where a secret has something else in its place.
	ID string `json:"id"`
	// State is active, or the reason code of the refusal.
	State     string   `json:"state"`
	Problem   string   `json:"problem,omitempty"`
	Principal string   `json:"principal,omitempty"`
	Scopes    []string `json:"scopes"`
	Networks  []string `json:"networks"`
	NotBefore string   `json:"not_before,omitempty"`
	ExpiresAt string   `json:"expires_at,omitempty"`
	Disabled  bool     `json:"disabled"`
	// PreviousUntil is how long a replaced secret is accepted.
	PreviousUntil string `json:"previous_until,omitempty"`
	UsagePlan     bool   `json:"usage_identifier_key,omitempty"`

	previousUntil time.Time
}

const active = "active"

type apiKeyOperator struct{ *apikey.Operator }

func (o apiKeyOperator) create(ctx context.Context, secret string, g apikey.Grant, others []string) (id, text string, err error) {
	made, err := o.Create(ctx, secret, g, others...)
	return made.ID, made.Text, err
}

func (o apiKeyOperator) list(ctx context.Context, secret string) ([]listedKey, error) {
	all, err := o.List(ctx, secret)
	out := make([]listedKey, len(all))
	for i, l := range all {
		out[i] = listedKey{Secret: secret, ID: l.ID}
		out[i].state(l.State(o.Now()), l.Problem)
		if r := l.Record; l.Problem == nil {
			out[i].is(r.Principal, r.Scopes, r.Networks, r.Disabled)
			out[i].times(r.NotBefore, r.ExpiresAt, l.PreviousUntil)
			out[i].UsagePlan = r.UsageIdentifierKey != ""
		}
	}
	return out, err
}

type signingKeyOperator struct{ *httpsig.Operator }

func (o signingKeyOperator) create(ctx context.Context, secret string, g apikey.Grant, others []string) (id, text string, err error) {
	made, err := o.Create(ctx, secret, httpsig.Grant{
		ID: g.ID, Principal: g.Principal, Scopes: g.Scopes, Networks: g.Networks, ExpiresAt: g.ExpiresAt, Context: g.Context,
	}, others...)
	return made.ID, made.Text, err
}

func (o signingKeyOperator) list(ctx context.Context, secret string) ([]listedKey, error) {
	all, err := o.List(ctx, secret)
	out := make([]listedKey, len(all))
	for i, l := range all {
		out[i] = listedKey{Secret: secret, ID: l.ID}
		out[i].state(l.State(o.Now()), l.Problem)
		if r := l.Record; l.Problem == nil {
			out[i].is(r.Principal, r.Scopes, r.Networks, r.Disabled)
			out[i].times(time.Time{}, r.Expires, l.PreviousUntil)
		}
	}
	return out, err
}

func (k *listedKey) state(refused reason.Code, problem error) {
	k.State, k.Scopes, k.Networks = active, []string{}, []string{}
	if refused != "" {
		k.State = string(refused)
	}
	if problem != nil {
		k.Problem = problem.Error()
	}
}

func (k *listedKey) is(principal string, scopes, networks []string, disabled bool) {
	k.Principal, k.Disabled = principal, disabled
	k.Scopes, k.Networks = append(k.Scopes, scopes...), append(k.Networks, networks...)
}

func (k *listedKey) times(notBefore, expires, previousUntil time.Time) {
	k.NotBefore, k.ExpiresAt, k.PreviousUntil = momentOrNone(notBefore), momentOrNone(expires), momentOrNone(previousUntil)
	k.previousUntil = previousUntil
}

func momentOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return moment(t)
}

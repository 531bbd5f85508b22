package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/cobra"

	"lambda-authorizer/config"
	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
	store "lambda-authorizer/secrets"
)

// keyPatience is how long a change may take in all: of many operators at once
// each waits for those before.
const keyPatience = 2 * time.Minute

// keyFlags are what all commands about keys share.
type keyFlags struct {
	place
	secret          string
	changes, dryRun bool
}

func (f *keyFlags) flags(c *cobra.Command, k *keyKind, changes bool) {
	f.awsFlags(c)
	c.Flags().StringVar(&f.secret, "secret", "", "the `name` or ARN of the secret that holds the keys (default: as "+k.section+" says)")
	if f.changes = changes; changes {
		c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be done, and write nothing")
	}
}

// keyPlace is where keys of one kind are.
type keyPlace struct {
	kind *keyKind
	// cfg is nil where there is none.
	cfg  *config.Config
	file string
	// secret is the one that the command line names; empty where it leaves
	// that open.
	secret string
	// all are those of the configuration, and secret.
	all   []string
	notes []string
	// writes: after a failure nobody knows whether something was written.
	writes bool
	do     keyOperator
}

// keyPlace loads the configuration and connects to Secrets Manager. A missing
// or broken configuration must not keep anybody from disabling a key: with
// --secret it goes without, unless --config named that very file.
func (t *tool) keyPlace(c *cobra.Command, k *keyKind, f keyFlags) (*keyPlace, error) {
	p := &keyPlace{kind: k, file: t.config, secret: f.secret, writes: f.changes && !f.dryRun}
	var rules keydoc.Rules
	cfg, err := config.Load(t.config, t.env)
	switch {
	case err == nil:
		p.cfg, p.all = cfg, slices.Clone(k.secrets(cfg))
		rules = keydoc.Rules{ContextKey: cfg.RecordContextKey, Network: cfg.RecordNetwork}
	case f.secret == "" || c.Flags().Changed("config"):
		return nil, usage("the configuration %s cannot be used: give another with --config, or go without one by --secret\n%v", t.config, err)
	default:
		first, _, _ := strings.Cut(err.Error(), "\n")
		p.note("going without a configuration (%s): nobody has checked networks, names in the context, and ids in other secrets", first)
	}
	if err := p.choose(); err != nil {
		return nil, err
	}
	clients, err := f.secretClients(c.Context())
	if err != nil {
		return nil, err
	}
	p.do = k.operator(&store.Writer{Clients: clients, DryRun: f.dryRun}, rules, t.now)
	return p, nil
}

// secretClients reach Secrets Manager. Without credentials the SDK would go on
// to ask, and its error would say nothing of them.
func (p place) secretClients(ctx context.Context) (*store.Clients, error) {
	a, err := p.account(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := a.config.Credentials.Retrieve(ctx); err != nil {
		return nil, failed("no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	load := func(context.Context) (aws.Config, error) { return a.config, nil }
	return store.NewClients(load, func(o *secretsmanager.Options) { o.BaseEndpoint = a.base(o.BaseEndpoint) }), nil
}

// choose finds the secret among those of the configuration.
func (p *keyPlace) choose() error {
	switch at := slices.IndexFunc(p.all, func(s string) bool { return sameSecret(s, p.secret) }); {
	case p.secret == "" && len(p.all) == 0:
		return usage("%s in %s names no secret: list one there, or give --secret", p.kind.section, p.file)
	case p.secret == "" && len(p.all) == 1:
		p.secret = p.all[0]
	case p.secret == "":
	case at >= 0 && arn.IsARN(p.secret):
		p.all[at] = p.secret // a name says no Region: the command line's is meant
	case at >= 0:
		p.secret = p.all[at]
	default:
		if section := p.kind.taken(p.cfg, p.secret); section != "" {
			return usage("%s in %s has %s for something else, which %s would break: give another secret with --secret",
				section, p.file, p.secret, article(p.kind.noun))
		}
		if p.cfg != nil {
			p.note("%s in %s does not list %s: a function with that configuration does not know the keys in it", p.kind.section, p.file, p.secret)
		}
		p.all = append(p.all, p.secret)
	}
	return nil
}

// taken is the section of the configuration that lists a secret for something
// else than keys of this kind, "" where none does.
func (k *keyKind) taken(cfg *config.Config, secret string) string {
	if cfg == nil {
		return ""
	}
	same := func(listed string) bool { return sameSecret(listed, secret) }
	for _, other := range []*keyKind{apiKeys, signingKeys} {
		if other != k && slices.ContainsFunc(other.secrets(cfg), same) {
			return other.section
		}
	}
	for _, i := range cfg.Issuers {
		if i.HMACSecret != "" && same(i.HMACSecret) {
			return "hmac_secret of issuer " + i.Name
		}
	}
	return ""
}

// sameSecret tells whether two names or ARNs stand for one secret.
func sameSecret(a, b string) bool { return a == b || isOf(a, b) || isOf(b, a) }

// isOf tells whether an ARN is that of the secret called name. It ends in six
// characters of Secrets Manager's own, unless it is partial.
func isOf(whole, name string) bool {
	a, err := arn.Parse(whole)
	if err != nil {
		return false
	}
	own := strings.TrimPrefix(a.Resource, "secret:")
	return own == name || len(own) > 7 && own[len(own)-7] == '-' && own[:len(own)-7] == name
}

// only is the secret for a new key.
func (p *keyPlace) only() (string, error) {
	if p.secret == "" {
		return "", usage("%s in %s lists %d secrets: say with --secret which one takes the key: %s",
			p.kind.section, p.file, len(p.all), strings.Join(p.all, ", "))
	}
	return p.secret, nil
}

// find looks for a key in the secret, or in all of them.
func (p *keyPlace) find(ctx context.Context, id string) (*listedKey, error) {
	if !p.kind.validID(id) {
		return nil, usage("this is no id of %s: it is not shown, since it may be a secret; see authctl %s list", article(p.kind.noun), p.kind.command)
	}
	searched := p.all
	if p.secret != "" {
		searched = []string{p.secret}
	}
	var found []listedKey
	for _, secret := range searched {
		all, err := p.do.list(ctx, secret)
		if err != nil {
			return nil, p.failure(err)
		}
		for _, l := range all {
			if l.ID == id {
				found = append(found, l)
			}
		}
	}
	switch {
	case len(found) == 0:
		return nil, refused("no %s %s in %s: see authctl %s list", p.kind.noun, id, strings.Join(searched, ", "), p.kind.command)
	case len(found) > 1:
		return nil, refused("%s %s is in %s and in %s, so that neither is used: remove one of them, then run the same command again",
			p.kind.noun, id, found[0].Secret, found[1].Secret)
	case found[0].Problem != "":
		return nil, refused("%s %s in %s: its record is bad, so that it is not used as it is: %s; repair it in Secrets Manager",
			p.kind.noun, id, found[0].Secret, found[0].Problem)
	}
	return &found[0], nil
}

func (p *keyPlace) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// failure gives an error its exit status and the next step.
func (p *keyPlace) failure(err error) error {
	var own *keydoc.InvalidError
	var large *store.TooLargeError
	switch {
	case errors.As(err, &own):
		return usage("%v", err)
	case errors.As(err, &large), errors.Is(err, store.ErrNoSecret):
		return refused("%v", err)
	case errors.Is(err, keydoc.ErrExists):
		return refused("%v: give another with --id, or a new secret to that one with authctl %s rotate", err, p.kind.command)
	case errors.Is(err, keydoc.ErrUnknown):
		return refused("%v: see authctl %s list", err, p.kind.command)
	case errors.Is(err, keydoc.ErrUnreadable):
		return refused("%v; repair it in Secrets Manager", err)
	case errors.Is(err, reason.SecretsUnavailable) && p.writes:
		return failed("%v: check the region, the credentials and their permissions; authctl %s list tells whether anything was written", err, p.kind.command)
	case errors.Is(err, reason.SecretsUnavailable):
		return failed("%v: check the region, the credentials and their permissions", err)
	}
	return failed("%v: see whether this is a secret of %ss", err, p.kind.noun)
}

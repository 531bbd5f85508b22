package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lambda-authorizer/apikey"
)

// keys is the command for one kind of keys.
func (t *tool) keys(k *keyKind) *cobra.Command {
	c := &cobra.Command{
		Use:   k.command,
		Short: "create, rotate, disable and list " + k.noun + "s",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Usage()
			return usage("name a command, such as authctl %s list", k.command)
		},
	}
	c.AddCommand(t.keyCreate(k), t.keyRotate(k), t.keySwitch(k, disabling), t.keySwitch(k, enabling), t.keyList(k))
	return c
}

// createFlags are the flags of create.
type createFlags struct {
	keyFlags
	apikey.Grant
	expires, notBefore string
	context            []string
}

func (t *tool) keyCreate(k *keyKind) *cobra.Command {
	var f createFlags
	c := &cobra.Command{
		Use:   "create --principal NAME",
		Short: "make " + article(k.noun) + " and print it once",
		Long: fmt.Sprintf(`Create adds %s to a secret and prints the %s for the
client. That is the only time: keep it from logs, and hand it over now.
Others may change the secret at the same time: nothing is lost.

TIME is a time such as 2027-01-01T00:00:00Z, or how long from now: 12h, 90d.`, article(k.noun), k.gets),
		Example: fmt.Sprintf("  authctl %[1]s create --principal partner-acme --scopes items:read --expires 365d\n"+
			"  authctl %[1]s create --principal partner-acme --networks office --context tenant=acme --dry-run", k.command),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.runKeyCreate(c, k, f) },
	}
	f.keyFlags.flags(c, k, true)
	c.Flags().StringVar(&f.ID, "id", "", "the key's `id`, which is no secret (default: a random one)")
	c.Flags().StringVar(&f.Principal, "principal", "", "`whose` key it is; routes, logs and backends go by it")
	c.Flags().StringSliceVar(&f.Scopes, "scopes", nil, "what it may do, as `scopes` that routes ask for")
	c.Flags().StringSliceVar(&f.Networks, "networks", nil, "the `names` of the networks it may be used from (default: any address)")
	c.Flags().StringVar(&f.expires, "expires", "", "refuse it from `TIME` on")
	c.Flags().StringArrayVar(&f.context, "context", nil, "a string for the backend, as `name=value`; repeatable")
	if k == apiKeys {
		c.Flags().StringVar(&f.notBefore, "not-before", "", "refuse it before `TIME`")
		c.Flags().StringVar(&f.UsageIdentifierKey, "usage-identifier-key", "", "API Gateway's own `key`, which a usage plan counts; - reads it from standard input")
	}
	return c
}

func (t *tool) runKeyCreate(c *cobra.Command, k *keyKind, f createFlags) error {
	if err := t.grant(&f); err != nil {
		return err
	}
	p, err := t.keyPlace(c, k, f.keyFlags)
	if err != nil {
		return err
	}
	secret, err := p.only()
	if err != nil {
		return err
	}
	ctx, cancel := contextFor(c)
	defer cancel()
	id, text, err := p.do.create(ctx, secret, f.Grant, p.all)
	if err != nil {
		return p.failure(err)
	}
	made := listedKey{Secret: secret, ID: id, UsagePlan: f.UsageIdentifierKey != ""}
	made.state("", nil)
	made.is(f.Principal, f.Scopes, f.Networks, false)
	made.times(f.NotBefore, f.ExpiresAt, time.Time{})
	a := p.answer("create", "created", made, f.dryRun)
	if f.dryRun {
		return t.finish(a)
	}
	a.row("in force", "%s", inForceNew)
	return t.hand(a, p, made, text)
}

// grant reads the flags that are texts.
func (t *tool) grant(f *createFlags) (err error) {
	if f.Principal == "" {
		return usage("whose key is it? give --principal")
	}
	if f.ExpiresAt, err = t.timeAhead("expires", f.expires); err != nil {
		return err
	}
	if f.NotBefore, err = t.timeAhead("not-before", f.notBefore); err != nil {
		return err
	}
	if f.UsageIdentifierKey == "-" {
		if f.UsageIdentifierKey, err = t.readSecret("usage identifier key"); err != nil {
			return err
		}
	}
	for _, pair := range f.context {
		name, value, ok := strings.Cut(pair, "=")
		if _, twice := f.Context[name]; !ok || name == "" || twice {
			return usage("--context is name=value, each name once")
		}
		if f.Context == nil {
			f.Context = map[string]any{}
		}
		f.Context[name] = value
	}
	return nil
}

// timeAhead reads a TIME that is yet to come: a time, or how long from now, in
// days too.
func (t *tool) timeAhead(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if d, ok := duration(text); ok && d > 0 {
		return secondAfter(t.now().Add(d)), nil
	}
	return time.Time{}, usage("--%s is a time such as 2027-01-01T00:00:00Z, or how long from now, such as 12h or 90d", flag)
}

// duration reads a Go duration, or days of 24 hours.
func duration(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

func article(noun string) string {
	if strings.ContainsRune("AEIOU", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

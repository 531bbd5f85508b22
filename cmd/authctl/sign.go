package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lambda-authorizer/config"
	"lambda-authorizer/httpsig"
	store "lambda-authorizer/secrets"
)

// signFlags are the flags of sign.
type signFlags struct {
	place
	outgoing
	keyID, secret, secretFile, tag string
	cover                          []string
	lifetime                       time.Duration
}

func (t *tool) sign() *cobra.Command {
	var f signFlags
	c := &cobra.Command{
		Use:   "sign --key-id ID --url URL",
		Short: "sign a request and print the curl command that sends it",
		Long: `Sign makes an RFC 9421 signature with a signing key and prints a curl command on
standard output, and on standard error which headers it has added. It sends
nothing and never prints the key's secret.

The secret, in base64 as authctl signing-key create has printed it, is read from
--secret-file, from standard input, or with --secret from Secrets Manager, which
takes the current one of the key.

The URL is written in canonical form, its parameters sorted by name, and a body
without a Content-Type is taken for JSON. A signature counts once, for a few
minutes, and for this request alone: run sign again for the next.`,
		Example: `  authctl sign --key-id partner-acme --secret-file key.txt --url https://api.example.com/items?limit=10
  authctl sign --key-id partner-acme --secret prod/signing-keys -X POST -d '{"name":"x"}' --url https://api.example.com/items
  authctl sign --key-id partner-acme --url https://api.example.com/items <key.txt 2>/dev/null | sh`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.runSign(c, f) },
	}
	f.outgoing.flags(c)
	f.awsFlags(c)
	c.Flags().StringVar(&f.keyID, "key-id", "", "the signing key's `id`")
	c.Flags().StringVar(&f.secret, "secret", "", "the `name` or ARN of the secret in Secrets Manager that holds the key")
	c.Flags().StringVar(&f.secretFile, "secret-file", "", "the `file` with the key's secret; - is standard input")
	c.Flags().StringSliceVar(&f.cover, "cover", nil, "more header `fields` to sign (default: those in signatures.components)")
	c.Flags().DurationVar(&f.lifetime, "lifetime", 0, "how `long` the signature counts at most (default: signatures.max_age decides alone)")
	c.Flags().StringVar(&f.tag, "tag", "", "the signature's `tag`")
	return c
}

func (t *tool) runSign(c *cobra.Command, f signFlags) error {
	cfg, err := t.signingConfig(c)
	if err != nil {
		return err
	}
	switch {
	case f.keyID == "":
		return usage("which key? give --key-id")
	case f.lifetime < 0 || f.lifetime%time.Second != 0:
		return usage("--lifetime is whole seconds, such as 60s")
	}
	f.given = c.Flags().Changed("data") || c.Flags().Changed("data-file")
	data, err := f.read(t.in)
	if err != nil {
		return err
	}
	req, err := f.build(c.Context(), data)
	if err != nil {
		return err
	}
	signer, err := t.signer(c, f)
	if err != nil {
		return err
	}
	signer.Now, signer.Tag, signer.Lifetime, signer.Fields = t.now, f.tag, f.lifetime, f.fields(cfg)
	if err := signer.Sign(req); err != nil {
		return usage("%v", strings.TrimPrefix(err.Error(), "httpsig: "))
	}
	s := &signed{request: req, data: data, file: f.dataFile, typed: f.typed}
	s.remark(cfg, f, t.now())
	if state := signer.State(t.now()); state != "" {
		s.note("the key is refused as it is: %s; see authctl signing-key list", state)
	}
	return t.showSigned(s)
}

// fields are the header fields to sign: those asked for, and those that the
// configuration wants.
func (f *signFlags) fields(cfg *httpsig.Config) []string {
	if cfg == nil {
		return f.cover
	}
	wanted := slices.DeleteFunc(slices.Clone(cfg.Components), func(name string) bool { return strings.HasPrefix(name, "@") })
	return append(slices.Clone(f.cover), wanted...)
}

// signingConfig is the section signatures of the configuration. Signing needs
// none, so a broken one is an error only where --config names it.
func (t *tool) signingConfig(c *cobra.Command) (*httpsig.Config, error) {
	cfg, err := config.Load(t.config, t.env)
	switch {
	case err == nil:
		return cfg.Signatures, nil
	case c.Flags().Changed("config"):
		return nil, usage("the configuration %s cannot be used: give another with --config, or go without one\n%v", t.config, err)
	}
	return nil, nil
}

// signer makes a signer of the secret, wherever that is.
func (t *tool) signer(c *cobra.Command, f signFlags) (*httpsig.Signer, error) {
	switch {
	case f.secret != "" && f.secretFile != "":
		return nil, usage("the secret is in Secrets Manager or in a file: give --secret or --secret-file, not both")
	case f.secret != "":
		clients, err := f.secretClients(c.Context())
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(c.Context(), patience)
		defer cancel()
		keys := httpsig.Operator{Documents: &store.Writer{Clients: clients}}
		signer, err := keys.Signer(ctx, f.secret, f.keyID)
		if err != nil {
			return nil, (&keyPlace{kind: signingKeys}).failure(err)
		}
		return signer, nil
	}
	text, err := t.signingSecret(f)
	if err != nil {
		return nil, err
	}
	signer, err := httpsig.NewSigner(f.keyID, text)
	if err != nil {
		return nil, usage("%v", strings.TrimPrefix(err.Error(), "httpsig: "))
	}
	return signer, nil
}

func (t *tool) signingSecret(f signFlags) (string, error) {
	switch {
	case f.secretFile != "" && f.secretFile != "-":
		text, err := os.ReadFile(f.secretFile)
		if err != nil {
			return "", usage("the secret cannot be read: %v", err)
		}
		return string(text), nil
	case f.dataFile == "-":
		return "", usage("standard input is the body: give the secret with --secret-file or --secret")
	case f.secretFile == "" && onTerminal(t.in):
		return "", usage("where is the key's secret? give --secret-file, put it on standard input, or name it in Secrets Manager with --secret")
	}
	return t.readSecret("secret")
}

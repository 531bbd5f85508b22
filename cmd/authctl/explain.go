package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	event, at, jwks string
	offline         bool
	sketch          sketch
	place           place
}

func (t *tool) explain() *cobra.Command {
	var f explainFlags
	c := &cobra.Command{
		Use:   "explain {--event FILE | --path PATH [--method M] [--header 'Name: value'] [--kind KIND]}",
		Short: "show why a request is let in or refused",
		Long: `Explain runs one authorizer event through the same code as the function. It
shows each check's verdict in order, the decision, the answer that API Gateway
would get, and what a cached copy of it would open and close for this caller.

The event comes from --event, a file or - for standard input, or is made from
--method, --path and --header for the API in --kind. Keys are fetched from the
issuers, unless --jwks names a key set to use for all of them; tables and
secrets are read as the function reads them. Nothing is written: the nonce of a
signature is not used up. --offline reaches nothing and leaves revocations out.

The status is 0 where the request is let in, 1 where it is refused, and 3 where
that could not be decided because a dependency failed.`,
		Example: `  authctl explain --event event.json
  authctl explain --kind http2 --path /items --header "Authorization: Bearer $TOKEN"
  authctl explain --event - --at 2026-11-21T12:00:00Z --jwks jwks.json --offline <event.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.runExplain(c.Context(), f) },
	}
	f.flags(c)
	return c
}

func (f *explainFlags) flags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.event, "event", "", "the event `file`, - for standard input")
	flags.StringVar(&f.at, "at", "", "decide as at this RFC 3339 `time` (default now)")
	flags.StringVar(&f.jwks, "jwks", "", "a key set `file` to use for every issuer")
	flags.BoolVar(&f.offline, "offline", false, "reach no issuer and no AWS")
	flags.StringVar(&f.sketch.kind, "kind", "", "the kind of API: "+strings.Join(sketchKinds, ", ")+" (default: as gateway.identity_sources is spelled)")
	flags.StringVarP(&f.sketch.method, "method", "X", "GET", "the request's method")
	flags.StringVar(&f.sketch.target, "path", "", "the request's path, with its query")
	flags.StringArrayVarP(&f.sketch.headers, "header", "H", nil, "a request header, as 'Name: value'; repeatable")
	flags.StringVar(&f.sketch.api, "api", "", "the API's id (default: the first of gateway.apis)")
	flags.StringVar(&f.sketch.stage, "stage", "", "the API's stage (default: the first of gateway.apis)")
	flags.StringVar(&f.sketch.sourceIP, "source-ip", "192.0.2.1", "the caller's address")
	flags.StringVar(&f.sketch.route, "route", "", "the route that API Gateway chose (default: the one that the path matches)")
	f.place.awsFlags(c)
	for _, name := range []string{"kind", "method", "path", "header", "api", "stage", "source-ip", "route"} {
		c.MarkFlagsMutuallyExclusive("event", name)
	}
}

func (t *tool) runExplain(ctx context.Context, f explainFlags) error {
	cfg, err := t.loadConfig()
	if err != nil {
		return err
	}
	payload, missing, err := t.payload(cfg, f)
	if err != nil {
		return err
	}
	if f.at != "" {
		at, err := time.Parse(time.RFC3339, f.at)
		if err != nil {
			return usage("--at is an RFC 3339 time, such as 2026-11-21T12:00:00Z")
		}
		t.now = func() time.Time { return at }
	}
	a, err := t.connect(cfg, f)
	if err != nil {
		return err
	}
	trace := a.Decide(ctx, payload)
	x := explanation(cfg, trace)
	x.Missing = missing
	if f.offline && cfg.Revocable() {
		x.skip("revocation", "not asked: --offline")
	}
	if trace.Caller.Signature != nil && cfg.Signatures.Replay == "deny" {
		x.skip("replay", "not asked: an explanation must not use up the nonce")
	}
	if t.json {
		err = writeJSON(t.out, x, "  ")
	} else {
		t.printExplanation(x)
	}
	if err != nil {
		return err
	}
	return x.exit()
}

// loadConfig loads the configuration, or says all that is wrong with it.
func (t *tool) loadConfig() (*config.Config, error) {
	cfg, err := config.Load(t.config, t.env)
	if err != nil {
		return nil, refused("the configuration is not valid; fix it and run authctl validate\n%v", err)
	}
	return cfg, nil
}

// payload reads the event, or makes it and tells which identity sources the
// request lacks.
func (t *tool) payload(cfg *config.Config, f explainFlags) (event []byte, missing []string, err error) {
	switch f.event {
	case "":
		if f.sketch.target == "" && f.sketch.kind != "websocket" {
			return nil, nil, usage("nothing to explain: give --event FILE, or --path and --header")
		}
		if m := f.sketch.method; m == "" || strings.ContainsFunc(m, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			return nil, nil, usage("--method %q: write it in capital letters, as in GET", m)
		}
		r, err := f.sketch.complete(cfg)
		if err != nil {
			return nil, nil, err
		}
		event, err = r.event()
		return event, r.missing, err
	case "-":
		event, err = io.ReadAll(t.in)
	default:
		event, err = os.ReadFile(f.event)
	}
	if err != nil {
		return nil, nil, usage("the event cannot be read: %v", err)
	}
	return event, nil, nil
}

// connect makes the function's own authorizer, with keys from a file or from
// nowhere if so asked. It writes nothing.
func (t *tool) connect(cfg *config.Config, f explainFlags) (*authorizer.Authorizer, error) {
	own := *cfg
	if f.jwks != "" {
		path, err := filepath.Abs(f.jwks)
		if err != nil {
			return nil, usage("--jwks: %v", err)
		}
		if _, err := os.ReadFile(path); err != nil {
			return nil, usage("--jwks: the key set cannot be read: %v", err)
		}
		own.Issuers = slices.Clone(own.Issuers)
		for i := range own.Issuers {
			own.Issuers[i].JWKSURI, own.Issuers[i].JWKSFile, own.Issuers[i].HMACSecret = "", path, ""
		}
	}
	s := authorizer.Surroundings{AWS: f.place.aws, Nonces: unspent{}, Now: t.now, Log: slog.New(slog.DiscardHandler)}
	if f.offline {
		own.Tables.Revocations = "none"
		s.AWS = func(context.Context) (aws.Config, error) { return aws.Config{}, errOffline }
		s.HTTP = &http.Client{Transport: offline{}}
	}
	a, _, err := authorizer.Connect(&own, s)
	if err != nil {
		return nil, usage("%v", err)
	}
	return a, nil
}

// aws is the account's configuration for clients that somebody else makes. A
// flag must win over AWS_ENDPOINT_URL_DYNAMODB, which is among the sources.
func (p place) aws(ctx context.Context) (aws.Config, error) {
	a, err := p.account(ctx)
	if err != nil {
		return aws.Config{}, err
	}
	if p.endpoint != "" {
		a.config.BaseEndpoint, a.config.ConfigSources = &p.endpoint, nil
	}
	return a.config, nil
}

// unspent is a table of nonces in which none was used and none is written: an
// explanation must not use up the signature of a request.
type unspent struct{}

// Use makes unspent an httpsig.Nonces.
func (unspent) Use(context.Context, string, string, time.Time) (bool, error) { return true, nil }

var errOffline = errors.New("--offline reaches no network: leave it out, or name a key set with --jwks")

// offline is the network of --offline.
type offline struct{}

// RoundTrip fetches nothing.
func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errOffline }

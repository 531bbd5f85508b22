package authorizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"lambda-authorizer/apikey"
	"lambda-authorizer/config"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/jwks"
	"lambda-authorizer/keydoc"
	"lambda-authorizer/network"
	"lambda-authorizer/nonces"
	"lambda-authorizer/revocation"
	"lambda-authorizer/secrets"
	"lambda-authorizer/secrets/hs256"
)

// Surroundings are what a configuration is connected to.
type Surroundings struct {
	// AWS gives the SDK's configuration. It is called when a table or a secret
	// is first needed, and again after an error. Required where there is one.
	AWS func(context.Context) (aws.Config, error)
	// Nonces spends signatures in place of tables.nonces, for whoever must not
	// write.
	Nonces httpsig.Nonces
	// HTTP fetches key sets; nil is a client of package jwks.
	HTTP *http.Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Decisions receives one JSON line per invocation; nil discards them.
	Decisions io.Writer
	// Log receives what is not a decision; nil is slog.Default.
	Log *slog.Logger
}

// Connect makes an Authorizer that reads what its configuration names: key
// sets, tables, secrets. It reaches nothing before the first request; prefetch
// fetches the key sets of all issuers ahead of it.
func Connect(cfg *config.Config, s Surroundings) (a *Authorizer, prefetch func(context.Context), err error) {
	if s.Log == nil {
		s.Log = slog.Default()
	}
	w := &wiring{cfg: cfg, s: s, clients: secrets.NewClients(s.AWS), tables: &tables{load: s.AWS}, counters: new(Counters)}
	o := Options{Now: s.Now, Decisions: s.Decisions, Log: s.Log, Counters: w.counters}
	tokens, err := w.tokens()
	if err != nil {
		return nil, nil, err
	}
	o.Tokens = tokens
	if cfg.APIKeys != nil {
		o.APIKeys = apikey.NewVerifier(reader(w, cfg.APIKeys.Secrets, apikey.Rules(w.rules()).Parse, 0), s.Now)
	}
	if cfg.Signatures != nil {
		if o.Signatures, err = w.signatures(); err != nil {
			return nil, nil, err
		}
	}
	if cfg.UsesAddress() {
		if o.Networks, err = w.networks(); err != nil {
			return nil, nil, err
		}
	}
	if cfg.Revocable() {
		if o.Revocations, err = revocation.New(w.tables, cfg.Tables.Revocations, cfg.Revocation, revocation.Options{Now: s.Now}); err != nil {
			return nil, nil, err
		}
	}
	a, err = New(cfg, o)
	return a, tokens.Prefetch, err
}

// wiring is what the parts share while they are connected.
type wiring struct {
	cfg      *config.Config
	s        Surroundings
	clients  *secrets.Clients
	tables   *tables
	counters *Counters
}

func (w *wiring) tokens() (*jwks.Verifier, error) {
	return jwks.New(w.cfg.Issuers, jwks.Options{
		Now: w.s.Now, Client: w.s.HTTP, Dir: w.cfg.Dir(),
		OnRefresh: func(e jwks.RefreshEvent) {
			if e.Cause != "file" { // read once, at start
				w.counters.JWKSRefresh.Add(1)
			}
			logRefresh(w.s.Log, e)
		},
		Shared: func(secret string) jwks.SharedKeys {
			return hs256.Keys{From: reader(w, []string{secret}, hs256.Parse, w.cfg.Secrets.PreviousGrace)}
		},
	})
}

// rules hold the records of keys to the configuration.
func (w *wiring) rules() keydoc.Rules {
	return keydoc.Rules{ContextKey: w.cfg.RecordContextKey, Network: w.cfg.RecordNetwork}
}

func reader[R any](w *wiring, names []string, parse func([]byte) (map[string]R, []error), previous time.Duration) *secrets.Reader[R] {
	return secrets.NewReader(names, parse, secrets.Options{
		Clients: w.clients, Refresh: w.cfg.Secrets.Refresh, PreviousGrace: previous, Now: w.s.Now,
		OnRead: func(e secrets.ReadEvent) {
			if e.Err != nil {
				w.counters.SecretFaults.Add(1)
			} else {
				w.counters.SecretRecordsSkipped.Add(int64(e.SkippedCount))
			}
			logRead(w.s.Log, e)
		},
	})
}

func (w *wiring) signatures() (SignatureVerifier, error) {
	keys := signingKeys{reader(w, w.cfg.Signatures.Secrets, httpsig.Rules(w.rules()).Parse, 0)}
	o := httpsig.Options{Keys: keys, Now: w.s.Now, Nonces: w.s.Nonces}
	if o.Nonces == nil && w.cfg.Tables.Nonces != "" {
		o.Nonces = nonces.New(w.tables, w.cfg.Tables.Nonces)
	}
	v, err := httpsig.New(*w.cfg.Signatures, o)
	if err != nil {
		return nil, err
	}
	return &renewing{v, keys}, nil
}

func (w *wiring) networks() (*network.Lists, error) {
	c := network.Config{
		Static: map[string][]netip.Prefix{}, Table: w.cfg.Tables.Revocations,
		CacheTTL: w.cfg.Revocation.CacheTTL, Timeout: w.cfg.Revocation.Timeout,
	}
	for name, n := range w.cfg.Networks {
		if n.DynamoDB {
			c.Dynamic = append(c.Dynamic, name)
			continue
		}
		list, err := network.ParseCIDRs(n.CIDRs)
		if err != nil {
			return nil, fmt.Errorf("networks.%s: %w", name, err)
		}
		c.Static[name] = list
	}
	var err error
	if c.Deny, err = network.ParseCIDRs(w.cfg.DenyNetworks); err != nil {
		return nil, fmt.Errorf("deny_networks: %w", err)
	}
	if c.TrustedProxies, err = network.ParseCIDRs(w.cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	return network.New(c, network.Options{Reader: w.tables, Now: w.s.Now, OnRead: func(e network.ReadEvent) { logList(w.s.Log, e) }})
}

// signingKeys finds signing keys in secrets.
type signingKeys struct {
	*secrets.Reader[*httpsig.Key]
}

// Key makes signingKeys an httpsig.Keys. An id that is not there may have been
// written a moment ago.
func (k signingKeys) Key(ctx context.Context, id string) (*httpsig.Key, error) {
	key, ok, err := k.Get(ctx, id)
	if ok || err != nil {
		return key, err
	}
	if err := k.Renew(ctx); err != nil {
		return nil, err
	}
	key, _, err = k.Get(ctx, id)
	return key, err
}

// renewing verifies once more with keys read anew, within the reader's bounds,
// where a signature does not fit its key: that may have been rotated. What no
// key could make good reads nothing, and is refused in an outage too.
type renewing struct {
	*httpsig.Verifier
	keys signingKeys
}

func (r *renewing) Verify(ctx context.Context, m *httpsig.Message) (*httpsig.Signature, error) {
	s, err := r.Verifier.Verify(ctx, m)
	if !errors.Is(err, httpsig.ErrMAC) {
		return s, err
	}
	if err := r.keys.Renew(ctx); err != nil {
		return nil, err
	}
	return r.Verifier.Verify(ctx, m)
}

package authorizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"lambda-authorizer/apikey"
	"lambda-authorizer/config"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/jwks"
	"lambda-authorizer/network"
	"lambda-authorizer/policy"
	"lambda-authorizer/revocation"
)

// TokenVerifier verifies a bearer token. certThumbprint is the base64url
// SHA-256 of the client's certificate, empty where there is none.
type TokenVerifier interface {
	Verify(ctx context.Context, raw, certThumbprint string) (*jwks.Token, error)
}

// APIKeyVerifier verifies an API key.
type APIKeyVerifier interface {
	Verify(ctx context.Context, text string) (apikey.Key, error)
}

// SignatureVerifier verifies a request signature, and spends it as the last
// check of all.
type SignatureVerifier interface {
	Verify(ctx context.Context, m *httpsig.Message) (*httpsig.Signature, error)
	Spend(ctx context.Context, s *httpsig.Signature, requestID string) error
}

// RevocationChecker says whether any credential of a request is revoked: its
// error then is reason.Revoked.
type RevocationChecker interface {
	Check(ctx context.Context, presented ...revocation.Credential) (revocation.Result, error)
}

// maxDecision bounds one decision: an HTTP API waits 10 s for its authorizer.
const maxDecision = 8 * time.Second

// documents bounds the memory of rendered documents; one is at most
// max_policy_bytes.
const documents = 1024

// Options are what an Authorizer needs besides its configuration. What the
// configuration asks for and is not here fails construction.
type Options struct {
	// Tokens verifies bearer tokens. Required where there are issuers.
	Tokens TokenVerifier
	// APIKeys is required where the configuration has api_keys.
	APIKeys APIKeyVerifier
	// Signatures is required where it has signatures.
	Signatures SignatureVerifier
	// Networks is required where it has networks or deny_networks.
	Networks *network.Lists
	// Revocations is required, unless tables.revocations is none.
	Revocations RevocationChecker
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Decisions receives one JSON line per invocation; nil discards them.
	Decisions io.Writer
	// Counters are what the dependencies did; nil counts nothing.
	Counters *Counters
	// Log receives what is not a decision; nil is slog.Default.
	Log *slog.Logger
}

// Counters are added to by whoever watches a dependency, and drained into the
// metrics of the next decision line.
type Counters struct {
	JWKSRefresh atomic.Int64
	// SecretFaults counts the reads of secrets that failed, whether or not a
	// last good value goes on; SecretRecordsSkipped the records that the
	// others did not use.
	SecretFaults, SecretRecordsSkipped atomic.Int64
}

// Authorizer decides. It is safe for concurrent use.
type Authorizer struct {
	config *config.Config
	table  *policy.Table
	// networksOf are the lists that each route asks for, networks all of them.
	networksOf [][]string
	networks   []string
	o          Options
	now        func() time.Time
	log        *slog.Logger
	line       *lineWriter
	memo       *lru.Cache[documentKey, *policy.Document]
	warm       atomic.Bool
}

// New makes an Authorizer for a validated configuration.
func New(cfg *config.Config, o Options) (*Authorizer, error) {
	for _, need := range []struct {
		asked, there bool
		what         string
	}{
		{len(cfg.Issuers) > 0, o.Tokens != nil, "issuers: no token verifier"},
		{cfg.APIKeys != nil, o.APIKeys != nil, "api_keys: nothing verifies them"},
		{cfg.Signatures != nil, o.Signatures != nil, "signatures: nothing verifies them"},
		{cfg.UsesAddress(), o.Networks != nil, "networks: nothing reads them"},
		{cfg.Revocable(), o.Revocations != nil, "tables.revocations: nothing reads the table"},
	} {
		if need.asked && !need.there {
			return nil, errors.New("authorizer: " + need.what)
		}
	}
	memo, err := lru.New[documentKey, *policy.Document](documents)
	if err != nil {
		return nil, err
	}
	a := &Authorizer{
		config: cfg, table: cfg.Table(), o: o, now: o.Now, log: o.Log, memo: memo,
		line: &lineWriter{out: o.Decisions, hashPrincipal: cfg.Log.Principal == "hash"},
	}
	for id := range a.table.Len() {
		var of []string
		for _, e := range a.table.Route(policy.RouteID(id)).Require {
			of = append(of, e.Networks...)
		}
		a.networksOf, a.networks = append(a.networksOf, of), append(a.networks, of...)
	}
	slices.Sort(a.networks)
	a.networks = slices.Compact(a.networks)
	if a.now == nil {
		a.now = time.Now
	}
	if a.o.Counters == nil {
		a.o.Counters = new(Counters)
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	return a, nil
}

// Invoke answers one event: bytes in, bytes out, as lambda.Handler wants it.
// Its error is either errUnauthorized or a fault.
func (a *Authorizer) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	start := a.now()
	t := a.Decide(ctx, payload)
	a.line.write(invocation{
		trace: t, start: start, took: a.now().Sub(start),
		lambdaID: lambdaRequestID(ctx), cold: !a.warm.Swap(true),
		jwksRefresh: a.o.Counters.JWKSRefresh.Swap(0), secretFaults: a.o.Counters.SecretFaults.Swap(0),
		secretRecordsSkipped: a.o.Counters.SecretRecordsSkipped.Swap(0),
	})
	return t.Answer, t.AnswerErr
}

// Decide runs the flow on one event and returns all it found out. It writes no
// line. authctl explain shows what it returns.
func (a *Authorizer) Decide(ctx context.Context, payload []byte) *Trace {
	ctx, cancel := deadline(ctx)
	defer cancel()
	t := &Trace{}
	t.end(a.guard(func() error { return a.check(ctx, t, payload) }))
	began := a.now()
	err := a.guard(func() error { return a.answer(t) })
	t.Steps = append(t.Steps, Step{Name: "answer", Err: err, Took: a.now().Sub(began)})
	if err != nil {
		t.end(err)
		t.Document, t.Answer = nil, nil
		t.AnswerErr = faultError(err)
	}
	return t
}

// check is the flow. The order is the contract's; spending a signature comes
// last, so that what is refused for another reason may be sent again.
func (a *Authorizer) check(ctx context.Context, t *Trace, payload []byte) error {
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"event", func() (err error) { t.Request, err = ParseEvent(payload); return err }},
		{"api", func() error { return a.servesAPI(t.Request.ARN) }},
		{"credential", func() (err error) { t.Caller, err = a.authenticate(ctx, t.Request); return err }},
		{"revocation", func() (err error) { t.Revocation, err = a.revoked(ctx, t); return err }},
		{"address", func() error { return a.address(ctx, t) }},
		{"route", func() error { return a.route(t) }},
		{"grants", func() error { return a.granted(t) }},
		{"replay", func() error { return a.spend(ctx, t.Caller) }},
	} {
		began := a.now()
		err := step.run()
		t.Steps = append(t.Steps, Step{Name: step.name, Err: err, Took: a.now().Sub(began)})
		if err != nil {
			return err
		}
	}
	return nil
}

// end records how the flow ended.
func (t *Trace) end(err error) {
	t.Err, t.Outcome, t.Reason = err, outcome(err), ""
	if err != nil {
		t.Reason = Step{Err: err}.Reason()
	}
}

// deadline bounds one decision. It leaves a little of Lambda's own time-out,
// so that running out of time is still answered and logged.
func deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := maxDecision
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		limit = min(limit, left-min(left/10, 100*time.Millisecond))
	}
	return context.WithTimeout(ctx, limit)
}

// guard turns a panic into a fault. The panic's value may hold a part of the
// request: its type and the stack are logged, the value is not.
func (a *Authorizer) guard(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("panic while deciding", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic of type %T", p) // without a code: a fault
		}
	}()
	return run()
}

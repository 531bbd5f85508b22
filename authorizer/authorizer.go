package authorizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"lambda-authorizer/config"
	"lambda-authorizer/jwks"
	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// TokenVerifier verifies a bearer token. certThumbprint is the base64url
// SHA-256 of the client's certificate, empty where there is none.
type TokenVerifier interface {
	Verify(ctx context.Context, raw, certThumbprint string) (*jwks.Token, error)
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

// Options are what an Authorizer needs besides its configuration.
type Options struct {
	// Tokens verifies bearer tokens. Required.
	Tokens TokenVerifier
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
}

// Authorizer decides. It is safe for concurrent use.
type Authorizer struct {
	config      *config.Config
	table       *policy.Table
	tokens      TokenVerifier
	revocations RevocationChecker
	now         func() time.Time
	log         *slog.Logger
	counts      *Counters
	line        *lineWriter
	memo        *lru.Cache[documentKey, *policy.Document]
	warm        atomic.Bool
}

// New makes an Authorizer for a validated configuration.
func New(cfg *config.Config, o Options) (*Authorizer, error) {
	if o.Tokens == nil {
		return nil, errors.New("authorizer: no token verifier")
	}
	if o.Revocations == nil && cfg.Revocable() {
		return nil, errors.New("authorizer: tables.revocations names a table and nothing reads it")
	}
	memo, err := lru.New[documentKey, *policy.Document](documents)
	if err != nil {
		return nil, err
	}
	a := &Authorizer{
		config: cfg, table: cfg.Table(), tokens: o.Tokens, revocations: o.Revocations,
		now: o.Now, log: o.Log, counts: o.Counters, memo: memo,
		line: &lineWriter{out: o.Decisions, hashPrincipal: cfg.Log.Principal == "hash"},
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.counts == nil {
		a.counts = new(Counters)
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
		jwksRefresh: a.counts.JWKSRefresh.Swap(0),
	})
	return t.Answer, t.AnswerErr
}

// Decide runs the flow on one event and returns all it found out. It writes
// nothing. authctl explain shows what it returns.
func (a *Authorizer) Decide(ctx context.Context, payload []byte) *Trace {
	ctx, cancel := deadline(ctx)
	defer cancel()
	t := &Trace{}
	t.end(a.guard(func() error { return a.check(ctx, t, payload) }))
	if err := a.guard(func() error { return a.answer(t) }); err != nil {
		t.end(err)
		t.Document, t.Answer = nil, nil
		t.AnswerErr = faultError(err)
	}
	return t
}

// check is the flow. The order is the contract's.
func (a *Authorizer) check(ctx context.Context, t *Trace, payload []byte) error {
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"event", func() (err error) { t.Request, err = ParseEvent(payload); return err }},
		{"api", func() error { return a.servesAPI(t.Request.ARN) }},
		{"credential", func() (err error) { t.Caller, err = a.authenticate(ctx, t.Request); return err }},
		{"revocation", func() (err error) { t.Revocation, err = a.revoked(ctx, t.Caller); return err }},
		{"route", func() error { return a.route(t) }},
		{"grants", func() error { return a.table.Decide(t.Route, t.Caller.grants()) }},
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
		t.Reason = reason.Of(err)
	}
}

// servesAPI refuses callers that gateway.apis does not list.
func (a *Authorizer) servesAPI(arn policy.ARN) error {
	if len(a.config.Gateway.APIs) == 0 {
		return nil
	}
	for _, api := range a.config.Gateway.APIs {
		if api == arn.API+"/"+arn.Stage || api == arn.API+"/*" {
			return nil
		}
	}
	return fmt.Errorf("%w: %.40q is not in gateway.apis", reason.APIUnknown, arn.API+"/"+arn.Stage)
}

// authenticate finds out who asks.
func (a *Authorizer) authenticate(ctx context.Context, req *Request) (Caller, error) {
	cred, err := credential(req, a.config.Bearer)
	if err != nil {
		return Caller{}, err
	}
	thumbprint := ""
	if a.config.Gateway.CacheTTL == 0 {
		// A cached answer would serve any certificate (RFC 8705 section 3).
		thumbprint = certThumbprint(req.ClientCertPEM)
	}
	token, err := a.tokens.Verify(ctx, cred.bearer, thumbprint)
	if err != nil {
		return Caller{}, err
	}
	return Caller{Token: token}, nil
}

// revoked refuses a caller one of whose credentials is revoked.
func (a *Authorizer) revoked(ctx context.Context, c Caller) (revocation.Result, error) {
	if a.revocations == nil {
		return revocation.Result{}, nil
	}
	result, err := a.revocations.Check(ctx, c.credentials()...)
	if result.PassedDespite != nil {
		a.log.Warn("revocation not checked: let through by revocation.on_error", "error", result.PassedDespite.Error())
	}
	return result, err
}

// credentials are the caller's, in the words of the revocation table.
func (c Caller) credentials() []revocation.Credential {
	var out []revocation.Credential
	if t := c.Token; t != nil {
		cred := revocation.Credential{
			Kind: revocation.KindToken, ID: t.ID, SigningInputSHA256: t.SigningInputSHA256,
			Issuer: t.IssuerURL, Subject: t.Subject, Session: t.SessionID, Client: t.ClientID, KeyID: t.KeyID,
		}
		if t.HasIssuedAt {
			cred.IssuedAt = t.IssuedAt
		}
		out = append(out, cred)
	}
	return out
}

// route finds the configured route of the path of record. Where the event
// names the route that API Gateway chose and that is another configured one,
// the two disagree about the path, and the request is refused.
func (a *Authorizer) route(t *Trace) error {
	arn := t.Request.ARN
	id, ok := a.table.Match(t.Request.Kind.Form(), arn.Method, arn.Path)
	if !ok {
		return reason.RouteUnknown
	}
	if other, configured := a.table.Lookup(t.Request.Chosen); configured && other != id {
		return fmt.Errorf("%w: the path is one of %q, API Gateway chose %q",
			reason.RouteUnknown, a.table.Template(id), a.table.Template(other))
	}
	t.Route, t.Matched, t.Template = id, true, a.table.Template(id)
	return nil
}

// grants puts the caller in the route table's words.
func (c Caller) grants() policy.Caller {
	var out policy.Caller
	if t := c.Token; t != nil {
		out.JWT = &policy.JWT{Issuer: t.Issuer, Scopes: t.Scopes, Claims: t.Claims}
	}
	return out
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
			err = fmt.Errorf("%w: panic of type %T", reason.Internal, p)
		}
	}()
	return run()
}

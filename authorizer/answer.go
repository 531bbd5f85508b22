package authorizer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
)

// errUnauthorized's text is API Gateway's; any other makes it answer 500.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
var errUnauthorized = errors.New("Unauthorized")

// maxErrorText bounds the text of a fault, in bytes: it ends in Lambda's log.
const maxErrorText = 300

// policyAnswer is the answer of REST, HTTP 1.0, WebSocket and HTTP 2.0 iam.
type policyAnswer struct {
	PrincipalID string         `json:"principalId"`
	Policy      jsontext.Value `json:"policyDocument"`
	Context     map[string]any `json:"context"`
	// UsageKey counts for usage plans of APIs whose key source is AUTHORIZER.
	UsageKey string `json:"usageIdentifierKey,omitempty"`
}

// simpleAnswer is the answer of HTTP 2.0 simple.
type simpleAnswer struct {
	IsAuthorized bool           `json:"isAuthorized"`
	Context      map[string]any `json:"context"`
}

// documentKey is all that a document depends on besides the route table.
type documentKey struct {
	form   policy.PathForm
	stage  policy.ARN // without method and path
	what   string
	route  policy.RouteID
	single bool
	// socket keeps $connect apart from a REST API of the same id and stage.
	socket bool
}

// answer renders the row of the answer table that the flow ended in. Where it
// fails, the answer would be unsafe, and that is a fault.
func (a *Authorizer) answer(t *Trace) error {
	switch {
	case t.Outcome == Fault:
		t.AnswerErr = faultError(t.Err)
		return nil
	case t.Outcome == Unauthorized && a.config.Response.Unauthenticated != "deny":
		t.AnswerErr = errUnauthorized
		return nil
	}
	if err := a.keptApart(t.Request); err != nil {
		return err
	}
	if t.Request.Kind == HTTP2 && a.config.Response.HTTPAPI == "simple" {
		return a.simple(t)
	}
	return a.policy(t)
}

// simple answers yes or no.
func (a *Authorizer) simple(t *Trace) (err error) {
	if err := a.simpleIsSafe(t); err != nil {
		return err
	}
	values := t.Caller.context(a.config.Response.Claims)
	if t.Outcome != Allow {
		values["reason"] = string(t.Reason)
	}
	t.Answer, err = json.Marshal(simpleAnswer{t.Outcome == Allow, values}, json.Deterministic(true))
	return err
}

// simpleIsSafe checks that a cached yes or no can decide no other route: API
// Gateway keeps it under the identity sources, so these must be the declared
// ones, and $context.routeKey among them must be the route that was matched.
func (a *Authorizer) simpleIsSafe(t *Trace) error {
	if a.config.Gateway.CacheTTL == 0 {
		return nil
	}
	sources, got := a.config.Gateway.IdentitySources, t.Request.IdentitySource
	if len(got) != len(sources) {
		return fmt.Errorf("%w: the event has %d identity sources, gateway.identity_sources %d",
			reason.CacheUnsafe, len(got), len(sources))
	}
	for i, source := range sources {
		if source != "$context.routeKey" {
			continue
		}
		if !t.refusesRoute() {
			return nil // the same no on whatever route
		}
		id, ok := a.table.Lookup(got[i])
		if ok && t.Matched && id == t.Route {
			return nil
		}
		return fmt.Errorf("%w: identity source %d is not the route that was matched", reason.CacheUnsafe, i)
	}
	return fmt.Errorf("%w: $context.routeKey is not an identity source", reason.CacheUnsafe)
}

// policy answers with an IAM document and makes sure that it says about this
// request what was decided.
func (a *Authorizer) policy(t *Trace) (err error) {
	if t.Document, err = a.document(t); err != nil {
		return err
	}
	if t.Document.Allows(t.Request.ARN) != (t.Outcome == Allow) {
		return fmt.Errorf("%w: the document cannot say %q about this path", reason.PolicyInexact, t.Outcome)
	}
	if size, limit := len(t.Document.JSON), a.config.Response.MaxPolicyBytes; size > limit {
		return fmt.Errorf("%w: %d bytes, response.max_policy_bytes is %d", reason.PolicyTooLarge, size, limit)
	}
	values := t.Caller.context(a.config.Response.Claims)
	if t.Outcome != Allow && (a.config.Gateway.CacheTTL == 0 || t.Granted.Empty()) {
		values["reason"] = string(t.Reason)
	}
	answer := policyAnswer{PrincipalID: t.Caller.principal(), Policy: jsontext.Value(t.Document.JSON), Context: values}
	if k := t.Caller.APIKey; k != nil {
		answer.UsageKey = k.UsageIdentifierKey
	}
	t.Answer, err = json.Marshal(answer, json.Deterministic(true))
	return err
}

// document is the policy for this caller: of this request alone without
// caching, else of every route the caller may use. A caller who is refused as
// such gets a document that opens nothing.
func (a *Authorizer) document(t *Trace) (*policy.Document, error) {
	req := t.Request
	key := documentKey{form: req.Kind.Form(), stage: req.ARN, socket: req.ARN.WebSocket()}
	key.stage.Method, key.stage.Path = "", ""
	var render func() (*policy.Document, error)
	switch {
	case a.config.Gateway.CacheTTL == 0 && t.Outcome == Allow:
		key.single, key.route, key.what = true, t.Route, "allow "+req.ARN.Method
		render = func() (*policy.Document, error) { return a.table.Single(key.form, req.ARN, t.Route, true) }
	case a.config.Gateway.CacheTTL == 0 || !t.refusesRoute():
		key.single, key.what = true, "deny"
		render = func() (*policy.Document, error) { return a.table.Single(key.form, req.ARN, t.Route, false) }
	default:
		t.Granted = a.table.Granted(t.grants())
		if err := t.networkFault(); err != nil {
			return nil, err // a route may be missing, and the answer is kept
		}
		key.what = t.Granted.Key()
		render = func() (*policy.Document, error) { return a.table.Cached(key.form, req.ARN, t.Granted) }
	}
	if d, ok := a.memo.Get(key); ok {
		t.DocumentCached = true
		return d, nil
	}
	d, err := render()
	if err == nil {
		a.memo.Add(key, d)
	}
	return d, err
}

// refusesRoute tells an answer about the route, which may go with a document
// of the caller's other routes, from a refusal of the caller as such.
func (t *Trace) refusesRoute() bool {
	for _, s := range t.Steps {
		if s.Err != nil && s.Name != "route" && s.Name != "grants" {
			return false
		}
	}
	return true
}

// faultError is a fault's text for Lambda's log: bounded, on one line, and
// never API Gateway's Unauthorized.
func faultError(err error) error {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, err.Error())
	if code := string(reason.Of(err)); !strings.HasPrefix(text, code) {
		text = code + ": " + text
	}
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "")
	}
	return errors.New(text)
}

// certThumbprint is x5t#S256 of RFC 8705 section 3.1: SHA-256 over the
// certificate's DER. What is no certificate binds nothing: a token that needs
// one is then refused.
func certThumbprint(text string) string {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return ""
	}
	sum := sha256.Sum256(block.Bytes)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func lambdaRequestID(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		return lc.AwsRequestID
	}
	return ""
}

package authorizer

import (
	"context"
	"fmt"
	"slices"

	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

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

// authenticate finds out who asks. Every credential of ours must be valid, the
// ones that no route needs, too.
func (a *Authorizer) authenticate(ctx context.Context, req *Request) (Caller, error) {
	cred, err := credential(req, a.config)
	if err != nil {
		return Caller{}, err
	}
	req.presented = cred
	var c Caller
	if cred.bearer.given {
		if a.o.Tokens == nil {
			return Caller{}, fmt.Errorf("%w: there are no issuers", reason.IssuerUnknown)
		}
		thumbprint := ""
		if a.config.Gateway.CacheTTL == 0 {
			// A cached answer would serve any certificate (RFC 8705 section 3).
			thumbprint = certThumbprint(req.ClientCertPEM)
		}
		if c.Token, err = a.o.Tokens.Verify(ctx, cred.bearer.text, thumbprint); err != nil {
			return Caller{}, err
		}
	}
	if cred.apiKey.given {
		key, err := a.o.APIKeys.Verify(ctx, cred.apiKey.text)
		if err != nil {
			return Caller{}, err
		}
		c.APIKey = &key
	}
	if cred.signed != nil {
		if c.Signature, err = a.o.Signatures.Verify(ctx, cred.signed); err != nil {
			return Caller{}, err
		}
	}
	switch {
	case c == (Caller{}):
		return Caller{}, reason.CredentialMissing
	case !tellable(c.principal()):
		// A backend would find no principal in the context.
		return Caller{}, fmt.Errorf("%w: the principal is longer than %d bytes or holds a control character", reason.CredentialMalformed, maxContextValue)
	}
	return c, nil
}

// revoked refuses a caller one of whose credentials is revoked. Allow-lists
// that will be asked are read beside it.
func (a *Authorizer) revoked(ctx context.Context, t *Trace) (revocation.Result, error) {
	if a.o.Networks != nil && t.Request.Source.IsValid() {
		a.o.Networks.Begin(ctx, a.lists(t)...)
	}
	if a.o.Revocations == nil {
		return revocation.Result{}, nil
	}
	result, err := a.o.Revocations.Check(ctx, t.Caller.credentials()...)
	if result.PassedDespite != nil {
		a.log.Warn("revocation not checked: let through by revocation.on_error", "error", result.PassedDespite.Error())
	}
	return result, err
}

// lists names the allow-lists that this decision may ask for: those that the
// caller's keys are bound to, and the route's. With caching these are every
// route's, because the answer speaks of them all.
func (a *Authorizer) lists(t *Trace) []string {
	var names []string
	if a.config.Gateway.CacheTTL > 0 {
		names = a.networks
	} else if id, ok := a.match(t.Request); ok {
		names = a.networksOf[id]
	}
	for _, of := range t.Caller.networks() {
		names = append(slices.Clip(names), of...)
	}
	return names
}

// address finds out where the caller is, and refuses denied addresses and keys
// that are bound to other networks. Lists that routes or keys need are read
// here; whether one that could not be read matters shows when it is asked.
func (a *Authorizer) address(ctx context.Context, t *Trace) error {
	if a.o.Networks == nil {
		if len(t.Caller.networks()) > 0 { // a record that should not have been read
			return fmt.Errorf("%w: the key is bound to networks, and none is configured", reason.AddressNotAllowed)
		}
		return nil
	}
	forwarded := t.Request.forwarded()
	if a.config.Gateway.CacheTTL > 0 && len(a.config.TrustedProxies) > 0 && len(forwarded) > 1 {
		// Which of several lines API Gateway keeps the answer under is not
		// documented: an answer for one could serve another.
		return fmt.Errorf("%w: X-Forwarded-For has %d lines, and answers are cached", reason.AddressNotAllowed, len(forwarded))
	}
	t.Client, _ = a.o.Networks.Client(t.Request.Source, forwarded)
	if err := a.o.Networks.Check(t.Request.Source, t.Client); err != nil {
		return err
	}
	t.networks = a.o.Networks.Load(ctx, t.Client, a.lists(t)...)
	for _, of := range t.Caller.networks() {
		if err := t.inOneOf(of); err != nil {
			return err
		}
	}
	return nil
}

// inOneOf refuses a key that is used from elsewhere.
func (t *Trace) inOneOf(names []string) error {
	for _, name := range names {
		if t.networks.In(name) {
			return nil
		}
	}
	if err := t.networks.Fault(); err != nil {
		return err
	}
	return fmt.Errorf("%w: the key is bound to other networks", reason.AddressNotAllowed)
}

// route finds the configured route of the path of record. Where the event
// names the route that API Gateway chose and that is another configured one,
// the two disagree about the path, and the request is refused.
func (a *Authorizer) route(t *Trace) error {
	id, ok := a.match(t.Request)
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

// match finds the route of the path of record.
func (a *Authorizer) match(r *Request) (policy.RouteID, bool) {
	return a.table.Match(r.Kind.Form(), r.ARN.Method, r.ARN.Path)
}

// granted decides by the route table. A refusal that hangs on a list which
// could not be read is a fault instead.
func (a *Authorizer) granted(t *Trace) error {
	err := a.table.Decide(t.Route, t.grants())
	if fault := t.networkFault(); err != nil && fault != nil {
		return fault
	}
	return err
}

// grants puts caller and address in the route table's words.
func (t *Trace) grants() policy.Caller {
	c := t.Caller.grants()
	if t.networks != nil {
		c.HasAddress, c.InNetwork = t.Client.IsValid(), t.networks.In
	}
	return c
}

func (t *Trace) networkFault() error {
	if t.networks == nil {
		return nil
	}
	return t.networks.Fault()
}

// spend lets a signature be used once. What tells one request from another is
// Lambda's request id: clients can set API Gateway's own.
func (a *Authorizer) spend(ctx context.Context, c Caller) error {
	if c.Signature == nil {
		return nil
	}
	return a.o.Signatures.Spend(ctx, c.Signature, lambdaRequestID(ctx))
}

package jwks

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lambda-authorizer/reason"
)

// tokenID names a token by its whole text.
type tokenID [sha256.Size]byte

// verified is a token that passed, with what must be looked at again each
// time it comes.
type verified struct {
	token  *Token
	issuer *issuer
	query  query
	key    keyID
	sender confirmation
}

// Verify returns the token that raw, a compact JWS, stands for, or an error
// with a reason.Code. certThumbprint is the base64url SHA-256 of the client
// certificate; "" where there is none, or where the answer will be cached for
// requests with another one.
//
// The checks are in this order, and the first that fails names the reason:
//
//  1. form: size, three parts, canonical base64url, strict JSON, a header
//     that needs nothing we lack (credential_malformed)
//  2. iss, which selects the issuer and nothing else until the signature is
//     verified (issuer_unknown)
//  3. alg and typ against the issuer's lists, before anything is fetched
//     (algorithm_forbidden, type_forbidden)
//  4. the key (key_unknown, algorithm_forbidden; jwks_unavailable and
//     deadline_exceeded are faults), then the signature (signature_invalid)
//  5. the claims, now the issuer's word: their types and presence
//     (credential_malformed, claim_missing), aud, client, token_use,
//     principal (audience_mismatch, client_mismatch, token_use_mismatch,
//     claim_missing), the times (token_expired, token_not_yet_valid,
//     token_too_old), the sender (sender_constrained)
//
// So every reason of step 5 is about a token that the issuer did sign.
// A claim that has a mismatch code of its own gives that code when it is
// missing, too; claim_missing is for exp, iat and the principal.
//
// A token that passed is remembered until it expires. When it comes again,
// its key is chosen anew from the issuer's current set: if that is another
// one, or none, the token fares as if it had not been remembered. Times and
// sender are checked each time.
func (v *Verifier) Verify(ctx context.Context, raw, certThumbprint string) (*Token, error) {
	c, err := newCompact(raw)
	if err != nil {
		return nil, err
	}
	defer c.release()
	id := tokenID(sha256.Sum256(c.text))
	known, ok, err := v.recall(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		if known, err = v.verify(ctx, c); err != nil {
			return nil, err
		}
	}
	if err := known.check(v.now(), certThumbprint); err != nil {
		if ok && errors.Is(err, reason.TokenExpired) {
			v.verified.Remove(id)
		}
		return nil, err
	}
	if !ok {
		v.remember(id, known)
	}
	return known.token, nil
}

// check is what depends on the moment and the caller.
func (k *verified) check(now time.Time, certThumbprint string) error {
	if err := k.issuer.checkTimes(k.token, now); err != nil {
		return err
	}
	return k.sender.check(certThumbprint)
}

// recall returns what is remembered of a token, if its key is still the one
// that would be chosen for it.
func (v *Verifier) recall(ctx context.Context, id tokenID) (*verified, bool, error) {
	if v.verified == nil {
		return nil, false, nil
	}
	known, ok := v.verified.Get(id)
	if !ok {
		return nil, false, nil
	}
	holds, err := known.issuer.holds(ctx, known.query, known.key)
	if err != nil {
		return nil, false, err
	}
	if !holds {
		v.verified.Remove(id)
		return nil, false, nil
	}
	return known, true, nil
}

// remember keeps a copy that says so: the caller's own was verified.
func (v *Verifier) remember(id tokenID, fresh *verified) {
	if v.verified == nil {
		return
	}
	again, t := *fresh, *fresh.token
	t.Cached = true
	again.token = &t
	v.verified.Add(id, &again)
}

// verify does what need not be done again for the same token and key.
func (v *Verifier) verify(ctx context.Context, c *compact) (*verified, error) {
	if err := c.split(); err != nil {
		return nil, err
	}
	h, err := v.headerOf(c)
	if err != nil {
		return nil, err
	}
	claims, err := c.dec.object(c.claims)
	if err != nil {
		return nil, fmt.Errorf("%w: claims: %v", reason.CredentialMalformed, err)
	}
	i, err := v.issuerOf(claims)
	if err != nil {
		return nil, err
	}
	if err := i.acceptHeader(h); err != nil {
		return nil, err
	}
	q := query{alg: h.alg, kid: h.kid}
	k, err := i.keyThatSigned(ctx, q, c)
	if err != nil {
		return nil, err
	}
	if !v.headers.Contains(c.headerText) {
		v.headers.Add(strings.Clone(c.headerText), h)
	}
	t, sender, err := i.accept(claims)
	if err != nil {
		return nil, err
	}
	t.KeyID, t.SigningInputSHA256 = k.kid, hexSHA256(c.input)
	return &verified{token: t, issuer: i, query: q, key: k.id, sender: sender}, nil
}

// issuerOf selects the issuer by iss, which nobody has vouched for yet.
func (v *Verifier) issuerOf(claims map[string]any) (*issuer, error) {
	iss, present, err := member(claims, "iss")
	if err != nil {
		return nil, fmt.Errorf("%w: claims: %v", reason.CredentialMalformed, err)
	}
	if !present {
		return nil, fmt.Errorf("%w: no iss", reason.IssuerUnknown)
	}
	i, ok := v.issuers[iss]
	if !ok {
		return nil, fmt.Errorf("%w: iss %s", reason.IssuerUnknown, clip(iss))
	}
	return i, nil
}

// acceptHeader holds alg and typ against the issuer's lists.
func (i *issuer) acceptHeader(h header) error {
	if !slices.Contains(i.algorithms, h.alg) {
		return fmt.Errorf("%w: alg %s is not among issuer %s's", reason.AlgorithmForbidden, clip(h.alg), i.name)
	}
	switch {
	case h.hasTyp && (h.typ == "" || !slices.Contains(i.types, h.typ)):
		return fmt.Errorf("%w: typ %s is not among issuer %s's", reason.TypeForbidden, clip(h.typ), i.name)
	case !h.hasTyp && !slices.Contains(i.types, ""):
		return fmt.Errorf("%w: no typ, which issuer %s requires", reason.TypeForbidden, i.name)
	}
	return nil
}

// choose returns the key that q means in the issuer's current set.
func (i *issuer) choose(ctx context.Context, q query) (*key, error) {
	set, err := i.source.keys(ctx, q)
	if err != nil {
		return nil, err
	}
	return set.choose(q)
}

// holds reports whether the key of this id is the one that would be chosen
// for q now.
func (i *issuer) holds(ctx context.Context, q query, id keyID) (bool, error) {
	if i.shared != nil {
		return i.shared.holds(ctx, q, id)
	}
	k, err := i.choose(ctx, q)
	return err == nil && k.id == id, err
}

// keyThatSigned chooses the key and verifies the signature.
func (i *issuer) keyThatSigned(ctx context.Context, q query, c *compact) (*key, error) {
	if i.shared != nil {
		return i.shared.thatSigned(ctx, q, c)
	}
	k, err := i.choose(ctx, q)
	if err != nil {
		return nil, err
	}
	if k.verify(q.alg, c.input, c.signature) {
		return k, nil
	}
	if q.kid == "" {
		// An issuer without kids may have replaced its key: that looks like
		// this, and a newer set tells, within the bounds of an unknown kid.
		q.tried = k.id
		if k, err := i.choose(ctx, q); err == nil && k.id != q.tried && k.verify(q.alg, c.input, c.signature) {
			return k, nil
		}
	}
	return nil, fmt.Errorf("%w: not made by issuer %s's key %s", reason.SignatureInvalid, i.name, clip(k.kid))
}

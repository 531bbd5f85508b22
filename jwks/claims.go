package jwks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"lambda-authorizer/reason"
)

// accept checks the claims of a token whose signature was verified, all that
// do not change with the clock or the caller, and makes the Token. See Verify
// for the order.
func (i *issuer) accept(claims map[string]any) (*Token, confirmation, error) {
	t := &Token{Issuer: i.name, IssuerURL: i.url, Claims: claims, Leeway: i.leeway}
	if err := t.readTimes(claims); err != nil {
		return nil, confirmation{}, err
	}
	if err := t.readNames(claims); err != nil {
		return nil, confirmation{}, fmt.Errorf("%w: %v", reason.CredentialMalformed, err)
	}
	audiences, hasAudience, err := audiencesOf(claims)
	if err != nil {
		return nil, confirmation{}, fmt.Errorf("%w: %v", reason.CredentialMalformed, err)
	}
	if i.maxAge > 0 && !t.HasIssuedAt {
		return nil, confirmation{}, fmt.Errorf("%w: iat, which max_token_age needs", reason.ClaimMissing)
	}
	if err := i.acceptAudience(audiences, hasAudience); err != nil {
		return nil, confirmation{}, err
	}
	if err := i.acceptClient(t, claims); err != nil {
		return nil, confirmation{}, err
	}
	if i.tokenUse != "" && claims["token_use"] != i.tokenUse {
		return nil, confirmation{}, fmt.Errorf("%w: token_use is not %q", reason.TokenUseMismatch, i.tokenUse)
	}
	if t.Principal, err = i.principalOf(claims); err != nil {
		return nil, confirmation{}, err
	}
	t.Scopes = scopesOf(claims, i.scopeClaims)
	return t, confirmationOf(claims), nil
}

// readTimes takes exp, nbf and iat.
func (t *Token) readTimes(claims map[string]any) error {
	if _, ok := claims["exp"]; !ok {
		return fmt.Errorf("%w: exp", reason.ClaimMissing)
	}
	for _, c := range []struct {
		name string
		into *time.Time
		has  *bool
	}{
		{"exp", &t.Expires, new(bool)}, {"nbf", &t.NotBefore, new(bool)}, {"iat", &t.IssuedAt, &t.HasIssuedAt},
	} {
		v, ok := claims[c.name]
		if !ok {
			continue
		}
		// decoder leaves a float64 only where it is within 2^53.
		seconds, ok := v.(float64)
		if !ok {
			return fmt.Errorf("%w: %s is not a number within 2^53", reason.CredentialMalformed, c.name)
		}
		*c.into, *c.has = numericDate(seconds), true
	}
	return nil
}

// numericDate is RFC 7519's: seconds since 1970, a fraction allowed.
func numericDate(seconds float64) time.Time {
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC()
}

// checkTimes holds the token's times against now.
func (i *issuer) checkTimes(t *Token, now time.Time) error {
	if latest := t.Expires.Add(t.Leeway); !now.Before(latest) {
		return fmt.Errorf("%w: exp was %s", reason.TokenExpired, t.Expires.Format(time.RFC3339))
	}
	soonest := now.Add(t.Leeway)
	if t.NotBefore.After(soonest) {
		return fmt.Errorf("%w: nbf is %s", reason.TokenNotYetValid, t.NotBefore.Format(time.RFC3339))
	}
	if t.IssuedAt.After(soonest) {
		return fmt.Errorf("%w: iat is %s", reason.TokenNotYetValid, t.IssuedAt.Format(time.RFC3339))
	}
	if i.maxAge > 0 && t.IssuedAt.Add(i.maxAge+t.Leeway).Before(now) {
		return fmt.Errorf("%w: iat was %s, max_token_age is %s", reason.TokenTooOld, t.IssuedAt.Format(time.RFC3339), i.maxAge)
	}
	return nil
}

// readNames takes sub, jti and sid. Revocation is by these names, so one that
// cannot be read as a name is refused rather than ignored.
func (t *Token) readNames(claims map[string]any) (err error) {
	if t.Subject, _, err = member(claims, "sub"); err != nil {
		return err
	}
	if t.ID, _, err = member(claims, "jti"); err != nil {
		return err
	}
	t.SessionID, _, err = member(claims, "sid")
	return err
}

// audiencesOf returns aud: one string or an array of strings (RFC 7519
// section 4.1.3).
func audiencesOf(claims map[string]any) (out []string, present bool, err error) {
	v, present := claims["aud"]
	if !present {
		return nil, false, nil
	}
	switch v := v.(type) {
	case string:
		return []string{v}, true, nil
	case []any:
		out, ok := texts(v)
		if !ok {
			return nil, true, fmt.Errorf("aud holds something that is not a string")
		}
		return out, true, nil
	}
	return nil, true, fmt.Errorf("aud is neither a string nor an array of strings")
}

// acceptAudience: with client_ids alone we have no name of our own, so a token
// that names its audience is for someone else (RFC 7519 section 4.1.3).
func (i *issuer) acceptAudience(audiences []string, present bool) error {
	if len(i.audiences) == 0 {
		if present {
			return fmt.Errorf("%w: the token has aud, and no audiences are configured", reason.AudienceMismatch)
		}
		return nil
	}
	for _, a := range audiences {
		if slices.Contains(i.audiences, a) {
			return nil
		}
	}
	return fmt.Errorf("%w: aud holds none of the %d configured audiences", reason.AudienceMismatch, len(i.audiences))
}

// clientClaims are where issuers say who asked for the token: RFC 8693 and
// RFC 9068; OpenID Connect; Okta; Entra ID v1.
var clientClaims = []string{"client_id", "azp", "cid", "appid"}

// acceptClient takes the client. The claims present must agree, else checks
// and revocation by client would depend on which one is looked at. client_id
// and azp are registered and must be strings; cid and appid are two issuers'
// own, and with another type they mean something else.
func (i *issuer) acceptClient(t *Token, claims map[string]any) error {
	found := ""
	for _, name := range clientClaims {
		v, present := claims[name]
		if !present {
			continue
		}
		client, ok := v.(string)
		switch {
		case !ok && (name == "cid" || name == "appid"):
			continue
		case !ok:
			return fmt.Errorf("%w: %s is not a string", reason.CredentialMalformed, name)
		case found != "" && client != t.ClientID:
			return fmt.Errorf("%w: %s and %s disagree", reason.ClientMismatch, found, name)
		}
		t.ClientID, found = client, name
	}
	if len(i.clientIDs) > 0 && !slices.Contains(i.clientIDs, t.ClientID) {
		return fmt.Errorf("%w: the token's client is none of the %d configured ones", reason.ClientMismatch, len(i.clientIDs))
	}
	return nil
}

func (i *issuer) principalOf(claims map[string]any) (string, error) {
	v, ok := claims[i.principalClaim]
	if !ok {
		return "", fmt.Errorf("%w: principal_claim %s", reason.ClaimMissing, i.principalClaim)
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%w: principal_claim %s is not a string", reason.CredentialMalformed, i.principalClaim)
	}
	if s == "" {
		return "", fmt.Errorf("%w: principal_claim %s is empty", reason.ClaimMissing, i.principalClaim)
	}
	return s, nil
}

// scopesOf reads the first of names that is present: a string of words (RFC
// 8693 section 4.2) or an array of strings. Anything else grants nothing.
func scopesOf(claims map[string]any, names []string) []string {
	for _, name := range names {
		v, present := claims[name]
		if !present {
			continue
		}
		switch v := v.(type) {
		case string:
			return scopeTokens(strings.Split(v, " "))
		case []any:
			if all, ok := texts(v); ok {
				return scopeTokens(all)
			}
		}
		return nil
	}
	return nil
}

// scopeTokens drops what is no scope-token (RFC 6749 section 3.3). Backends
// get the scopes joined by blanks: an array element "a b" would reach them as
// two scopes that nobody granted, and so would "a\u00a0b" to a backend that
// splits at every white space of Unicode.
func scopeTokens(all []string) []string {
	return slices.DeleteFunc(all, func(s string) bool {
		return s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
	})
}

func texts(list []any) ([]string, bool) {
	out := make([]string, len(list))
	for n, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		out[n] = s
	}
	return out, true
}

// confirmation is the claim cnf (RFC 7800): the token is bound to a key of
// its sender.
type confirmation struct {
	present    bool
	thumbprint string // x5t#S256 (RFC 8705 section 3.1)
}

// confirmationOf understands the certificate alone. Beside another member,
// such as DPoP's jkt, the certificate would prove only half of what the
// issuer asked for.
func confirmationOf(claims map[string]any) confirmation {
	v, present := claims["cnf"]
	if !present {
		return confirmation{}
	}
	c := confirmation{present: true}
	if m, ok := v.(map[string]any); ok && len(m) == 1 {
		c.thumbprint, _ = m["x5t#S256"].(string)
	}
	return c
}

func (c confirmation) check(certThumbprint string) error {
	if !c.present {
		return nil
	}
	if c.thumbprint == "" {
		return fmt.Errorf("%w: cnf asks for a proof that is not supported", reason.SenderConstrained)
	}
	if c.thumbprint != certThumbprint {
		return fmt.Errorf("%w: the token is bound to another client certificate than the request's", reason.SenderConstrained)
	}
	return nil
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

package authorizer

import (
	"strings"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/jwks"
	"lambda-authorizer/policy"
	"lambda-authorizer/revocation"
)

// Caller is who asks, by every credential that was presented and verified. The
// zero Caller is nobody.
type Caller struct {
	Token     *jwks.Token
	APIKey    *apikey.Key
	Signature *httpsig.Signature
}

// anonymous is the principal where nobody is authenticated.
const anonymous = "anonymous"

// principal names the caller by the credentials presented alone, never by the
// entry that lets it in: the token's, else the API key's, else the signing
// key's. It is where the name comes from (an issuer's name, which holds
// neither bar nor underscore, or the kind of key), a bar, and the name there;
// so no two origins share a principal.
func (c Caller) principal() string {
	switch {
	case c.Token != nil:
		return c.Token.Issuer + "|" + c.Token.Principal
	case c.APIKey != nil:
		return "api_key|" + c.APIKey.Principal
	case c.Signature != nil:
		return "signing_key|" + c.Signature.Key.Principal
	}
	return anonymous
}

// subject is the principal as its own origin knows it.
func (c Caller) subject() string {
	switch {
	case c.Token != nil:
		return c.Token.Subject
	case c.APIKey != nil:
		return c.APIKey.Principal
	case c.Signature != nil:
		return c.Signature.Key.Principal
	}
	return ""
}

// scopes are those of the credential that names the principal. A backend acts
// for the principal: another credential's scopes are not the principal's.
func (c Caller) scopes() []string {
	switch {
	case c.Token != nil:
		return c.Token.Scopes
	case c.APIKey != nil:
		return c.APIKey.Scopes
	case c.Signature != nil:
		return c.Signature.Key.Scopes
	}
	return nil
}

// keyID is the kid of the token, else the id of the key.
func (c Caller) keyID() string {
	switch {
	case c.Token != nil:
		return c.Token.KeyID
	case c.APIKey != nil:
		return c.APIKey.ID
	case c.Signature != nil:
		return c.Signature.Key.ID
	}
	return ""
}

// methods are the kinds of credential presented, joined by +.
func (c Caller) methods() string {
	var kinds []string
	if c.Token != nil {
		kinds = append(kinds, "jwt")
	}
	if c.APIKey != nil {
		kinds = append(kinds, "api_key")
	}
	if c.Signature != nil {
		kinds = append(kinds, "signature")
	}
	return strings.Join(kinds, "+")
}

// expires is when the first of the credentials ends; zero is never.
func (c Caller) expires() time.Time {
	var first time.Time
	earlier := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if c.Token != nil {
		earlier(c.Token.Expires)
	}
	if c.APIKey != nil {
		earlier(c.APIKey.Until)
	}
	if c.Signature != nil {
		earlier(c.Signature.Until)
	}
	return first
}

// networks are the allow-lists that the caller's keys are bound to: the
// address must be in one of each key's.
func (c Caller) networks() [][]string {
	var out [][]string
	if c.APIKey != nil && len(c.APIKey.Networks) > 0 {
		out = append(out, c.APIKey.Networks)
	}
	if c.Signature != nil && len(c.Signature.Key.Networks) > 0 {
		out = append(out, c.Signature.Key.Networks)
	}
	return out
}

// grants puts the caller in the route table's words.
func (c Caller) grants() policy.Caller {
	var out policy.Caller
	if t := c.Token; t != nil {
		out.JWT = &policy.JWT{Issuer: t.Issuer, Scopes: t.Scopes, Claims: t.Claims}
	}
	if k := c.APIKey; k != nil {
		out.APIKey = &policy.Key{Scopes: k.Scopes}
	}
	if s := c.Signature; s != nil {
		out.Signature = &policy.Key{Scopes: s.Key.Scopes}
	}
	return out
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
	if k := c.APIKey; k != nil {
		out = append(out, revocation.Credential{Kind: revocation.KindAPIKey, ID: k.ID})
	}
	if s := c.Signature; s != nil {
		out = append(out, revocation.Credential{Kind: revocation.KindSigningKey, ID: s.Key.ID})
	}
	return out
}

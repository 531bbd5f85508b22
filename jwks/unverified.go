package jwks

import (
	"fmt"
	"strings"
	"time"

	"lambda-authorizer/reason"
)

// Claimed is what a token says of itself. Nobody has vouched for any of it.
type Claimed struct {
	// Issuer is iss as the token spells it, which may be an alias.
	Issuer string
	// Subject, ClientID, ID, SessionID and KeyID are sub, the client, jti, sid
	// and the header's kid; empty where the token has none. Verify knows the
	// key id of a token without kid, this cannot.
	Subject, ClientID, ID, SessionID, KeyID string
	// SigningInputSHA256 is the lower-case hex SHA-256 of the signing input.
	SigningInputSHA256 string
	// IssuedAt is iat, zero where the token has none. Expires is exp.
	IssuedAt, Expires time.Time
}

// Unverified reads a token by the same rules as Verify and checks neither its
// signature nor whether anybody would accept it: it is for whoever revokes a
// token that was found somewhere, and must find it under the names that Verify
// will. The signature may be missing. Never decide by the result who may do
// what.
//
// A token that it refuses is one that Verify refuses, too. The error quotes
// nothing of the token.
func Unverified(raw string) (*Claimed, error) {
	if strings.Count(raw, ".") == 1 {
		raw += "." // the signature was cut off
	}
	c, err := newCompact(raw)
	if err != nil {
		return nil, err
	}
	defer c.release()
	if err := c.split(); err != nil {
		return nil, err
	}
	data, err := c.decodeHeader()
	if err != nil {
		return nil, err
	}
	members, err := c.dec.object(data)
	if err != nil {
		return nil, fmt.Errorf("%w: header: %v", reason.CredentialMalformed, err)
	}
	h, err := readHeader(members)
	if err != nil {
		return nil, fmt.Errorf("%w: header: %v", reason.CredentialMalformed, err)
	}
	claims, err := c.dec.object(c.claims)
	if err != nil {
		return nil, fmt.Errorf("%w: claims: %v", reason.CredentialMalformed, err)
	}
	said, err := claimedBy(claims)
	if err != nil {
		return nil, err
	}
	said.KeyID, said.SigningInputSHA256 = h.kid, hexSHA256(c.input)
	return said, nil
}

// claimedBy takes what Verify would take, in the same way.
func claimedBy(claims map[string]any) (*Claimed, error) {
	iss, present, err := member(claims, "iss")
	if err != nil {
		return nil, fmt.Errorf("%w: claims: %v", reason.CredentialMalformed, err)
	}
	if !present {
		return nil, fmt.Errorf("%w: no iss", reason.IssuerUnknown)
	}
	var t Token
	if err := t.readTimes(claims); err != nil {
		return nil, err
	}
	if err := t.readNames(claims); err != nil {
		return nil, fmt.Errorf("%w: %v", reason.CredentialMalformed, err)
	}
	var anybody issuer // of no client in particular
	if err := anybody.acceptClient(&t, claims); err != nil {
		return nil, err
	}
	return &Claimed{
		Issuer: iss, Subject: t.Subject, ClientID: t.ClientID, ID: t.ID, SessionID: t.SessionID,
		IssuedAt: t.IssuedAt, Expires: t.Expires,
	}, nil
}

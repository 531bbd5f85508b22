// Package reason names every refusal and fault the service can give.
//
// The codes are a contract: they are the same in the log, the metrics, the
// authorizer context and authctl explain. A code is an error, so a check
// returns one directly or wrapped with what it saw:
//
//	return nil, fmt.Errorf("%w: exp was %v ago", reason.TokenExpired, age)
//
// The wrapping text reaches the log; it must never hold a token, a key, a
// secret or a signature.
package reason

import (
	"context"
	"errors"
)

// Code is a stable reason. The zero Code is no reason at all and never an
// answer.
type Code string

// Error returns the code itself.
func (c Code) Error() string { return string(c) }

// The caller is not authenticated: 401.
const (
	CredentialMissing   Code = "credential_missing"
	CredentialAmbiguous Code = "credential_ambiguous"
	CredentialMalformed Code = "credential_malformed"
	IssuerUnknown       Code = "issuer_unknown"
	KeyUnknown          Code = "key_unknown"
	AlgorithmForbidden  Code = "algorithm_forbidden"
	SignatureInvalid    Code = "signature_invalid"
	TokenExpired        Code = "token_expired"
	TokenNotYetValid    Code = "token_not_yet_valid"
	TokenTooOld         Code = "token_too_old"
	AudienceMismatch    Code = "audience_mismatch"
	ClientMismatch      Code = "client_mismatch"
	TypeForbidden       Code = "type_forbidden"
	TokenUseMismatch    Code = "token_use_mismatch"
	ClaimMissing        Code = "claim_missing"
	SenderConstrained   Code = "sender_constrained"
	Revoked             Code = "revoked"
	APIKeyUnknown       Code = "api_key_unknown"
	APIKeyExpired       Code = "api_key_expired"
	APIKeyNotYetValid   Code = "api_key_not_yet_valid"
	APIKeyDisabled      Code = "api_key_disabled"
	SigningKeyUnknown   Code = "signing_key_unknown"
	SigningKeyExpired   Code = "signing_key_expired"
	SigningKeyDisabled  Code = "signing_key_disabled"
	SignatureExpired    Code = "signature_expired"
	SignatureIncomplete Code = "signature_incomplete"
	SignatureReplayed   Code = "signature_replayed"
	NonceMissing        Code = "nonce_missing"
	DigestMissing       Code = "digest_missing"
)

// The caller is known and may not do this: 403.
const (
	APIUnknown                Code = "api_unknown"
	AddressDenied             Code = "address_denied"
	AddressNotAllowed         Code = "address_not_allowed"
	RouteUnknown              Code = "route_unknown"
	CredentialKindNotAccepted Code = "credential_kind_not_accepted"
	ScopeInsufficient         Code = "scope_insufficient"
	ClaimsInsufficient        Code = "claims_insufficient"
)

// Something the decision depends on failed, or the answer would be unsafe: 500.
const (
	JWKSUnavailable       Code = "jwks_unavailable"
	RevocationUnavailable Code = "revocation_unavailable"
	SecretsUnavailable    Code = "secrets_unavailable"
	NoncesUnavailable     Code = "nonces_unavailable"
	NetworksUnavailable   Code = "networks_unavailable"
	DeadlineExceeded      Code = "deadline_exceeded"
	EventUnsupported      Code = "event_unsupported"
	CacheUnsafe           Code = "cache_unsafe"
	PolicyInexact         Code = "policy_inexact"
	PolicyTooLarge        Code = "policy_too_large"
	Internal              Code = "internal"
)

// status holds every code with the HTTP status API Gateway answers for it.
var status = map[Code]int{
	CredentialMissing: 401, CredentialAmbiguous: 401, CredentialMalformed: 401,
	IssuerUnknown: 401, KeyUnknown: 401, AlgorithmForbidden: 401, SignatureInvalid: 401,
	TokenExpired: 401, TokenNotYetValid: 401, TokenTooOld: 401, AudienceMismatch: 401,
	ClientMismatch: 401, TypeForbidden: 401, TokenUseMismatch: 401, ClaimMissing: 401,
	SenderConstrained: 401, Revoked: 401, APIKeyUnknown: 401, APIKeyExpired: 401,
	APIKeyNotYetValid: 401, APIKeyDisabled: 401, SigningKeyUnknown: 401, SigningKeyExpired: 401,
	SigningKeyDisabled: 401, SignatureExpired: 401, SignatureIncomplete: 401,
	SignatureReplayed: 401, NonceMissing: 401, DigestMissing: 401,

	APIUnknown: 403, AddressDenied: 403, AddressNotAllowed: 403, RouteUnknown: 403,
	CredentialKindNotAccepted: 403, ScopeInsufficient: 403, ClaimsInsufficient: 403,

	JWKSUnavailable: 500, RevocationUnavailable: 500, SecretsUnavailable: 500,
	NoncesUnavailable: 500, NetworksUnavailable: 500, DeadlineExceeded: 500,
	EventUnsupported: 500, CacheUnsafe: 500, PolicyInexact: 500, PolicyTooLarge: 500,
	Internal: 500,
}

// Status returns the HTTP status API Gateway answers for c: 401, 403 or 500.
// A code this package does not know is a fault, so nothing fails open.
func (c Code) Status() int {
	if s, ok := status[c]; ok {
		return s
	}
	return 500
}

// Of returns the code that err carries. Whatever carries none is a fault:
// DeadlineExceeded where the deadline ran out, else Internal. It must not be
// asked about a nil error; it answers Internal.
func Of(err error) Code {
	var c Code
	switch {
	case errors.As(err, &c):
		return c
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return DeadlineExceeded
	}
	return Internal
}

// Dependency tells a fault that comes from something outside the function.
func (c Code) Dependency() bool {
	switch c {
	case JWKSUnavailable, RevocationUnavailable, SecretsUnavailable, NoncesUnavailable,
		NetworksUnavailable, DeadlineExceeded:
		return true
	}
	return false
}

// All returns every code, in no order.
func All() []Code {
	all := make([]Code, 0, len(status))
	for c := range status {
		all = append(all, c)
	}
	return all
}

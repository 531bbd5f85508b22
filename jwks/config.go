// Package jwks verifies JSON Web Tokens against their issuers' key sets.
// It does not know about revocation or routes.
package jwks

import (
	"time"

	"lambda-authorizer/problem"
)

// Issuer is one entry of the section issuers: who may sign bearer tokens.
type Issuer struct {
	// Issuer is compared with the token's iss byte for byte; # is refused.
	Issuer string `yaml:"issuer"`
	// Aliases are other spellings of iss that the same issuer uses.
	Aliases []string `yaml:"aliases"`
	// Name, [a-z0-9-]{1,32}, stands in routes, principals and logs.
	Name string `yaml:"name"`
	// JWKSURI is where the keys are. Default: discovered at
	// <issuer>/.well-known/openid-configuration.
	JWKSURI string `yaml:"jwks_uri"`
	// JWKSFile holds static keys instead, relative to the configuration file.
	JWKSFile string `yaml:"jwks_file"`
	// HMACSecret names a Secrets Manager secret with HS256 keys instead.
	HMACSecret string `yaml:"hmac_secret"`
	// Audiences: aud must hold one. Required unless ClientIDs is set.
	Audiences []string `yaml:"audiences"`
	// ClientIDs: the token's client must be one.
	ClientIDs []string `yaml:"client_ids"`
	// Algorithms default to RS256, PS256, ES256, EdDSA; with HMACSecret to
	// HS256 and nothing else.
	Algorithms []string `yaml:"algorithms"`
	// TokenTypes are the accepted typ values, case-insensitive, without
	// application/. Default: absent, JWT, at+jwt.
	TokenTypes []string `yaml:"token_types"`
	// TokenUse is Cognito's claim token_use. Empty: not checked.
	TokenUse string `yaml:"token_use"`
	// Leeway is the clock skew for exp, nbf and iat. Default 30s, at most 5m.
	Leeway time.Duration `yaml:"leeway"`
	// MaxTokenAge bounds now - iat; a token without iat is then refused.
	// Zero: not checked.
	MaxTokenAge time.Duration `yaml:"max_token_age"`
	// PrincipalClaim names the principal. Default sub.
	PrincipalClaim string `yaml:"principal_claim"`
	// ScopeClaims: the first one present counts. Default scope, scp.
	ScopeClaims []string `yaml:"scope_claims"`
}

// Validate reports what is wrong with one issuer, after defaults.
func (i Issuer) Validate() []problem.Problem {
	return nil
}

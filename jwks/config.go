package jwks

import "time"

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
	// application/. An empty entry stands for a token without typ.
	// Default: absent, JWT, at+jwt.
	TokenTypes []string `yaml:"token_types"`
	// TokenUse is Cognito's claim token_use. Empty: not checked.
	TokenUse string `yaml:"token_use"`
	// Leeway is the clock skew for exp, nbf and iat: 0 to 5m. Nil, which is
	// not the same as 0s, stands for the default, 30s.
	Leeway *time.Duration `yaml:"leeway"`
	// MaxTokenAge bounds now - iat; a token without iat is then refused.
	// Zero: not checked.
	MaxTokenAge time.Duration `yaml:"max_token_age"`
	// PrincipalClaim names the principal. Default sub.
	PrincipalClaim string `yaml:"principal_claim"`
	// ScopeClaims: the first one present counts. Default scope, scp.
	ScopeClaims []string `yaml:"scope_claims"`
}

// SetDefaults fills what the configuration left out. A list that is there but
// empty is left alone, for Validate to refuse.
func (i *Issuer) SetDefaults() {
	if i.Algorithms == nil {
		i.Algorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}
		if i.HMACSecret != "" {
			i.Algorithms = []string{"HS256"}
		}
	}
	if i.TokenTypes == nil {
		i.TokenTypes = []string{"", "JWT", "at+jwt"}
	}
	if i.Leeway == nil {
		i.Leeway = new(defaultLeeway)
	}
	if i.PrincipalClaim == "" {
		i.PrincipalClaim = "sub"
	}
	if i.ScopeClaims == nil {
		i.ScopeClaims = []string{"scope", "scp"}
	}
}

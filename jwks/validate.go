package jwks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"lambda-authorizer/problem"
)

const (
	defaultLeeway = 30 * time.Second
	maxLeeway     = 5 * time.Minute
	maxNameLength = 32
)

var namePattern = regexp.MustCompile(`^[a-z0-9-]+$`)

// Validate reports what is wrong with one issuer, after defaults. Paths are
// relative to the issuer.
func (i Issuer) Validate() []problem.Problem {
	var out []problem.Problem
	out = append(out, i.validateNames()...)
	out = append(out, i.validateKeys()...)
	out = append(out, i.validateAlgorithms()...)
	out = append(out, i.validateAudience()...)
	return append(out, i.validateClaims()...)
}

// ValidateIssuers reports what is wrong with the whole section: every issuer
// by itself (Validate) and all of them together. Paths are relative to the
// section, as in "[1].name".
func ValidateIssuers(issuers []Issuer) []problem.Problem {
	var out []problem.Problem
	names, spellings := map[string]int{}, map[string]int{}
	for n, i := range issuers {
		at := fmt.Sprintf("[%d]", n)
		out = append(out, problem.Under(at, i.Validate())...)
		if first, taken := names[i.Name]; taken && i.Name != "" {
			out = append(out, problem.At(at+".name", "%s is also the name of issuers[%d]: names must differ", i.Name, first))
		}
		names[i.Name] = n
		for a, iss := range append([]string{i.Issuer}, i.Aliases...) {
			path := at + ".issuer"
			if a > 0 {
				path = fmt.Sprintf("%s.aliases[%d]", at, a-1)
			}
			if first, taken := spellings[iss]; taken && iss != "" {
				out = append(out, problem.At(path, "%s already selects issuers[%d]: an iss must select one issuer", iss, first))
				continue
			}
			spellings[iss] = n
		}
	}
	return out
}

// ValidateFiles reports every jwks_file that cannot be read from dir or holds
// no usable key. Paths are relative to the section.
func ValidateFiles(issuers []Issuer, dir string) []problem.Problem {
	var out []problem.Problem
	for n, i := range issuers {
		if i.JWKSFile == "" {
			continue
		}
		if _, err := readStatic(dir, i.JWKSFile); err != nil {
			out = append(out, problem.At(fmt.Sprintf("[%d].jwks_file", n), "%v", err))
		}
	}
	return out
}

func (i Issuer) validateNames() []problem.Problem {
	var out []problem.Problem
	switch {
	case i.Issuer == "":
		out = append(out, problem.At("issuer", "is missing: the iss of the tokens"))
	case strings.Contains(i.Issuer, "#"):
		out = append(out, problem.At("issuer", "holds #, which separates the parts of a revocation"))
	case !printable(i.Issuer):
		out = append(out, problem.At("issuer", "holds a blank or a control character"))
	}
	for n, a := range i.Aliases {
		if a == "" || !printable(a) {
			out = append(out, problem.At(fmt.Sprintf("aliases[%d]", n), "is empty or holds a blank or a control character"))
		}
	}
	switch {
	case i.Name == "":
		out = append(out, problem.At("name", "is missing: routes, principals and logs need it"))
	case len(i.Name) > maxNameLength || !namePattern.MatchString(i.Name):
		out = append(out, problem.At("name", "must be 1 to %d characters of a-z, 0-9 and -", maxNameLength))
	}
	return out
}

// validateKeys: exactly one place where the keys come from.
func (i Issuer) validateKeys() []problem.Problem {
	var given []string
	for _, k := range []struct{ name, value string }{
		{"jwks_uri", i.JWKSURI}, {"jwks_file", i.JWKSFile}, {"hmac_secret", i.HMACSecret},
	} {
		if k.value != "" {
			given = append(given, k.name)
		}
	}
	switch {
	case len(given) > 1:
		return []problem.Problem{problem.At(given[1], "stands beside %s: an issuer's keys come from one place", given[0])}
	case i.JWKSURI != "":
		if _, err := checkURL(i.JWKSURI); err != nil {
			return []problem.Problem{problem.At("jwks_uri", "is %v", err)}
		}
	case len(given) == 0 && i.Issuer != "" && !strings.Contains(i.Issuer, "#"):
		if u, err := checkURL(i.Issuer); err != nil {
			return []problem.Problem{problem.At("issuer", "is %v, so its keys cannot be discovered: set jwks_uri, jwks_file or hmac_secret", err)}
		} else if u.RawQuery != "" || u.ForceQuery {
			return []problem.Problem{problem.At("issuer", "has a query, so its keys cannot be discovered: set jwks_uri")}
		}
	}
	return nil
}

func (i Issuer) validateAlgorithms() []problem.Problem {
	if len(i.Algorithms) == 0 {
		return []problem.Problem{problem.At("algorithms", "is empty: no token could pass; leave it out for the default")}
	}
	var out []problem.Problem
	for n, alg := range i.Algorithms {
		at := fmt.Sprintf("algorithms[%d]", n)
		known, ok := algorithms[alg]
		switch {
		case strings.EqualFold(alg, "none"):
			out = append(out, problem.At(at, "none means unsigned tokens and can never be listed"))
		case slices.Contains([]string{"HS384", "HS512"}, alg):
			out = append(out, problem.At(at, "%s is not supported: HS256 is, with hmac_secret", alg))
		case !ok:
			out = append(out, problem.At(at, "%q is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256", alg))
		case i.HMACSecret == "" && known.kty == "oct":
			out = append(out, problem.At(at, "%s needs hmac_secret: with public keys anyone could sign", alg))
		case i.HMACSecret != "" && known.kty != "oct":
			out = append(out, problem.At(at, "%s cannot be used with hmac_secret, which takes HS256 and nothing else", alg))
		case slices.Contains(i.Algorithms[:n], alg):
			out = append(out, problem.At(at, "%s is listed twice", alg))
		}
	}
	return out
}

func (i Issuer) validateAudience() []problem.Problem {
	var out []problem.Problem
	if i.Audiences == nil && i.ClientIDs == nil {
		out = append(out, problem.At("audiences", "is missing: without it, or client_ids, tokens for anyone else would pass"))
	}
	out = append(out, entries("audiences", i.Audiences, true)...)
	return append(out, entries("client_ids", i.ClientIDs, true)...)
}

func (i Issuer) validateClaims() []problem.Problem {
	out := entries("token_types", i.TokenTypes, false)
	out = append(out, entries("scope_claims", i.ScopeClaims, true)...)
	if i.PrincipalClaim == "" || !printable(i.PrincipalClaim) {
		out = append(out, problem.At("principal_claim", "is empty or holds a blank or a control character"))
	}
	if i.Leeway != nil && (*i.Leeway < 0 || *i.Leeway > maxLeeway) {
		out = append(out, problem.At("leeway", "is %s, must be 0s to %s", *i.Leeway, maxLeeway))
	}
	if i.MaxTokenAge < 0 {
		out = append(out, problem.At("max_token_age", "is %s, must not be negative", i.MaxTokenAge))
	}
	return out
}

// entries reports a list that is there but empty, and entries that are empty
// or written twice.
func entries(name string, list []string, filled bool) []problem.Problem {
	if list == nil {
		return nil
	}
	if len(list) == 0 {
		return []problem.Problem{problem.At(name, "is an empty list: fill it or leave it out")}
	}
	var out []problem.Problem
	for n, s := range list {
		at := fmt.Sprintf("%s[%d]", name, n)
		switch {
		case s == "" && filled:
			out = append(out, problem.At(at, "is empty"))
		case slices.Contains(list[:n], s):
			out = append(out, problem.At(at, "%q is listed twice", s))
		}
	}
	return out
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar })
}

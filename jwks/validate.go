package jwks

import (
	"time"

	"lambda-authorizer/problem"
)

const (
	defaultLeeway = 30 * time.Second
	maxLeeway     = 5 * time.Minute
)

// Validate reports what is wrong with one issuer, after defaults. Paths are
// relative to the issuer.
func (i Issuer) Validate() []problem.Problem {
	return nil
}

// ValidateIssuers reports what is wrong with the whole section: every issuer
// by itself (Validate) and all of them together. Paths are relative to the
// section, as in "[1].name".
func ValidateIssuers(issuers []Issuer) []problem.Problem {
	return nil
}

// ValidateFiles reports every jwks_file that cannot be read from dir or holds
// no usable key. Paths are relative to the section.
func ValidateFiles(issuers []Issuer, dir string) []problem.Problem {
	return nil
}

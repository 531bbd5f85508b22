package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lambda-authorizer/jwks"
)

// issuer is whose tokens an entry is about.
type issuer struct {
	url        string       // what stands in the table: never an alias
	configured *jwks.Issuer // nil where the configuration does not have it
}

// String names the issuer for people.
func (i issuer) String() string {
	if i.configured == nil {
		return clean(i.url)
	}
	return fmt.Sprintf("%s (%s)", i.configured.Name, clean(i.url))
}

// maxLeeway is the most that a configuration may say (package jwks).
const maxLeeway = 5 * time.Minute

// leeway is how far the issuer's clock may be ahead of ours. Where nobody says
// it is the most possible.
func (i issuer) leeway() time.Duration {
	if i.configured == nil {
		return maxLeeway
	}
	return *i.configured.Leeway
}

// flags are the arguments that name the issuer again.
func (i issuer) flags() string {
	switch {
	case i.url == "":
		return ""
	case i.configured == nil:
		return " --issuer-url " + quote(i.url)
	}
	return " --issuer " + i.configured.Name
}

// issuer resolves what the command line says of the issuer, and iss where a
// whole token was given. An alias is written under the issuer it stands for:
// nobody looks it up under the alias.
func (s *settings) issuer(f selection, iss string) (issuer, error) {
	ofToken, known := s.byURL(iss)
	switch {
	case f.issuer != "":
		chosen, ok := s.byName(f.issuer)
		if !ok {
			return issuer{}, usage("no issuer is configured as %s: %s", clean(f.issuer), s.known())
		}
		if iss != "" && ofToken.url != chosen.url {
			return issuer{}, usage("the token is of issuer %s, not of %s: leave --issuer out", ofToken, chosen)
		}
		return chosen, nil
	case f.issuerURL != "":
		chosen, _ := s.byURL(f.issuerURL)
		if known && ofToken.url != chosen.url {
			return issuer{}, usage("the token is of issuer %s, not of %s: leave --issuer-url out", ofToken, chosen)
		}
		return chosen, nil
	case known:
		return ofToken, nil
	case iss != "":
		return issuer{}, usage("the token's issuer %s is not configured: %s; to revoke it all the same, give --issuer-url", clean(iss), s.known())
	}
	if all := s.issuers(); len(all) == 1 {
		return issuer{all[0].Issuer, &all[0]}, nil
	}
	return issuer{}, usage("which issuer? %s", s.known())
}

func (s *settings) issuers() []jwks.Issuer {
	if s.cfg == nil {
		return nil
	}
	return s.cfg.Issuers
}

// byURL finds an issuer by any spelling of iss. One that is not configured
// stands for itself.
func (s *settings) byURL(iss string) (issuer, bool) {
	all := s.issuers()
	for n := range all {
		if all[n].Issuer == iss || slices.Contains(all[n].Aliases, iss) {
			return issuer{all[n].Issuer, &all[n]}, true
		}
	}
	return issuer{url: iss}, false
}

// byName finds an issuer by its name, or by a spelling of iss.
func (s *settings) byName(name string) (issuer, bool) {
	all := s.issuers()
	for n := range all {
		if all[n].Name == name {
			return issuer{all[n].Issuer, &all[n]}, true
		}
	}
	return s.byURL(name)
}

// known lists the configured issuers, as the next step of a message.
func (s *settings) known() string {
	var names []string
	for _, i := range s.issuers() {
		names = append(names, fmt.Sprintf("%s (%s)", i.Name, clean(i.Issuer)))
	}
	if names == nil {
		return "without a configuration give --issuer-url"
	}
	return "give --issuer with one of " + strings.Join(names, ", ")
}

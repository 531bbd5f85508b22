package jwks

import (
	"fmt"
	"strings"

	"lambda-authorizer/reason"
)

// header is what of a JOSE header decides anything. jwk, jku, x5u, x5c and
// x5t are not among it: a token does not say which key to trust. Some issuers
// send them, so they are ignored rather than refused.
type header struct {
	alg, kid string
	typ      string // normalised
	hasTyp   bool
}

// headerOf returns the header of c. A header that was verified before is not
// decoded again: an issuer has few, and they are always spelled the same.
func (v *Verifier) headerOf(c *compact) (header, error) {
	if h, ok := v.headers.Get(c.headerText); ok {
		return h, nil
	}
	data, err := c.decodeHeader()
	if err != nil {
		return header{}, err
	}
	members, err := c.dec.object(data)
	if err != nil {
		return header{}, fmt.Errorf("%w: header: %v", reason.CredentialMalformed, err)
	}
	h, err := readHeader(members)
	if err != nil {
		return header{}, fmt.Errorf("%w: header: %v", reason.CredentialMalformed, err)
	}
	return h, nil
}

// readHeader refuses whatever would change how the rest must be read: we
// understand no critical extension (RFC 7515 section 4.1.11), no unencoded
// payload (RFC 7797, which RFC 7519 forbids for JWTs), no JWT in a JWT, no
// encryption.
func readHeader(m map[string]any) (h header, err error) {
	if _, ok := m["crit"]; ok {
		return h, fmt.Errorf("crit lists extensions, none is understood here")
	}
	if b64, ok := m["b64"]; ok && b64 != true {
		return h, fmt.Errorf("b64 is not true")
	}
	if _, ok := m["enc"]; ok {
		return h, fmt.Errorf("enc: encrypted tokens are not accepted")
	}
	if cty, ok, err := member(m, "cty"); err != nil {
		return h, err
	} else if ok && mediaType(cty) == "jwt" {
		return h, fmt.Errorf("cty: nested tokens are not accepted")
	}
	var ok bool
	if h.alg, ok, err = member(m, "alg"); err != nil {
		return h, err
	} else if !ok || h.alg == "" {
		return h, fmt.Errorf("alg is missing")
	}
	if h.kid, ok, err = member(m, "kid"); err != nil {
		return h, err
	} else if ok && h.kid == "" {
		return h, fmt.Errorf("kid is empty")
	}
	if h.typ, h.hasTyp, err = member(m, "typ"); err != nil {
		return h, err
	}
	h.typ = mediaType(h.typ)
	return h, nil
}

// member returns the string that m holds under name. Anything but a string
// is an error.
func member(m map[string]any, name string) (s string, present bool, err error) {
	v, present := m[name]
	if !present {
		return "", false, nil
	}
	s, ok := v.(string)
	if !ok {
		return "", true, fmt.Errorf("%s is not a string", name)
	}
	return s, true, nil
}

// mediaType normalises a typ or cty value: case does not matter, and
// application/ may be left out where no other slash follows (RFC 7515 section
// 4.1.9).
func mediaType(s string) string {
	s = strings.ToLower(s)
	if rest, ok := strings.CutPrefix(s, "application/"); ok && !strings.Contains(rest, "/") {
		return rest
	}
	return s
}

// clip quotes text that an unverified token brought, bounded, for the detail
// of a denial.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q…", s[:most])
}

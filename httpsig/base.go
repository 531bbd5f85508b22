package httpsig

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/dunglas/httpsfv"
)

// signatureBase is what the MAC is made of (RFC 9421 section 2.5): a line per
// covered component, then the parameters of the signature.
func signatureBase(v *view, components []component, input httpsfv.InnerList, authority string) (string, error) {
	var b strings.Builder
	for _, c := range components {
		value, err := v.value(c, authority)
		if err != nil {
			return "", err
		}
		if !printable(value) {
			// A line break would let one component speak for another.
			return "", fmt.Errorf("the value of %s is not printable ASCII", c.name)
		}
		b.WriteString(c.id)
		b.WriteString(": ")
		b.WriteString(value)
		b.WriteByte('\n')
	}
	params, err := httpsfv.Marshal(httpsfv.List{input})
	if err != nil {
		return "", fmt.Errorf("write the parameters of the signature: %w", err)
	}
	b.WriteString(`"@signature-params": `)
	b.WriteString(params)
	return b.String(), nil
}

// printable is ASCII without control characters but the tab.
func printable(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' && c != '\t') || c > '~' {
			return false
		}
	}
	return true
}

func mac(secret []byte, base string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(base))
	return h.Sum(nil)
}

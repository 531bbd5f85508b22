package authorizer

import (
	"encoding/base64"
	"math"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"

	"lambda-authorizer/config"
	"lambda-authorizer/jwks"
)

// maxContextValue is the longest string handed to the backend, in bytes.
const maxContextValue = 1024

// anonymous is the principal where nobody is authenticated.
const anonymous = "anonymous"

// principal names the caller by the credentials presented alone: the issuer's
// name or the kind of key, a bar, and the name inside of that. Issuer names
// hold no bar, so no two origins share a principal.
func (c Caller) principal() string {
	if c.Token != nil {
		return c.Token.Issuer + "|" + c.Token.Principal
	}
	return anonymous
}

// context is what the backend is told about the caller. It depends on the
// caller alone, because with caching it travels with answers to other routes.
func (c Caller) context(claims []string) map[string]any {
	out := map[string]any{}
	t := c.Token
	if t == nil {
		return out
	}
	put(out, "principal", c.principal())
	put(out, "subject", t.Subject)
	put(out, "auth_method", "jwt")
	put(out, "issuer", t.Issuer)
	put(out, "client_id", t.ClientID)
	put(out, "token_id", t.ID)
	put(out, "scope", strings.Join(t.Scopes, " "))
	put(out, "expires_at", float64(t.Expires.Unix()))
	put(out, "key_id", t.KeyID)
	putClaims(out, t, claims)
	return out
}

func putClaims(out map[string]any, t *jwks.Token, names []string) {
	for _, name := range names {
		value, ok := t.Claims[name]
		if !ok {
			continue
		}
		key := config.ContextKey(name)
		switch value.(type) {
		case []any, map[string]any:
			// JSON text as a value breaks HTTP APIs on cache hits.
			text, err := json.Marshal(value, json.Deterministic(true))
			if err == nil {
				put(out, key+"_json", base64.RawURLEncoding.EncodeToString(text))
			}
		default:
			put(out, key, value)
		}
	}
}

// put leaves out what a backend cannot be handed safely: empty values, long
// ones, control characters, and integers that a float64 does not hold exactly.
func put(out map[string]any, key string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" || len(v) > maxContextValue || strings.IndexFunc(v, unicode.IsControl) >= 0 {
			return
		}
	case float64:
		if math.Abs(v) > 1<<53 {
			return
		}
	case bool:
	default:
		return
	}
	out[key] = value
}

package authorizer

import (
	"encoding/base64"
	"math"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"

	"lambda-authorizer/config"
)

// maxContextValue is the longest string handed to the backend, in bytes.
const maxContextValue = 1024

// context is what the backend is told about the caller. It depends on the
// caller alone, because with caching it travels with answers to other routes.
func (c Caller) context(claims []string) map[string]any {
	out := map[string]any{}
	if c == (Caller{}) {
		return out
	}
	put(out, "principal", c.principal())
	put(out, "subject", c.subject())
	put(out, "auth_method", c.methods())
	put(out, "scope", strings.Join(c.scopes(), " "))
	put(out, "key_id", c.keyID())
	if ends := c.expires(); !ends.IsZero() {
		put(out, "expires_at", float64(ends.Unix()))
	}
	if t := c.Token; t != nil {
		put(out, "issuer", t.Issuer)
		put(out, "client_id", t.ClientID)
		put(out, "token_id", t.ID)
		for _, name := range claims {
			putNamed(out, name, t.Claims[name])
		}
	}
	if s := c.Signature; s != nil {
		put(out, "content_digest", s.Digest)
	}
	c.putRecords(out)
	return out
}

// putRecords adds what the keys' records say. Their names are checked against
// claims and our own when a record is read; of two keys presented together,
// the one that comes first for the principal comes first here.
func (c Caller) putRecords(out map[string]any) {
	if c.APIKey != nil {
		for name, value := range c.APIKey.Context {
			putNamed(out, name, value)
		}
	}
	if c.Signature == nil {
		return
	}
	for name, value := range c.Signature.Key.Context {
		key := config.ContextKey(name)
		if out[key] == nil && out[key+"_json"] == nil {
			putNamed(out, name, value)
		}
	}
}

// putNamed adds a claim or a record's value under its name's context key.
// Arrays and objects go as base64url: JSON text as a value breaks HTTP APIs on
// cache hits.
func putNamed(out map[string]any, name string, value any) {
	key := config.ContextKey(name)
	switch value.(type) {
	case []any, map[string]any:
		if text, err := json.Marshal(value, json.Deterministic(true)); err == nil {
			put(out, key+"_json", base64.RawURLEncoding.EncodeToString(text))
		}
	default:
		put(out, key, value)
	}
}

// put leaves out what a backend cannot be handed safely: empty values, long
// ones, control characters, and integers that a float64 does not hold exactly.
func put(out map[string]any, key string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" || !tellable(v) {
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

// tellable tells whether a backend can be handed s.
func tellable(s string) bool {
	return len(s) <= maxContextValue && strings.IndexFunc(s, unicode.IsControl) < 0
}

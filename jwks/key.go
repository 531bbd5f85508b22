package jwks

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// RSA moduli under 2048 bits are broken or soon will be (RFC 7518 section
// 3.3); beyond 16384 bits one signature costs milliseconds.
const (
	minRSABits = 2048
	maxRSABits = 16384
)

// keyID names a key by all that decides what it may verify: material, kid and
// algorithms. The zero keyID is no key's.
type keyID [sha256.Size]byte

// key verifies signatures.
type key struct {
	kid        string
	algorithms []string
	raw        any // what the jwx primitive takes: *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey
	id         keyID
}

// verify reports whether signature is alg's over input.
func (k *key) verify(alg string, input, signature []byte) bool {
	return slices.Contains(k.algorithms, alg) && algorithms[alg].verifier.Verify(input, signature, k.raw) == nil
}

// jwkMember is a member of a key set, as far as it matters here. x5c and its
// like are not read: they would be one more way to say which key this is.
type jwkMember struct {
	Kty    string   `json:"kty"`
	Kid    string   `json:"kid"`
	Use    *string  `json:"use"`
	KeyOps []string `json:"key_ops"`
	Alg    *string  `json:"alg"`
	material
	private
}

// material is what makes up a public key (RFC 7518 section 6, RFC 8037
// section 2).
type material struct {
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
}

type private struct {
	D jsontext.Value `json:"d"`
	P jsontext.Value `json:"p"`
	Q jsontext.Value `json:"q"`
	K jsontext.Value `json:"k"`
}

// parseKey makes a key of one member of a set, or says why it is not used.
func parseKey(data jsontext.Value) (*key, error) {
	var m jwkMember
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, errors.New("not a strict JSON object with members of the right types")
	}
	k := &key{kid: m.Kid, algorithms: fitting(m.Kty, m.Crv)}
	switch {
	case m.Kty == "oct":
		return nil, errors.New("kty oct is a shared secret, not a public key")
	case len(k.algorithms) == 0:
		return nil, fmt.Errorf("kty %s, crv %s is not supported", clip(m.Kty), clip(m.Crv))
	case m.D != nil || m.P != nil || m.Q != nil || m.K != nil:
		return nil, errors.New("it holds a private key: whoever can read the set can sign")
	case m.Use != nil && *m.Use != "sig":
		return nil, fmt.Errorf("use is %s, not sig", clip(*m.Use))
	case m.KeyOps != nil && !slices.Contains(m.KeyOps, "verify"):
		return nil, errors.New("key_ops does not hold verify")
	case m.Alg != nil && !slices.Contains(k.algorithms, *m.Alg):
		return nil, fmt.Errorf("alg %s does not fit the key or is not supported", clip(*m.Alg))
	case m.Alg != nil:
		k.algorithms = []string{*m.Alg}
	}
	slices.Sort(k.algorithms)
	return k, k.take(m)
}

// take lets jwx build the raw key from the material alone, and checks what
// jwx does not.
func (k *key) take(m jwkMember) error {
	data, err := json.Marshal(struct {
		Kty string `json:"kty"`
		material
	}{m.Kty, m.material})
	if err != nil {
		return errors.New("it cannot be read")
	}
	parsed, err := jwk.ParseKey(data)
	if err != nil {
		return errors.New("it cannot be read: a member is missing or is not base64url")
	}
	if err := parsed.Raw(&k.raw); err != nil {
		return errors.New("it cannot be read: wrong type of key")
	}
	switch raw := k.raw.(type) {
	case *rsa.PublicKey:
		err = checkRSA(raw, parsed)
	case *ecdsa.PublicKey:
		// jwx looks whether the point is on the curve at every signature,
		// and never at the coordinates' size.
		if _, invalid := raw.ECDH(); invalid != nil {
			err = errors.New("x, y is not a point of the curve")
		}
	case ed25519.PublicKey:
		if len(raw) != ed25519.PublicKeySize { // ed25519.Verify panics
			err = fmt.Errorf("x has %d bytes instead of %d", len(raw), ed25519.PublicKeySize)
		}
	default:
		err = fmt.Errorf("%T is not supported", raw)
	}
	if err != nil {
		return err
	}
	return k.name()
}

func checkRSA(raw *rsa.PublicKey, parsed jwk.Key) error {
	if bits := raw.N.BitLen(); bits < minRSABits || bits > maxRSABits {
		return fmt.Errorf("RSA modulus of %d bits, accepted are %d to %d", bits, minRSABits, maxRSABits)
	}
	// jwx cuts a longer exponent to 64 bits: another key than was published.
	public, ok := parsed.(jwk.RSAPublicKey)
	if !ok || len(bytes.TrimLeft(public.E(), "\x00")) > 4 || raw.E < 3 || raw.E > 1<<31-1 || raw.E%2 == 0 || raw.N.Bit(0) == 0 {
		return errors.New("RSA exponent or modulus is not acceptable")
	}
	return nil
}

// name fills the id.
func (k *key) name() error {
	der, err := x509.MarshalPKIXPublicKey(k.raw)
	if err != nil {
		return errors.New("it cannot be encoded")
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q%q%x", k.kid, k.algorithms, der)
	k.id = keyID(h.Sum(nil))
	return nil
}

package jwks

import (
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// algorithm is a signature algorithm and the only kind of key it may meet.
// jwx's ES256 verifier takes a P-384 key too, so the pairing is ours.
type algorithm struct {
	kty, crv string
	verifier jws.Verifier
}

// algorithms are all that a configuration may list (RFC 7518 section 3.1,
// RFC 8037 section 3.1). "none" is not among them and never will be.
var algorithms = map[string]algorithm{
	"HS256": {"oct", "", primitive(jwa.HS256)},
	"RS256": {"RSA", "", primitive(jwa.RS256)},
	"RS384": {"RSA", "", primitive(jwa.RS384)},
	"RS512": {"RSA", "", primitive(jwa.RS512)},
	"PS256": {"RSA", "", primitive(jwa.PS256)},
	"PS384": {"RSA", "", primitive(jwa.PS384)},
	"PS512": {"RSA", "", primitive(jwa.PS512)},
	"ES256": {"EC", "P-256", primitive(jwa.ES256)},
	"ES384": {"EC", "P-384", primitive(jwa.ES384)},
	"ES512": {"EC", "P-521", primitive(jwa.ES512)},
	"EdDSA": {"OKP", "Ed25519", primitive(jwa.EdDSA)},
}

// primitive takes the verifier out of jwx once: jws.Verify would build one,
// and parse the token again, for every call.
func primitive(alg jwa.SignatureAlgorithm) jws.Verifier {
	v, err := jws.NewVerifier(alg)
	if err != nil {
		panic(err) // jwx registers every one of these at its own init
	}
	return v
}

// fitting lists the algorithms a key of this type and curve can verify.
func fitting(kty, crv string) []string {
	var out []string
	for name, a := range algorithms {
		if a.kty == kty && a.crv == crv {
			out = append(out, name)
		}
	}
	return out
}

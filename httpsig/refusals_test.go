package httpsig

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"lambda-authorizer/reason"
)

// Each case changes the good request of defaults in one respect and is signed
// with the right secret, so only that respect can be what is refused.
func TestSignatureIsRefusedWhen(t *testing.T) {
	t.Parallel()
	created := fmt.Sprintf(";created=%d", testNow.Unix())
	post := func(c *crafted, digest string) {
		c.method = "POST"
		c.components += ` "content-digest"`
		if digest != "" {
			c.header.Set("Content-Digest", digest)
		}
	}
	for _, c := range []struct {
		when string
		code reason.Code
		edit func(*crafted)
	}{
		{"a label occurs twice", reason.CredentialMalformed, func(c *crafted) {
			c.label = `sig=("@path");keyid="partner", sig`
		}},
		{"a signature parameter occurs twice", reason.CredentialMalformed, func(c *crafted) { c.params += `;keyid="partner"` }},
		{"a component parameter occurs twice", reason.CredentialMalformed, func(c *crafted) {
			c.components += ` "@query-param";name="x";name="limit"`
		}},
		{"created is written with a leading zero", reason.CredentialMalformed, func(c *crafted) {
			c.params = strings.Replace(c.params, "created=", "created=0", 1)
		}},
		{"created is a decimal", reason.CredentialMalformed, func(c *crafted) {
			c.params = strings.Replace(c.params, ";keyid", ".5;keyid", 1)
		}},
		{"created is a date", reason.CredentialMalformed, func(c *crafted) {
			c.params = strings.Replace(c.params, "created=", "created=@", 1)
		}},
		{"created has no value", reason.CredentialMalformed, func(c *crafted) { c.params = `;created;keyid="partner";nonce="n1"` }},
		{"expires is a string", reason.CredentialMalformed, func(c *crafted) { c.params += `;expires="1"` }},
		{"keyid is a token", reason.CredentialMalformed, func(c *crafted) { c.params = created + `;keyid=partner;nonce="n1"` }},
		{"nonce is a byte sequence", reason.CredentialMalformed, func(c *crafted) { c.params = created + `;keyid="partner";nonce=:AAAA:` }},
		{"nonce is too long", reason.CredentialMalformed, func(c *crafted) {
			c.params = created + `;keyid="partner";nonce="` + strings.Repeat("n", maxNonce+1) + `"`
		}},
		{"tag is a token", reason.CredentialMalformed, func(c *crafted) { c.params += `;tag=app` }},
		{"alg is a token", reason.CredentialMalformed, func(c *crafted) { c.params += `;alg=hmac-sha256` }},
		{"a signature parameter is unknown", reason.CredentialMalformed, func(c *crafted) { c.params += `;audience="x"` }},
		{"a signature parameter is a display string", reason.CredentialMalformed, func(c *crafted) { c.params += `;tag=%"x"` }},
		{"a component is covered twice", reason.CredentialMalformed, func(c *crafted) { c.components += ` "@path"` }},
		{"a query parameter is covered twice, spelled in two ways", reason.CredentialMalformed, func(c *crafted) {
			c.components += ` "@query-param";name="limit" "@query-param";name="%6cimit"`
		}},
		{"a component is a token", reason.CredentialMalformed, func(c *crafted) { c.components += ` date` }},
		{"a component is in upper case", reason.CredentialMalformed, func(c *crafted) { c.components += ` "Date"` }},
		{"a component has sf", reason.CredentialMalformed, func(c *crafted) { c.components += ` "date";sf` }},
		{"a component has bs", reason.CredentialMalformed, func(c *crafted) { c.components += ` "date";bs` }},
		{"a component has key", reason.CredentialMalformed, func(c *crafted) { c.components += ` "date";key="a"` }},
		{"a component has tr", reason.CredentialMalformed, func(c *crafted) { c.components += ` "date";tr` }},
		{"a component has req", reason.CredentialMalformed, func(c *crafted) { c.components += ` "@status";req` }},
		{"a required component has req", reason.CredentialMalformed, func(c *crafted) {
			c.components = `"@method";req "@authority" "@path" "@query"`
		}},
		{"@target-uri is covered", reason.CredentialMalformed, func(c *crafted) { c.components += ` "@target-uri"` }},
		{"@request-target is covered", reason.CredentialMalformed, func(c *crafted) { c.components += ` "@request-target"` }},
		{"@status is covered", reason.CredentialMalformed, func(c *crafted) { c.components += ` "@status"` }},
		{"@signature-params is covered", reason.CredentialMalformed, func(c *crafted) { c.components += ` "@signature-params"` }},
		{"@query-param has no name", reason.CredentialMalformed, func(c *crafted) { c.components += ` "@query-param"` }},
		{"@query-param has another parameter", reason.CredentialMalformed, func(c *crafted) {
			c.components += ` "@query-param";name="limit";req`
		}},
		{"the name of a @query-param is no string", reason.CredentialMalformed, func(c *crafted) { c.components += ` "@query-param";name=limit` }},
		{"the name of a @query-param has an invalid escape", reason.CredentialMalformed, func(c *crafted) {
			c.components += ` "@query-param";name="%zz"`
		}},
		{"another label is no inner list", reason.CredentialMalformed, func(c *crafted) { c.label = `other="x", sig` }},
		{"there is another signature of ours", reason.CredentialAmbiguous, func(c *crafted) {
			c.label = `other=("@path");keyid="partner";alg="hmac-sha256", sig`
		}},
		{"there is another signature that names no algorithm", reason.CredentialAmbiguous, func(c *crafted) {
			c.label = `other=("@path");keyid="partner", sig`
		}},
		{"it is made with another algorithm", reason.AlgorithmForbidden, func(c *crafted) { c.params += `;alg="hmac-sha512"` }},

		{"@method is not covered", reason.SignatureIncomplete, func(c *crafted) { c.components = `"@authority" "@path" "@query"` }},
		{"@authority is not covered", reason.SignatureIncomplete, func(c *crafted) { c.components = `"@method" "@path" "@query"` }},
		{"@path is not covered", reason.SignatureIncomplete, func(c *crafted) { c.components = `"@method" "@authority" "@query"` }},
		{"@query is not covered", reason.SignatureIncomplete, func(c *crafted) { c.components = `"@method" "@authority" "@path"` }},
		{"@query is not covered and there is none", reason.SignatureIncomplete, func(c *crafted) {
			c.query, c.components = "", `"@method" "@authority" "@path"`
		}},
		{"one of two query parameters is not covered", reason.SignatureIncomplete, func(c *crafted) {
			c.query, c.components = "limit=10&cursor=x", `"@method" "@authority" "@path" "@query-param";name="limit"`
		}},
		{"a query parameter covered by name occurs twice", reason.SignatureIncomplete, func(c *crafted) {
			c.query, c.components = "limit=10&limit=20", `"@method" "@authority" "@path" "@query-param";name="limit"`
		}},
		{"keyid is missing", reason.SignatureIncomplete, func(c *crafted) { c.params = created + `;nonce="n1"` }},
		{"keyid is empty", reason.SignatureIncomplete, func(c *crafted) { c.params = created + `;nonce="n1";keyid=""` }},
		{"created is missing", reason.SignatureIncomplete, func(c *crafted) { c.params = `;keyid="partner";nonce="n1"` }},
		{"nonce is missing", reason.NonceMissing, func(c *crafted) { c.params = created + `;keyid="partner"` }},
		{"nonce is empty", reason.NonceMissing, func(c *crafted) { c.params = created + `;keyid="partner";nonce=""` }},

		{"a POST covers no content-digest", reason.DigestMissing, func(c *crafted) { c.method = "POST" }},
		{"a DELETE covers no content-digest", reason.DigestMissing, func(c *crafted) { c.method = "DELETE" }},
		{"a method in lower case covers no content-digest", reason.DigestMissing, func(c *crafted) { c.method = "get" }},
		{"an unknown method covers no content-digest", reason.DigestMissing, func(c *crafted) { c.method = "PURGE" }},
		{"a POST covers a content-digest that is not there", reason.DigestMissing, func(c *crafted) { post(c, "") }},
		{"a POST covers an empty content-digest", reason.CredentialMalformed, func(c *crafted) { post(c, " ") }},
		{"a POST covers a digest of unfit algorithms", reason.DigestMissing, func(c *crafted) { post(c, "md5=:AAAAAAAAAAAAAAAAAAAAAA==:, unixsum=:AAA=:") }},
		{"a digest is not of its algorithm's size", reason.CredentialMalformed, func(c *crafted) { post(c, "sha-256=:AAAA:") }},
		{"a digest is no byte sequence", reason.CredentialMalformed, func(c *crafted) { post(c, `sha-256="x"`) }},
		{"a digest occurs twice", reason.CredentialMalformed, func(c *crafted) {
			post(c, "sha-256=:"+strings.Repeat("A", 43)+"=:, sha-256=:"+strings.Repeat("B", 42)+"A=:")
		}},
		{"content-digest is no dictionary", reason.CredentialMalformed, func(c *crafted) { post(c, "sha-256=abc=") }},

		{"the key is unknown", reason.SigningKeyUnknown, func(c *crafted) { c.params = created + `;keyid="nobody";nonce="n1"` }},
		{"keyid can be no key's", reason.SigningKeyUnknown, func(c *crafted) { c.params = created + `;keyid="a b";nonce="n1"` }},
		{"the secret is another", reason.SignatureInvalid, func(c *crafted) { c.secret = otherSecret }},
		{"a covered header field is not there", reason.SignatureInvalid, func(c *crafted) { c.components += ` "date"` }},
		{"a covered query parameter is not there", reason.SignatureInvalid, func(c *crafted) { c.components += ` "@query-param";name="x"` }},
		{"a query parameter that occurs twice is covered by name beside @query", reason.SignatureInvalid, func(c *crafted) {
			c.query = "limit=10&limit=20"
			c.components += ` "@query-param";name="limit"`
		}},
		{"a covered header field has a line break", reason.SignatureInvalid, func(c *crafted) {
			c.header["Date"] = []string{"x\n\"@path\": /y"}
			c.components += ` "date"`
		}},
		{"a covered header field is not ASCII", reason.SignatureInvalid, func(c *crafted) {
			c.header["Date"] = []string{"é"}
			c.components += ` "date"`
		}},
		{"the method has a line break", reason.SignatureInvalid, func(c *crafted) {
			c.method = "GET\n"
			post(c, "sha-256=:"+strings.Repeat("A", 43)+"=:")
			c.method = "GET\n"
		}},
		{"the event has no authority", reason.SignatureInvalid, func(c *crafted) { c.authority = "" }},
		{"the event has no path", reason.SignatureInvalid, func(c *crafted) { c.path = "" }},
		{"the path has an encoded slash", reason.SignatureInvalid, func(c *crafted) { c.path = "/prod/a%2Fb" }},
		{"the path has an encoded backslash", reason.SignatureInvalid, func(c *crafted) { c.path = "/prod/a%5cb" }},
		{"the path has a dot segment", reason.SignatureInvalid, func(c *crafted) { c.path = "/prod/../x" }},
		{"the path has an encoded dot segment", reason.SignatureInvalid, func(c *crafted) { c.path = "/prod/%2e%2E/x" }},
		{"the path has an empty segment", reason.SignatureInvalid, func(c *crafted) { c.path = "/prod//x" }},
		{"the path has an invalid escape", reason.SignatureInvalid, func(c *crafted) { c.path = "/prod/%4" }},
		{"the path is not UTF-8", reason.SignatureInvalid, func(c *crafted) { c.path = "/prod/%FF" }},
		{"the query has an invalid escape", reason.SignatureInvalid, func(c *crafted) { c.query = "a=%" }},
		{"the query has a raw semicolon", reason.SignatureInvalid, func(c *crafted) { c.query = "a=1;b=2" }},
		{"the query has a value without a name", reason.SignatureInvalid, func(c *crafted) { c.query = "=1" }},
		{"the query is not UTF-8", reason.SignatureInvalid, func(c *crafted) { c.query = "a=%FF" }},
	} {
		t.Run(c.when, func(t *testing.T) {
			t.Parallel()
			plan := defaults()
			c.edit(&plan)
			m := plan.sign(t)
			_, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), m)
			wantCode(t, err, c.code)
		})
	}
}

func TestSignatureFieldIsRefusedWhen(t *testing.T) {
	t.Parallel()
	good := strings.TrimPrefix(defaults().sign(t).Header("signature")[0], "sig=")
	for when, values := range map[string][]string{
		"it is not there":                nil,
		"it is empty":                    {""},
		"it has another label":           {"other=" + good},
		"its label occurs twice":         {"sig=:AAAA:, sig=" + good},
		"it occurs twice":                {"sig=" + good, "sig=" + good},
		"it is a string":                 {`sig="x"`},
		"it is a list":                   {`sig=(` + good + `)`},
		"it is no dictionary":            {"sig=:"},
		"its base64 is cut":              {"sig=:AAA:"},
		"its base64 has stray bits":      {"sig=" + strings.Replace(good, "=:", "", 1)[:43] + "B=:"},
		"it is over the size of a field": {"sig=:" + strings.Repeat("A", maxField) + ":"},
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			c := defaults()
			m := c.sign(t)
			c.header["Signature"] = values
			_, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), m)
			wantCode(t, err, reason.CredentialMalformed)
		})
	}
}

func TestMACOfAnotherSizeIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"sig=::", "sig=:AAAA:"} {
		c := defaults()
		m := c.sign(t)
		c.header.Set("Signature", text)
		_, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), m)
		wantCode(t, err, reason.SignatureInvalid)
	}
}

func TestNoErrorTellsWhatWasSigned(t *testing.T) {
	t.Parallel()
	const private = "private-word"
	c := defaults()
	c.query = "token=" + private
	c.header.Set("X-Token", private)
	c.components += ` "x-token"`
	c.secret = otherSecret
	m := c.sign(t)
	_, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), m)
	wantCode(t, err, reason.SignatureInvalid)
	for _, word := range []string{private, strings.Trim(c.header.Get("Signature"), "sig=:"), "n1"} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("%q holds %q", err, word)
		}
	}
	if !errors.Is(err, reason.SignatureInvalid) {
		t.Error("the code is not in the chain")
	}
}

package authorizer

import (
	"fmt"
	"net/http"
	"strings"

	"lambda-authorizer/apikey"
	"lambda-authorizer/config"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/reason"
)

// credentials are what a request presents, unverified.
type credentials struct {
	bearer, apiKey presented
	// signed is the request as a signature covers it; nil where there is none.
	signed *httpsig.Message
}

// presented is a credential that is there, although its text may be empty.
type presented struct {
	text  string
	given bool
}

// credential finds every credential of ours in a request. What is not ours
// (a Basic header, an opaque cookie) is passed over; the same kind twice is
// refused, because two readers might each take another one.
func credential(req *Request, c *config.Config) (credentials, error) {
	var out credentials
	tokens, err := bearerTokens(req, c.Bearer, c.Gateway.CacheTTL > 0)
	if err != nil {
		return credentials{}, err
	}
	if out.bearer, err = one("bearer tokens", tokens); err != nil {
		return credentials{}, err
	}
	keys, err := apiKeys(req, c.APIKeys)
	if err != nil {
		return credentials{}, err
	}
	if out.apiKey, err = one("API keys", keys); err != nil {
		return credentials{}, err
	}
	if c.Signatures != nil && req.Kind != RESTToken {
		if m := req.message(); httpsig.Present(m) {
			out.signed = m
		}
	}
	if out == (credentials{}) {
		return credentials{}, reason.CredentialMissing
	}
	return out, nil
}

func one(what string, found []string) (presented, error) {
	switch len(found) {
	case 0:
		return presented{}, nil
	case 1:
		return presented{found[0], true}, nil
	}
	return presented{}, fmt.Errorf("%w: %d %s", reason.CredentialAmbiguous, len(found), what)
}

// apiKeys looks for keys of ours: API Gateway's own keys may stand in the same
// header.
func apiKeys(req *Request, c *apikey.Config) ([]string, error) {
	if c == nil {
		return nil, nil
	}
	values := req.Header(c.Header)
	if req.Kind == RESTToken {
		values = []string{req.Value}
	}
	return ours(values, "the API key header", func(v string) (string, bool) { return v, apikey.LooksLike(v) })
}

// bearerTokens looks in every place where the configuration lets a token
// stand. A TOKEN event has one place alone.
func bearerTokens(req *Request, b config.Bearer, cached bool) ([]string, error) {
	values := []string{req.Value}
	if req.Kind != RESTToken {
		values = req.Header(b.Header)
	}
	found, err := ours(values, "the bearer header", func(v string) (string, bool) { return ourBearer(v, b.Bare) })
	if err != nil || req.Kind == RESTToken {
		return found, err
	}
	for _, place := range otherPlaces(req, b) {
		tokens := appendCompact(nil, place.values...)
		if cached && len(tokens) > 0 && place.sources != 1 {
			// API Gateway keeps the answer under one of the values, and which
			// one is not documented: under another than the token the answer
			// would be there for everybody.
			return nil, fmt.Errorf("%w: %s has several values, and answers are cached", reason.CredentialAmbiguous, place.name)
		}
		found = append(found, tokens...)
	}
	return found, nil
}

// place is where tokens may stand besides the bearer header.
type place struct {
	name   string
	values []string
	// sources is how many values API Gateway may have taken as the identity
	// source; 0 where that cannot be told.
	sources int
}

func otherPlaces(req *Request, b config.Bearer) []place {
	var out []place
	if b.Query != "" {
		values := req.Query(b.Query)
		p := place{"the query parameter", values, len(values)}
		if req.queryUnreadable {
			p.sources = 0
		}
		out = append(out, p)
	}
	if b.Cookie != "" {
		p := place{name: "the header Cookie", sources: len(req.Cookies())}
		if req.Kind == HTTP2 {
			p.sources = 1 // its lines are not told: see keptApart
		}
		lines := http.Request{Header: http.Header{"Cookie": req.Cookies()}}
		for _, c := range lines.CookiesNamed(b.Cookie) {
			p.values = append(p.values, c.Value)
		}
		out = append(out, p)
	}
	if b.Subprotocol {
		lines := req.Header("Sec-WebSocket-Protocol")
		out = append(out, place{"the header Sec-WebSocket-Protocol", subprotocols(lines), len(lines)})
	}
	return out
}

// ours reads a credential from the values of a header. More than one value is
// refused as soon as one of them is ours: which of them API Gateway took as
// the identity source is not for us to guess. HTTP APIs and proxies join
// repeated headers with commas: each part is a value.
func ours(values []string, where string, read func(value string) (string, bool)) ([]string, error) {
	for _, v := range values {
		text, is := read(strings.Trim(v, " \t"))
		if len(values) == 1 && is && !strings.Contains(text, ",") {
			return []string{text}, nil
		}
		for part := range strings.SplitSeq(v, ",") {
			if _, one := read(strings.Trim(part, " \t")); is || one {
				return nil, fmt.Errorf("%w: %s has several values", reason.CredentialAmbiguous, where)
			}
		}
	}
	return nil, nil
}

// ourBearer takes the token from "Bearer <token>", the scheme in any case
// (RFC 9110 section 11.1), or from a bare compact JWS. "Bearer" without a
// token is ours too, and malformed.
func ourBearer(value string, bare bool) (token string, ours bool) {
	const scheme = "bearer"
	if len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		rest := value[len(scheme):]
		if rest == "" || rest[0] == ' ' {
			return strings.TrimLeft(rest, " "), true
		}
	}
	if bare && compact(value) {
		return value, true
	}
	return "", false
}

// compact tells a value with the three dot-separated parts of a compact JWS.
// One with a blank in it has a scheme in front: another's credential.
func compact(value string) bool {
	return strings.Count(value, ".") == 2 && !strings.ContainsAny(value, " \t")
}

func appendCompact(found []string, values ...string) []string {
	for _, v := range values {
		if compact(v) {
			found = append(found, v)
		}
	}
	return found
}

// subprotocols are what follows "bearer" in "bearer, <token>": browsers can
// set no header on a WebSocket, but they can offer subprotocols.
func subprotocols(lines []string) []string {
	var out []string
	offered := strings.Split(strings.Join(lines, ","), ",")
	for i, p := range offered {
		if i+1 < len(offered) && strings.EqualFold(strings.TrimSpace(p), "bearer") {
			out = append(out, strings.TrimSpace(offered[i+1]))
		}
	}
	return out
}

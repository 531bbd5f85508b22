package authorizer

import (
	"fmt"
	"net/http"
	"strings"

	"lambda-authorizer/config"
	"lambda-authorizer/reason"
)

// credentials are what a request presents. A kind it does not present is
// empty.
type credentials struct {
	bearer string
}

// credential finds every credential of ours in a request. What is not ours
// (a Basic header, an opaque cookie) is passed over; the same kind twice is
// refused, because two readers might each take another one.
func credential(req *Request, b config.Bearer) (credentials, error) {
	var found []string
	if req.Kind == RESTToken {
		token, ok, err := bearerValue([]string{req.Value}, b.Bare)
		if err != nil {
			return credentials{}, err
		}
		if ok {
			found = append(found, token)
		}
	} else {
		var err error
		if found, err = bearerTokens(req, b); err != nil {
			return credentials{}, err
		}
	}
	switch len(found) {
	case 0:
		return credentials{}, reason.CredentialMissing
	case 1:
		return credentials{bearer: found[0]}, nil
	}
	return credentials{}, fmt.Errorf("%w: %d bearer tokens", reason.CredentialAmbiguous, len(found))
}

// bearerTokens looks in every place where the configuration lets a token
// stand.
func bearerTokens(req *Request, b config.Bearer) ([]string, error) {
	var found []string
	token, ok, err := bearerValue(req.Header(b.Header), b.Bare)
	if err != nil {
		return nil, err
	}
	if ok {
		found = append(found, token)
	}
	if b.Query != "" {
		found = appendCompact(found, req.Query(b.Query)...)
	}
	if b.Cookie != "" {
		lines := http.Request{Header: http.Header{"Cookie": req.Cookies()}}
		for _, c := range lines.CookiesNamed(b.Cookie) {
			found = appendCompact(found, c.Value)
		}
	}
	if b.Subprotocol {
		found = appendSubprotocol(found, req.Header("Sec-WebSocket-Protocol"))
	}
	return found, nil
}

// bearerValue reads a token from the values of the bearer header. More than
// one value is refused as soon as one of them is ours: which of them API
// Gateway took as the identity source is not for us to guess.
func bearerValue(values []string, bare bool) (token string, ok bool, err error) {
	for _, v := range values {
		t, ours := ourBearer(v, bare)
		if !ours {
			continue
		}
		if len(values) > 1 {
			return "", false, fmt.Errorf("%w: the bearer header has %d values", reason.CredentialAmbiguous, len(values))
		}
		if strings.Contains(t, ",") {
			// HTTP APIs and proxies join repeated headers with commas.
			return "", false, fmt.Errorf("%w: the bearer header has joined values", reason.CredentialAmbiguous)
		}
		token, ok = t, true
	}
	return token, ok, nil
}

// ourBearer takes the token from "Bearer <token>", the scheme in any case
// (RFC 9110 section 11.1), or from a bare compact JWS. "Bearer" without a
// token is ours too, and malformed.
func ourBearer(value string, bare bool) (token string, ours bool) {
	value = strings.Trim(value, " \t")
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

// appendSubprotocol reads "bearer, <token>": browsers can set no header on a
// WebSocket, but they can offer subprotocols.
func appendSubprotocol(found []string, lines []string) []string {
	offered := strings.Split(strings.Join(lines, ","), ",")
	for i, p := range offered {
		if i+1 < len(offered) && strings.EqualFold(strings.TrimSpace(p), "bearer") {
			found = appendCompact(found, strings.TrimSpace(offered[i+1]))
		}
	}
	return found
}

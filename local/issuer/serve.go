package issuer

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Handler serves the issuer under the path of its URL:
//
//	GET  …/.well-known/openid-configuration
//	GET  …/jwks
//	GET  …/token?scope=&sub=&aud=&ttl=&iat=&claims=   the token as text, for a shell
//	POST …/token                                      the same form, the answer as OAuth's
//	POST …/rotate                                     a new signing key
//
// ttl is seconds or a Go duration and may be negative; iat is epoch seconds or
// a duration from now, as -2h; claims is a JSON object.
func (i *Issuer) Handler() http.Handler {
	prefix := ""
	if u, err := url.Parse(i.url); err == nil {
		prefix = strings.TrimSuffix(u.Path, "/")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"/.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET "+prefix+"/jwks", i.jwks)
	mux.HandleFunc("GET "+prefix+"/token", i.token)
	mux.HandleFunc("POST "+prefix+"/token", i.token)
	mux.HandleFunc("POST "+prefix+"/rotate", i.rotate)
	return mux
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	base := strings.TrimSuffix(i.url, "/")
	answer(w, http.StatusOK, map[string]any{
		"issuer":                                i.url,
		"jwks_uri":                              base + "/jwks",
		"token_endpoint":                        base + "/token",
		"grant_types_supported":                 []string{"client_credentials"},
		"response_types_supported":              []string{"token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (i *Issuer) jwks(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=900")
	answer(w, http.StatusOK, i.keySet())
}

func (i *Issuer) rotate(w http.ResponseWriter, _ *http.Request) {
	kid, err := i.Rotate()
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]any{"kid": kid})
}

// token answers with the bare token on GET, as OAuth does on POST (RFC 6749
// section 5).
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	request, err := i.read(r)
	if err == nil {
		var token string
		if token, err = i.Mint(request); err == nil {
			write(w, r, token, request)
			return
		}
	}
	answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": err.Error()})
}

func write(w http.ResponseWriter, r *http.Request, token string, request Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, token+"\n")
		return
	}
	ttl := request.TTL
	if ttl == 0 {
		ttl = time.Hour
	}
	answer(w, http.StatusOK, map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": int(ttl.Seconds()), "scope": request.Scope,
	})
}

// read takes the form apart. A parameter that is misspelt would otherwise mint
// another token than the one meant.
func (i *Issuer) read(r *http.Request) (Request, error) {
	if err := r.ParseForm(); err != nil {
		return Request{}, err
	}
	var request Request
	for name := range r.Form {
		var err error
		value := r.Form.Get(name)
		switch name {
		case "scope":
			request.Scope = value
		case "sub":
			request.Subject = value
		case "aud":
			request.Audience = value
		case "ttl":
			request.TTL, err = duration(value)
		case "iat":
			request.IssuedAt, err = i.instant(value)
		case "claims":
			err = claims(value, &request.Claims)
		case "grant_type", "client_id", "client_secret", "resource":
		default:
			err = fmt.Errorf("is unknown: use scope, sub, aud, ttl, iat or claims")
		}
		if err != nil {
			return Request{}, fmt.Errorf("parameter %s %w", name, err)
		}
	}
	return request, nil
}

// duration reads seconds or a Go duration. Empty is zero.
func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("is neither seconds nor a duration such as 5m or -1h")
	}
	return d, nil
}

// instant reads epoch seconds or a duration from now, which a unit tells
// apart.
func (i *Issuer) instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("is neither epoch seconds nor a duration from now such as -1h")
	}
	return i.Now().Add(d), nil
}

func claims(text string, into *map[string]any) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("is no JSON object")
	}
	return nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that hung up
}

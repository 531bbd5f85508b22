// Package backend is what a Go service behind the authorizer needs: it turns
// API Gateway's events into net/http requests, takes the caller from the
// authorizer's context and from nowhere else, refuses a request that carries
// no such context, checks the body against the digest the caller signed,
// answers errors as RFC 9457 problems and writes one line per request.
//
// It knows nothing of what the service does. It trusts what API Gateway says
// about a request: whoever may invoke the function directly may be anyone.
package backend

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

// Caller is who the authorizer let in. It is shared by everything that serves
// one request: read-only.
type Caller struct {
	// Principal is "<issuer name>|<principal claim>", "api_key|<name>" or
	// "signing_key|<name>": no two credentials of different origin share one.
	// Never empty.
	Principal string
	// Subject is the token's sub claim as it stands in the token.
	Subject string
	// AuthMethods are the credential kinds presented: jwt, api_key, signature.
	AuthMethods []string
	// Issuer is the configured name of the token's issuer.
	Issuer   string
	ClientID string
	TokenID  string
	KeyID    string
	Scopes   []string
	// ExpiresAt is when the credential ends; zero where it has no end or the
	// context does not say. A cached answer of the authorizer may outlive it
	// by the cache's TTL.
	ExpiresAt time.Time
	// ContentDigest is the Content-Digest that the caller signed.
	ContentDigest string
	// Values is the whole context, listed claims included: strings with a REST
	// API, also booleans and float64 with an HTTP API.
	Values map[string]any
}

// HasScope says whether scope was granted.
func (c *Caller) HasScope(scope string) bool { return slices.Contains(c.Scopes, scope) }

var (
	errNoContext = errors.New("no authorizer context")
	errRefused   = errors.New("the authorizer's context is that of a refusal")
)

type callerKey struct{}

// From returns the caller that Protect found.
func From(ctx context.Context) (*Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(*Caller)
	return c, ok
}

// readCaller takes the caller from API Gateway's request context, where
// aws-lambda-go-api-proxy keeps it. Never from a header: a client can send
// any header, X-GoLambdaProxy-ApiGw-Context of that library included.
func readCaller(ctx context.Context) (*Caller, error) {
	values := authorizerContext(ctx)
	principal, _ := values["principal"].(string)
	c := &Caller{
		Principal: principal,
		Subject:   text(values["subject"]),
		Issuer:    text(values["issuer"]),
		ClientID:  text(values["client_id"]),
		TokenID:   text(values["token_id"]),
		KeyID:     text(values["key_id"]),
		// The authorizer joins them by a blank, and nothing else parts them.
		Scopes:        strings.FieldsFunc(text(values["scope"]), func(r rune) bool { return r == ' ' }),
		ExpiresAt:     seconds(values["expires_at"]),
		ContentDigest: text(values["content_digest"]),
		Values:        values,
	}
	if methods := text(values["auth_method"]); methods != "" {
		c.AuthMethods = strings.Split(methods, "+")
	}
	switch {
	case c.Principal == "" || c.Principal == "anonymous":
		return nil, errNoContext
	case text(values["reason"]) != "":
		// The authorizer gives a reason with refusals alone. A resource
		// policy that allows may have overruled one that stayed silent.
		return nil, errRefused
	}
	return c, nil
}

// authorizerContext finds the Lambda authorizer's context in a request of
// either payload format.
func authorizerContext(ctx context.Context) map[string]any {
	if v2, ok := core.GetAPIGatewayV2ContextFromContext(ctx); ok {
		if v2.Authorizer == nil {
			return nil
		}
		return v2.Authorizer.Lambda
	}
	v1, _ := core.GetAPIGatewayContextFromContext(ctx)
	return v1.Authorizer
}

// text renders a context value: a REST API hands on strings alone, an HTTP
// API also numbers, which encoding/json makes float64.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// seconds reads epoch seconds. What is no such number is no time.
func seconds(v any) time.Time {
	n, err := strconv.ParseFloat(text(v), 64)
	if err != nil || math.IsNaN(n) || n <= 0 || n > 1<<53 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

package gateway

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// result is what an authorizer answered.
type result struct {
	principal string
	// policy is nil where the answer is a simple one; then authorized counts.
	policy     *document
	authorized bool
	context    map[string]jsontext.Value
	// breaksWhenCached names a context value that an HTTP API cannot read
	// back from its cache. Empty: none.
	breaksWhenCached string
}

// decide applies the answer to one request. A simple answer says the same of
// every route.
func (r *result) decide(arn string) decision {
	if r.policy != nil {
		return r.policy.evaluate(arn)
	}
	if r.authorized {
		return allowed
	}
	return deniedImplicitly
}

// readPolicyAnswer reads the answer that is a policy.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func readPolicyAnswer(answer []byte) (*result, error) {
	var a struct {
		PrincipalID        *string                   `json:"principalId"`
		PolicyDocument     jsontext.Value            `json:"policyDocument"`
		Context            map[string]jsontext.Value `json:"context"`
		UsageIdentifierKey string                    `json:"usageIdentifierKey"`
	}
	if err := decode(answer, &a); err != nil {
		return nil, err
	}
	if a.PrincipalID == nil {
		return nil, errors.New("no principalId")
	}
	if len(a.PolicyDocument) == 0 {
		return nil, errors.New("no policyDocument")
	}
	policy, err := parsePolicy(a.PolicyDocument)
	if err != nil {
		return nil, err
	}
	return &result{principal: *a.PrincipalID, policy: policy, context: a.Context}, nil
}

// readSimpleAnswer reads the answer that is a Boolean.
func readSimpleAnswer(answer []byte) (*result, error) {
	var a struct {
		IsAuthorized *bool                     `json:"isAuthorized"`
		Context      map[string]jsontext.Value `json:"context"`
	}
	if err := decode(answer, &a); err != nil {
		return nil, err
	}
	if a.IsAuthorized == nil {
		return nil, errors.New("no isAuthorized")
	}
	return &result{authorized: *a.IsAuthorized, context: a.Context}, nil
}

// flat refuses a context with anything but strings, numbers and booleans.
func flat(r *result, err error) (*result, error) {
	if err != nil {
		return nil, err
	}
	for name, value := range r.context {
		switch value.Kind() {
		case '"', '0', 't', 'f':
		default:
			return nil, fmt.Errorf("context.%s is neither string, number nor boolean", name)
		}
	}
	return r, nil
}

// strings is the context as REST APIs and payload 1.0 hand it on: every value
// a string.
func (r *result) strings() map[string]any {
	out := make(map[string]any, len(r.context)+1)
	for name, value := range r.context {
		out[name] = text(value)
	}
	out["principalId"] = r.principal
	return out
}

// text is a string's value, and any other value as it is written.
func text(value jsontext.Value) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}

// looksLikeJSON: an HTTP API on which a context value is the text of a JSON
// object or array answers 500 on cache hits (observed, not documented).
func looksLikeJSON(text string) bool {
	text = strings.TrimSpace(text)
	return (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && jsontext.Value(text).IsValid()
}

// decode reads one JSON value. Names are case-sensitive and may not repeat.
func decode(answer []byte, v any) error {
	if err := json.Unmarshal(answer, v); err != nil {
		return fmt.Errorf("answer is not the JSON expected: %w", err)
	}
	return nil
}

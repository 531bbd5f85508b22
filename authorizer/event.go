package authorizer

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
)

// event holds the fields read from any of the five shapes. Decoding refuses
// duplicate members and invalid UTF-8: two readers of one event must not
// differ.
type event struct {
	Version            string         `json:"version"`
	Type               string         `json:"type"`
	MethodARN          string         `json:"methodArn"`
	RouteARN           string         `json:"routeArn"`
	AuthorizationToken string         `json:"authorizationToken"`
	IdentitySource     jsontext.Value `json:"identitySource"`

	Resource          string              `json:"resource"`
	HTTPMethod        string              `json:"httpMethod"`
	RouteKey          string              `json:"routeKey"`
	RawPath           string              `json:"rawPath"`
	RawQueryString    string              `json:"rawQueryString"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`

	RequestContext struct {
		RequestID string `json:"requestId"`
		RouteKey  string `json:"routeKey"`
		Path      string `json:"path"`
		Identity  struct {
			SourceIP   string     `json:"sourceIp"`
			ClientCert clientCert `json:"clientCert"`
		} `json:"identity"`
		HTTP struct {
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
		Authentication struct {
			ClientCert clientCert `json:"clientCert"`
		} `json:"authentication"`
	} `json:"requestContext"`
}

type clientCert struct {
	PEM string `json:"clientCertPem"`
}

// ParseEvent reads an authorizer event of any of the five shapes. Anything
// else is the fault event_unsupported, which says what was received.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func ParseEvent(payload []byte) (*Request, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, unsupported("%s", undecodable(err))
	}
	kind, arn, err := e.kind()
	if err != nil {
		return nil, err
	}
	req := &Request{
		Kind: kind, ARN: arn,
		ID:           e.RequestContext.RequestID,
		headers:      e.Headers,
		multiHeaders: e.MultiValueHeaders,
	}
	switch kind {
	case RESTToken:
		req.Value = e.AuthorizationToken
		return req, nil
	case HTTP2:
		e.http2(req)
	default:
		e.request(req)
	}
	if kind == HTTP1 || kind == HTTP2 {
		if req.IdentitySource, err = identitySources(kind, e.IdentitySource); err != nil {
			return nil, unsupported("identitySource: %s", undecodable(err))
		}
	}
	return req, nil
}

// kind tells the shape by version, type and ARN, in the order of the design.
func (e *event) kind() (Kind, policy.ARN, error) {
	text := e.MethodARN
	if e.Version == "2.0" {
		text = e.RouteARN
	}
	if text == "" {
		return "", policy.ARN{}, unsupported("no authorizer event: version %.8q, type %.16q, no ARN", e.Version, e.Type)
	}
	arn, err := policy.ParseARN(text)
	if err != nil {
		return "", policy.ARN{}, unsupported("%v", err)
	}
	connect := arn.Method == "" && arn.Path == "$connect"
	switch {
	case e.Version == "2.0" && !connect:
		return HTTP2, arn, nil
	case e.Version == "1.0" && !connect:
		return HTTP1, arn, nil
	case e.Version == "" && e.Type == "TOKEN" && !connect:
		return RESTToken, arn, nil
	case e.Version == "" && e.Type == "REQUEST" && connect:
		return WebSocket, arn, nil
	case e.Version == "" && e.Type == "REQUEST":
		return RESTRequest, arn, nil
	}
	return "", policy.ARN{}, unsupported("no authorizer event: version %.8q, type %.16q", e.Version, e.Type)
}

// request fills in what REST REQUEST, HTTP 1.0 and WebSocket events have.
func (e *event) request(req *Request) {
	req.Source = address(e.RequestContext.Identity.SourceIP)
	req.ClientCertPEM = e.RequestContext.Identity.ClientCert.PEM
	req.query, req.multiQuery = e.Query, e.MultiValueQuery
	req.path = e.RequestContext.Path
	switch {
	case req.Kind == WebSocket:
		req.Chosen = e.RequestContext.RouteKey
	case e.Resource == "$default":
		req.Chosen = e.Resource
	case e.Resource != "":
		req.Chosen = req.ARN.Method + " " + e.Resource
	}
}

// http2 fills in what HTTP API 2.0 events have.
func (e *event) http2(req *Request) {
	req.Source = address(e.RequestContext.HTTP.SourceIP)
	req.ClientCertPEM = e.RequestContext.Authentication.ClientCert.PEM
	req.path, req.rawQuery = e.RawPath, e.RawQueryString
	req.cookies = e.Cookies
	// queryStringParameters joins the values of a repeated parameter with
	// commas, which hides that there were two; the raw string does not. What
	// ParseQuery cannot read it leaves out, and what is left out is no
	// credential, though API Gateway may see a value there.
	var err error
	req.multiQuery, err = url.ParseQuery(e.RawQueryString)
	req.queryUnreadable = err != nil
	req.Chosen = e.RouteKey
}

// address reads a source address. The console's test call sends
// "test-invoke-source-ip", which is none.
func address(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.WithZone("").Unmap()
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", reason.EventUnsupported, fmt.Sprintf(format, args...))
}

// undecodable says where decoding stopped and why, without the value it
// stopped at: that may be a credential.
func undecodable(err error) string {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return fmt.Sprintf("%s holds a JSON %v, which no authorizer event has there", where(semantic.JSONPointer), semantic.JSONKind)
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return "a JSON member occurs twice"
		}
		return fmt.Sprintf("not JSON at byte %d", syntactic.ByteOffset)
	}
	return "not JSON"
}

// where is a pointer without the names that a client chose.
func where(p jsontext.Pointer) string {
	for _, section := range []string{"/headers", "/multiValueHeaders", "/queryStringParameters", "/multiValueQueryStringParameters"} {
		if strings.HasPrefix(string(p), section+"/") {
			return "a value in " + section
		}
	}
	return string(p)
}

package gateway

import (
	"encoding/json"
	"io"
	"net/http"
)

// failure is an answer that API Gateway gives itself.
type failure struct {
	status int
	// body is the JSON body; of a WebSocket API the value of its message.
	body string
	// kind is the header x-amzn-ErrorType; HTTP APIs send none.
	kind string
}

// failures are the answers of one kind of API.
type failures struct {
	unauthorized     failure
	denied           failure // no statement allows it
	deniedExplicitly failure
	authorizer       failure // it failed, or its answer is unusable
	noRoute          failure
	uriTooLong       failure
	headersTooLarge  failure
	bodyTooLarge     failure
	backend          failure // it failed, or its answer is unusable
}

// restFailures are the default gateway responses. Bodies and types of 401, 403
// and 500 are as live APIs send them in 2026; of the three "too large" only
// the status is documented.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var restFailures = failures{
	unauthorized:     failure{401, `{"message":"Unauthorized"}`, "UnauthorizedException"},
	denied:           failure{403, `{"Message":"User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"}`, "AccessDeniedException"},
	deniedExplicitly: failure{403, `{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`, "AccessDeniedException"},
	authorizer:       failure{500, `{"message":null}`, "AuthorizerConfigurationException"},
	noRoute:          failure{403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
	uriTooLong:       failure{414, `{"message":"Request URI too long"}`, "RequestTooLongException"},
	headersTooLarge:  failure{431, `{"message":"Request header fields too large"}`, "RequestTooLongException"},
	bodyTooLarge:     failure{413, `{"message":"Request Too Long"}`, "RequestTooLongException"},
	backend:          failure{502, `{"message": "Internal server error"}`, "InternalServerErrorException"},
}

// httpFailures: HTTP APIs have no gateway responses, and one text for all that
// goes wrong inside.
var httpFailures = failures{
	unauthorized:     failure{401, `{"message":"Unauthorized"}`, ""},
	denied:           failure{403, `{"message":"Forbidden"}`, ""},
	deniedExplicitly: failure{403, `{"message":"Forbidden"}`, ""},
	authorizer:       failure{500, `{"message":"Internal Server Error"}`, ""},
	noRoute:          failure{404, `{"message":"Not Found"}`, ""},
	uriTooLong:       failure{414, `{"message":"Request URI too long"}`, ""},
	headersTooLarge:  failure{431, `{"message":"Request header fields too large"}`, ""},
	bodyTooLarge:     failure{413, `{"message":"Request Entity Too Large"}`, ""},
	backend:          failure{500, `{"message":"Internal Server Error"}`, ""},
}

// webSocketFailures refuse the upgrade. The statuses are documented, the texts
// are those of the service's error frames.
var webSocketFailures = failures{
	unauthorized:     failure{401, "Unauthorized", ""},
	denied:           failure{403, "Forbidden", ""},
	deniedExplicitly: failure{403, "Forbidden", ""},
	authorizer:       failure{500, "Internal server error", ""},
	noRoute:          failure{403, "Forbidden", ""},
	uriTooLong:       failure{414, "Request URI too long", ""},
	headersTooLarge:  failure{431, "Request header fields too large", ""},
	bodyTooLarge:     failure{413, "Request Too Long", ""},
	backend:          failure{500, "Internal server error", ""},
}

// refuse answers with f.
func (s *Stage) refuse(w http.ResponseWriter, c *call, f failure) {
	body := f.body
	if s.Kind == WebSocket {
		// A map of strings always renders.
		text, _ := json.Marshal(map[string]string{"message": f.body, "connectionId": c.connection, "requestId": c.id})
		body = string(text)
	}
	s.mark(w, c)
	if f.kind != "" {
		w.Header().Set("X-Amzn-Errortype", f.kind)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, body)
}

// mark names the request in the answer.
func (s *Stage) mark(w http.ResponseWriter, c *call) {
	if _, ok := s.front.(httpAPI); ok {
		w.Header().Set("Apigw-Requestid", c.id)
		return
	}
	w.Header().Set("X-Amzn-Requestid", c.id)
}

// responseRecorder notes status and length for the access log.
type responseRecorder struct {
	http.ResponseWriter
	status, length int
}

func (r *responseRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *responseRecorder) Write(p []byte) (int, error) {
	r.length += len(p)
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *responseRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

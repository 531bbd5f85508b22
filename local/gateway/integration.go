package gateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// proxyAnswer is a Lambda proxy integration's answer. A header's value may be
// a number or a boolean.
type proxyAnswer struct {
	StatusCode        int                       `json:"statusCode"`
	Headers           map[string]jsontext.Value `json:"headers"`
	MultiValueHeaders map[string][]string       `json:"multiValueHeaders"`
	Cookies           []string                  `json:"cookies"`
	Body              string                    `json:"body"`
	IsBase64Encoded   bool                      `json:"isBase64Encoded"`
}

// integrate hands the request to the backend.
func (s *Stage) integrate(w http.ResponseWriter, c *call, event object) {
	failed := s.front.failures().backend
	payload, err := json.Marshal(event)
	if err != nil {
		s.refuse(w, c, failed)
		return
	}
	answer, err := s.Backend(c.request.Context(), payload)
	if err != nil {
		s.refuse(w, c, failed)
		return
	}
	read := readProxyAnswer
	if api, ok := s.front.(httpAPI); ok && api.payload == "2.0" {
		read = readAnswer2
	}
	a, body, err := read(answer)
	if err != nil {
		s.refuse(w, c, failed)
		return
	}
	s.mark(w, c)
	a.writeHeaders(w.Header())
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(body)
}

// readAnswer2 reads an answer of payload version 2.0: JSON without a statusCode
// is the body of a 200.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func readAnswer2(answer []byte) (*proxyAnswer, []byte, error) {
	if !jsontext.Value(answer).IsValid() {
		return nil, nil, errors.New("not JSON")
	}
	var members map[string]jsontext.Value
	if err := decode(answer, &members); err == nil && members["statusCode"] != nil {
		return readProxyAnswer(answer)
	}
	return &proxyAnswer{StatusCode: http.StatusOK}, answer, nil
}

func readProxyAnswer(answer []byte) (*proxyAnswer, []byte, error) {
	var a proxyAnswer
	if err := decode(answer, &a); err != nil {
		return nil, nil, err
	}
	if a.StatusCode < 200 || a.StatusCode > 599 {
		return nil, nil, errors.New("no usable statusCode")
	}
	if !a.IsBase64Encoded {
		return &a, []byte(a.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(a.Body)
	return &a, body, err
}

func (a *proxyAnswer) writeHeaders(h http.Header) {
	h.Set("Content-Type", "application/json") // unless the backend says otherwise
	for name, value := range a.Headers {
		h.Set(name, text(value))
	}
	for name, values := range a.MultiValueHeaders {
		h.Del(name)
		for _, value := range values {
			h.Add(name, value)
		}
	}
	for _, cookie := range a.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	h.Del("Content-Length") // net/http counts itself
}

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
	a, body, err := readProxyAnswer(answer)
	if err != nil {
		s.refuse(w, c, failed)
		return
	}
	s.mark(w, c)
	a.writeHeaders(w.Header())
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(body)
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

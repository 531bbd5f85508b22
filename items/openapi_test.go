package items_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"lambda-authorizer/items"
	"lambda-authorizer/local/gateway"
)

// document is openapi.yaml, for the address that the tests use.
type document struct {
	*openapi3.T
	router routers.Router
}

func readDocument(t *testing.T) document {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "http://api.example.com/prod"}}
	// A client must bear new members of an answer, so the document leaves them
	// open. The test does not: one that the document lacks is a drift.
	for _, name := range []string{"Item", "Page", "Problem", "GatewayMessage"} {
		closed := false
		doc.Components.Schemas[name].Value.AdditionalProperties.Has = &closed
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return document{doc, router}
}

// check sends r to serve and holds both against the document.
func (d document) check(r *http.Request, serve http.Handler, against bool) (*httptest.ResponseRecorder, error) {
	route, parameters, err := d.router.FindRoute(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	described := r.Clone(r.Context()) // the validation fills in defaults
	described.Body = io.NopCloser(bytes.NewReader(body))
	r.Body = io.NopCloser(bytes.NewReader(body))
	request := &openapi3filter.RequestValidationInput{
		Request: described, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: presented, IncludeResponseStatus: true},
	}
	err = openapi3filter.ValidateRequest(r.Context(), request)
	if against && err == nil {
		return nil, errors.New("the document takes the request")
	}
	if !against && err != nil {
		return nil, fmt.Errorf("the document refuses the request: %w", err)
	}
	w := httptest.NewRecorder()
	serve.ServeHTTP(w, r)
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: w.Code, Header: w.Header(), Options: request.Options,
	}
	response.SetBodyBytes(w.Body.Bytes())
	if err := openapi3filter.ValidateResponse(r.Context(), response); err != nil {
		return w, fmt.Errorf("the document does not know the answer %d %s: %w", w.Code, w.Body, err)
	}
	return w, nil
}

// presented says whether a scheme's credential is in the request.
func presented(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	name := in.SecurityScheme.Name
	if in.SecurityScheme.Type == "http" {
		name = "Authorization"
	}
	if in.RequestValidationInput.Request.Header.Get(name) == "" {
		return in.NewError(errors.New("not there"))
	}
	return nil
}

func TestDocumentAndServiceSayTheSameThroughTheGateway(t *testing.T) {
	t.Parallel()
	services := map[who]service{
		alice:    newService(t),
		toBroken: newService(t, func(c *items.Config) { c.Store = items.NewStore(client(server.Endpoint()), "no-such-table") }),
	}
	for w, f := range map[who]func(operation string) fault{
		toBusy:     func(string) fault { return throttle },
		toContends: func(op string) fault { return map[string]fault{"UpdateItem": outrun}[op] },
	} {
		store := faultyStore(t, func(op, _ string) fault { return f(op) })
		services[w] = newService(t, func(c *items.Config) { c.Store = store })
	}
	for _, kind := range []gateway.Kind{gateway.RESTRequest, gateway.HTTP2Simple} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			d := readDocument(t)
			missingResponses, missingCodes := d.promised()
			for _, c := range calls() {
				w := d.drive(t, c, services, kind)
				if w == nil {
					continue
				}
				delete(missingResponses, fmt.Sprint(c.operation, " ", c.status))
				delete(missingCodes, c.code)
				got := answer{w.Code, w.Header(), w.Body.String()}
				if got.status != c.status || c.code != "" && got.code(t) != c.code {
					t.Errorf("%s, %s, %s %q: %d %s, want %d %s", c.operation, c.who, c.target, c.body, got.status, got.body, c.status, c.code)
				}
			}
			// These two belong to no operation.
			delete(missingCodes, "method_not_allowed")
			delete(missingCodes, "path_not_found")
			// No function can see it: Lambda hands bodies over whole.
			delete(missingCodes, "body_unreadable")
			for r := range missingResponses {
				t.Errorf("the document promises %s, and no call shows it", r)
			}
			for code := range missingCodes {
				t.Errorf("the document names %s, and no call shows it", code)
			}
		})
	}
}

// promised lists every response and every problem of the document.
func (d document) promised() (responses, codes map[string]bool) {
	responses, codes = map[string]bool{}, map[string]bool{}
	for _, path := range d.Paths.Map() {
		for _, operation := range path.Operations() {
			for status := range operation.Responses.Map() {
				responses[operation.OperationID+" "+status] = true
			}
		}
	}
	for _, urn := range d.Components.Schemas["Problem"].Value.Properties["type"].Value.Enum {
		codes[strings.TrimPrefix(urn.(string), "urn:lambda-authorizer:problem:")] = true
	}
	return responses, codes
}

// drive makes one call and holds it against the document.
func (d document) drive(t *testing.T, c call, services map[who]service, kind gateway.Kind) *httptest.ResponseRecorder {
	t.Helper()
	s, ok := services[c.who]
	if !ok {
		s = services[alice]
	}
	sender := s.as("main|alice "+string(kind)).behind(t, kind)
	target := c.target
	if strings.Contains(target, "{id}") {
		id := missing
		if c.who != toBusy && c.who != toBroken {
			id = sender.do(t, "POST", "/items", lamp).decode(t).ID
		}
		target = strings.Replace(target, "{id}", id, 1)
	}
	sender = c.who.disguise(t, sender, kind)
	r, err := sender.request(t.Context(), d.method(c.operation), target, c.body, headerOf(d.method(c.operation), c.body, c.headers))
	if err != nil {
		t.Fatal(err)
	}
	if c.who == stranger {
		r.Header.Del("Authorization")
	}
	w, err := d.check(r, sender.stage, c.against)
	if err != nil {
		t.Errorf("%s, %s, %s %.100q: %v", c.operation, c.who, target, c.body, err)
	}
	return w
}

// disguise makes sender speak as w.
func (w who) disguise(t *testing.T, sender caller, kind gateway.Kind) caller {
	switch w {
	case denied:
		sender.principal = "denied"
	case powerless:
		sender = sender.withScopes("")
	case signer:
		sender = sender.withContext(map[string]any{"auth_method": "signature", "content_digest": "sha-256=:AAAA:"})
	case unsigned:
		sender = sender.withContext(map[string]any{"auth_method": "signature"})
	case misrouted:
		sender = sender.withContext(map[string]any{"reason": "revoked"})
	case open:
		sender = sender.onOpenRoutes(t, kind)
	}
	return sender
}

func (d document) method(operation string) string {
	for _, path := range d.Paths.Map() {
		for method, o := range path.Operations() {
			if o.OperationID == operation {
				return method
			}
		}
	}
	return ""
}

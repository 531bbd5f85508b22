package items_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lambda-authorizer/backend"
	"lambda-authorizer/items"
	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/local/gateway"
)

var server *dynamo.Server

func TestMain(m *testing.M) {
	var err error
	server, err = dynamo.Start(context.Background(), dynamo.Options{Endpoint: os.Getenv(dynamo.EndpointVariable)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.Close()
	os.Exit(code)
}

// fixedKeys are cursor keys that need no Secrets Manager.
type fixedKeys [][]byte

func (k fixedKeys) CursorKeys(context.Context) ([][]byte, error) { return k, nil }

var testKeys = fixedKeys{[]byte("the current key, thirty-two bytes")}

// client is DynamoDB's client with the service's own settings.
func client(endpoint string) *dynamodb.Client {
	o := server.Client().Options()
	items.ClientOptions(&o)
	o.BaseEndpoint = &endpoint
	return dynamodb.New(o)
}

func newTable(t testing.TB) string {
	t.Helper()
	name := server.TableName()
	if _, err := server.Client().CreateTable(context.Background(), items.TableInput(name)); err != nil {
		t.Fatal(err)
	}
	waiter := dynamodb.NewTableExistsWaiter(server.Client())
	if err := waiter.Wait(context.Background(), &dynamodb.DescribeTableInput{TableName: &name}, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return name
}

func newStore(t testing.TB) *items.Store {
	return items.NewStore(client(server.Endpoint()), newTable(t))
}

// service is a running items function.
type service struct{ lambda *backend.Lambda }

func newService(t testing.TB, change ...func(*items.Config)) service {
	t.Helper()
	c := items.Config{
		Cursors: testKeys,
		Line:    &backend.Line{Out: io.Discard, Log: slog.New(slog.DiscardHandler)},
		Log:     slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	if c.Store == nil {
		c.Store = newStore(t)
	}
	return service{backend.NewLambda(items.New(c))}
}

// caller speaks for one principal through one payload format.
type caller struct {
	service   service
	principal string
	scopes    string
	v2        bool
	context   map[string]any // more of the authorizer's context
	stage     http.Handler   // where requests go; nil: straight to the function
	prefix    string         // what stands before the API's own path there
}

func (s service) as(principal string) caller {
	return caller{service: s, principal: principal, scopes: "items:read items:write"}
}

func (c caller) overHTTP() caller { c.v2 = true; return c }

func (c caller) withScopes(scopes string) caller { c.scopes = scopes; return c }

func (c caller) withContext(more map[string]any) caller { c.context = more; return c }

// tb is what a request needs of a test: testing's and rapid's have it.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) decode(t tb) (v struct {
	ID, Name, Description string
	Metadata              map[string]string
	CreatedAt             time.Time `json:"created_at"`
	UpdatedAt             time.Time `json:"updated_at"`
	Items                 []struct{ ID, Name string }
	NextCursor            string `json:"next_cursor"`
	Type, Title, Detail   string
	Status                int
	Instance              string
	Errors                []backend.FieldError
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("status %d, body %q: %v", a.status, a.body, err)
	}
	return v
}

// code is the problem's code.
func (a answer) code(t tb) string {
	t.Helper()
	return strings.TrimPrefix(a.decode(t).Type, "urn:lambda-authorizer:problem:")
}

// do sends a request; headers alternate names and values. A body gets the JSON
// content type unless headers say another.
func (c caller) do(t tb, method, target, body string, headers ...string) answer {
	t.Helper()
	a, err := c.try(method, target, body, headerOf(method, body, headers))
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

func headerOf(method, body string, headers []string) http.Header {
	header := http.Header{}
	if body != "" {
		header.Set("Content-Type", "application/json")
		if method == http.MethodPatch {
			header.Set("Content-Type", "application/merge-patch+json")
		}
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			header.Del(headers[i])
			continue
		}
		header.Set(headers[i], headers[i+1])
	}
	return header
}

func (c caller) try(method, target, body string, header http.Header) (answer, error) {
	return c.tryWithin(context.Background(), method, target, body, header)
}

func (c caller) tryWithin(ctx context.Context, method, target, body string, header http.Header) (answer, error) {
	if c.stage != nil {
		return c.through(ctx, method, target, body, header)
	}
	payload, err := json.Marshal(c.event(method, target, body, header))
	if err != nil {
		return answer{}, err
	}
	raw, err := c.service.lambda.Invoke(ctx, payload)
	if err != nil {
		return answer{}, err
	}
	return readAnswer(raw)
}

// readAnswer reads what the function answered, in either payload format.
func readAnswer(raw []byte) (answer, error) {
	var out struct {
		StatusCode        int
		Headers           map[string]string
		MultiValueHeaders http.Header
		Body              string
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return answer{}, err
	}
	a := answer{out.StatusCode, out.MultiValueHeaders, out.Body}
	if a.header == nil {
		a.header = http.Header{}
	}
	for k, v := range out.Headers {
		a.header.Set(k, v)
	}
	return a, nil
}

// contextValues is what the authorizer says of the caller; nil of nobody.
func (c caller) contextValues() map[string]any {
	if c.principal == "" {
		return nil
	}
	values := map[string]any{"principal": c.principal, "auth_method": "jwt", "scope": c.scopes}
	maps.Copy(values, c.context)
	return values
}

// event is the request as API Gateway would hand it over, under a stage.
func (c caller) event(method, target, body string, header http.Header) any {
	path, query, _ := strings.Cut(target, "?")
	values := c.contextValues()
	// API Gateway hands over as base64 what is not text.
	binary := !utf8.ValidString(body)
	if binary {
		body = base64.StdEncoding.EncodeToString([]byte(body))
	}
	if c.v2 {
		joined := map[string]string{}
		for k, v := range header {
			joined[strings.ToLower(k)] = strings.Join(v, ",")
		}
		decoded, err := url.PathUnescape(path)
		if err != nil {
			decoded = path
		}
		e := events.APIGatewayV2HTTPRequest{
			Version: "2.0", RouteKey: "$default", RawPath: "/prod" + decoded, RawQueryString: query,
			Headers: joined, Body: body, IsBase64Encoded: binary,
			RequestContext: events.APIGatewayV2HTTPRequestContext{
				RequestID: "req=2", APIID: "http1", Stage: "prod", RouteKey: "$default",
				HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: "/prod" + decoded, SourceIP: "192.0.2.1"},
			},
		}
		if values != nil {
			e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{Lambda: values}
		}
		return e
	}
	parameters, _ := url.ParseQuery(query)
	return events.APIGatewayProxyRequest{
		Resource: "/{proxy+}", Path: path, HTTPMethod: method, Body: body, IsBase64Encoded: binary,
		MultiValueHeaders: header, MultiValueQueryStringParameters: parameters,
		PathParameters: map[string]string{"proxy": strings.TrimPrefix(path, "/")},
		RequestContext: events.APIGatewayProxyRequestContext{
			RequestID: "req-1", APIID: "rest1", Stage: "prod", Path: "/prod" + path,
			HTTPMethod: method, ResourcePath: "/{proxy+}", Authorizer: values,
			Identity: events.APIGatewayRequestIdentity{SourceIP: "192.0.2.1"},
		},
	}
}

// bothKinds runs test against a REST API and an HTTP API of one service.
func bothKinds(t *testing.T, principal string, test func(*testing.T, caller)) {
	t.Helper()
	s := newService(t)
	for _, kind := range []gateway.Kind{gateway.RESTRequest, gateway.HTTP1, gateway.HTTP2Simple} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, s.as(principal+" via "+string(kind)).behind(t, kind))
		})
	}
}

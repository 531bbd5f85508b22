package doctor

import (
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"lambda-authorizer/cmd/authctl/doctor/doctortest"
	"lambda-authorizer/config"
)

// restClient and httpClient are the SDK's own clients before the files in
// testdata.
func restClient(t *testing.T) *apigateway.Client {
	return apigateway.New(apigateway.Options{Region: "eu-central-1", BaseEndpoint: endpoint(t), Credentials: nobody, RetryMaxAttempts: 1})
}

func httpClient(t *testing.T) *apigatewayv2.Client {
	return apigatewayv2.New(apigatewayv2.Options{Region: "eu-central-1", BaseEndpoint: endpoint(t), Credentials: nobody, RetryMaxAttempts: 1})
}

var nobody = credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "example", "")

func endpoint(t *testing.T) *string {
	t.Helper()
	server := httptest.NewServer(doctortest.New("testdata"))
	t.Cleanup(server.Close)
	return aws.String(server.URL)
}

// soundREST, soundHTTP and soundWebSocket are APIs with nothing to find.
func soundREST(t *testing.T) *Case {
	t.Helper()
	api, err := ReadREST(t.Context(), restClient(t), "a1b2c3d4e5", "prod")
	return caseOf(t, api, err, "rest.yaml")
}

func soundHTTP(t *testing.T) *Case {
	t.Helper()
	api, err := ReadHTTP(t.Context(), httpClient(t), "h1b2c3d4e5", "$default")
	return caseOf(t, api, err, "http.yaml")
}

func soundWebSocket(t *testing.T) *Case {
	t.Helper()
	api, err := ReadHTTP(t.Context(), httpClient(t), "w1b2c3d4e5", "prod")
	return caseOf(t, api, err, "websocket.yaml")
}

func caseOf(t *testing.T, api *API, err error, file string) *Case {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	c := &Case{API: api, Config: loaded(t, file)}
	c.Authorizer, _ = api.Find("")
	if c.Authorizer == nil {
		t.Fatal("the API has no Lambda authorizer")
	}
	return c
}

func loaded(t *testing.T, file string) *config.Config {
	t.Helper()
	cfg, err := config.Load("testdata/"+file, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// method is the method of that route.
func (a *API) method(t *testing.T, route string) *Method {
	t.Helper()
	i := slices.IndexFunc(a.Methods, func(m Method) bool { return m.Route == route })
	if i < 0 {
		t.Fatalf("no method %s", route)
	}
	return &a.Methods[i]
}

// deployAll makes the stage's deployment what the API is now.
func (a *API) deployAll() { a.Deployed = slices.Clone(a.Methods) }

// said is a report as lines: severity, check, what.
func said(r Report) []string {
	var out []string
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			out = append(out, string(f.Severity)+" "+c.Name+": "+f.What)
		}
	}
	return out
}

// without leaves out the lines that begin with any of the prefixes.
func without(lines []string, prefixes ...string) []string {
	return slices.DeleteFunc(lines, func(line string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) })
	})
}

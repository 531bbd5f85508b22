package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/jwks"
	"lambda-authorizer/policy"
)

// change is one thing that is not as it should be, and the one finding it
// makes.
type change struct {
	name string
	make func(*testing.T, *Case)
	want string // severity check: what
	fix  string // in one of the fixes
}

func TestEachFaultOfARESTAPIIsFoundAndNothingElse(t *testing.T) {
	t.Parallel()
	tryEach(t, soundREST, restChanges)
}

var restChanges = []change{
	{"no Lambda authorizer", func(_ *testing.T, c *Case) { c.Authorizer = nil },
		"critical authorizer: the API has no Lambda authorizer", "aws apigateway create-authorizer --rest-api-id a1b2c3d4e5 --name authorizer --type REQUEST --identity-source method.request.header.Authorization --authorizer-result-ttl-in-seconds 300"},
	{"Cognito authorizer", func(_ *testing.T, c *Case) { c.Authorizer.Type = "COGNITO_USER_POOLS" },
		"error authorizer type: main is a COGNITO_USER_POOLS authorizer", "--authorizer"},
	{"stage not served", func(_ *testing.T, c *Case) { c.Config.Gateway.APIs = []string{"a1b2c3d4e5/dev"} },
		"error stage: a1b2c3d4e5/prod is not in gateway.apis", `rest.yaml:4: gateway.apis: add "a1b2c3d4e5/prod"`},
	{"any API served", func(_ *testing.T, c *Case) { c.Config.Gateway.APIs = nil },
		"note stage: gateway.apis is not set", `gateway.apis: ["a1b2c3d4e5/prod"]`},
	{"longer TTL", func(_ *testing.T, c *Case) { c.Authorizer.TTL = 400 * time.Second },
		"error cache ttl: API Gateway keeps results for 400 s, gateway.cache_ttl is 5m0s",
		`--authorizer-id t0k3n0 --patch-operations '[{"op":"replace","path":"/authorizerResultTtlInSeconds","value":"300"}]' --region eu-central-1`},
	{"shorter TTL", func(_ *testing.T, c *Case) { c.Authorizer.TTL = 0 },
		"warning cache ttl: API Gateway keeps results for 0 s, gateway.cache_ttl is 5m0s", "rest.yaml:3: gateway.cache_ttl: 0s"},
	{"results kept that must not be", func(_ *testing.T, c *Case) { c.Config.Gateway.CacheTTL = 0 },
		"critical cache ttl: API Gateway keeps results for 300 s, gateway.cache_ttl is 0s", "aws apigateway create-deployment --rest-api-id a1b2c3d4e5 --stage-name prod"},
	{"identity source missing", func(_ *testing.T, c *Case) {
		c.Config.Gateway.IdentitySources = append(slices.Clone(c.Config.Gateway.IdentitySources), "context.identity.sourceIp")
	},
		"critical identity sources: context.identity.sourceIp is an identity source in the configuration and not of the authorizer",
		`"value":"method.request.header.Authorization,context.identity.sourceIp"`},
	{"identity source too many", func(_ *testing.T, c *Case) {
		c.Authorizer.IdentitySources = append(c.Authorizer.IdentitySources, "method.request.header.X-Tenant")
	},
		"warning identity sources: method.request.header.X-Tenant is an identity source of the authorizer and not in the configuration", "gateway.identity_sources: add method.request.header.X-Tenant"},
	{"credential where a TOKEN event has none", func(_ *testing.T, c *Case) { c.Config.Bearer.Query = "access_token" },
		"warning authorizer type: a TOKEN authorizer hands over method.request.header.Authorization alone, so bearer.query is never read", `"path":"/type","value":"REQUEST"`},
	{"no credential a TOKEN event could have", func(_ *testing.T, c *Case) { c.Config.Bearer.Header = "X-Token" },
		"error authorizer type: a TOKEN authorizer hands over method.request.header.Authorization alone, so bearer.header is never read", ""},
	{"network behind a TOKEN authorizer", func(_ *testing.T, c *Case) {
		c.Config.Routes = slices.Clone(c.Config.Routes)
		c.Config.Routes[0].Require = []policy.Entry{{JWT: &policy.JWTGrant{}, Networks: []string{"office"}}}
	},
		"error authorizer type: GET /items has an entry that needs a source address or a signature, and a TOKEN event carries neither", "rest.yaml:14: routes[0].require: or drop that entry"},
	{"signature among others behind a TOKEN authorizer", func(_ *testing.T, c *Case) {
		c.Config.Routes = slices.Clone(c.Config.Routes)
		c.Config.Routes[0].Require = append(slices.Clone(c.Config.Routes[0].Require), policy.Entry{Signature: &policy.KeyGrant{}})
		c.Config.Signatures = &httpsig.Config{}
	},
		"warning authorizer type: GET /items has an entry that needs a source address or a signature, and a TOKEN event carries neither", ""},
	{"denied addresses behind a TOKEN authorizer", func(_ *testing.T, c *Case) { c.Config.DenyNetworks = []string{"198.51.100.7/32"} },
		"error authorizer type: deny_networks must be asked, and a TOKEN event carries no source address", `"value":"REQUEST"`},
	{"validation expression that no token matches", func(_ *testing.T, c *Case) { c.Authorizer.Validation = "^[a-f0-9]+$" },
		`error authorizer type: the validation expression "^[a-f0-9]+$" does not match a bearer token`, `"path":"/identityValidationExpression","value":"^.+$"`},
	{"validation expression that no API key matches", func(_ *testing.T, c *Case) {
		c.Authorizer.Validation = "^Bearer [-0-9a-zA-z._]*$"
		c.Config.APIKeys = &apikey.Config{Header: "authorization"}
	},
		`error authorizer type: the validation expression "^Bearer [-0-9a-zA-z._]*$" does not match an API key`, ""},
	{"validation expression of another language", func(_ *testing.T, c *Case) { c.Authorizer.Validation = "(?<!x)Bearer" },
		`note authorizer type: the validation expression "(?<!x)Bearer" was not tried`, ""},
	{"configured route without authorizer", func(t *testing.T, c *Case) {
		c.API.method(t, "GET /items").Authorization = "NONE"
		c.API.deployAll()
		c.API.ResourcePolicy = ""
	},
		"critical configured routes: GET /items is configured and has no authorizer", `aws apigateway update-method --rest-api-id a1b2c3d4e5 --resource-id 1t3ms0 --http-method GET --patch-operations '[{"op":"replace","path":"/authorizationType","value":"CUSTOM"},{"op":"replace","path":"/authorizerId","value":"t0k3n0"}]'`},
	{"more specific method without authorizer", func(_ *testing.T, c *Case) {
		c.API.Methods = append(c.API.Methods, Method{Route: "GET /admin/{proxy+}", Authorization: "NONE", ID: "4dm1np"})
		c.API.deployAll()
		c.API.ResourcePolicy = ""
	},
		"critical configured routes: GET /admin/{proxy+} serves the configured route ANY /admin/{proxy+} and has no authorizer", "--http-method GET"},
	{"path of a configured route without authorizer", func(_ *testing.T, c *Case) {
		c.API.Methods = append(c.API.Methods, Method{Route: "GET /items/export", Authorization: "NONE", ID: "3xp0rt"})
		c.API.deployAll()
		c.API.ResourcePolicy = ""
	},
		"warning routes without authorizer: GET /items/export has no authorizer, and its path belongs to the configured route GET /items/{id}", "--resource-id 3xp0rt"},
	{"preflight that a backend answers", func(_ *testing.T, c *Case) {
		c.API.Methods = append(c.API.Methods, Method{Route: "OPTIONS /admin/{proxy+}", Authorization: "NONE", ID: "4dm1np"})
		c.API.deployAll()
		c.API.ResourcePolicy = ""
	},
		"note configured routes: OPTIONS /admin/{proxy+} serves the configured route ANY /admin/{proxy+} and has no authorizer", ""},
	{"configured route behind something else", func(t *testing.T, c *Case) {
		*c.API.method(t, "GET /items/{id}") = Method{Route: "GET /items/{id}", Authorization: "AWS_IAM", ID: "1t3m00"}
		c.API.deployAll()
	},
		"warning configured routes: GET /items/{id} is configured and is behind something else (AWS_IAM)", ""},
	{"configured route that is not there", func(_ *testing.T, c *Case) {
		c.API.Methods = slices.DeleteFunc(c.API.Methods, func(m Method) bool { return m.Route == "POST /items" })
		c.API.deployAll()
	},
		"warning configured routes: POST /items is configured, and the API has no such route", "rest.yaml:15: routes[1]"},
	{"attached route that nothing opens", func(_ *testing.T, c *Case) {
		c.API.Methods = append(c.API.Methods, Method{Route: "GET /orders", Authorization: "CUSTOM", AuthorizerID: "t0k3n0", ID: "0rd3rs"})
		c.API.deployAll()
	},
		"warning attached routes: GET /orders is behind the authorizer, and no configured route opens it", "add: {route: GET /orders, require: [{jwt: {}}]}"},
	{"attached route that no table can hold", func(_ *testing.T, c *Case) {
		c.API.Methods = append(c.API.Methods, Method{Route: "GET /a*b", Authorization: "CUSTOM", AuthorizerID: "t0k3n0", ID: "0dd000"})
		c.API.deployAll()
	},
		"note attached routes: GET /a*b could not be compared", ""},
	{"older deployment, less protected", func(_ *testing.T, c *Case) {
		c.API.Deployed = slices.Clone(c.API.Deployed)
		c.API.Deployed[2].Authorization = "NONE"
	},
		"critical deployment: the stage serves GET /items without an authorizer: putting it behind one was not deployed", "create-deployment"},
	{"older deployment with an open method", func(_ *testing.T, c *Case) {
		c.API.Deployed = append(c.API.Deployed, Method{Route: "GET /old", Authorization: "NONE"})
	},
		"critical deployment: the stage still serves GET /old without an authorizer, and the API has it no more", ""},
	{"older deployment with a closed method", func(_ *testing.T, c *Case) {
		c.API.Deployed = append(c.API.Deployed, Method{Route: "GET /old", Authorization: "CUSTOM"})
	},
		"warning deployment: the stage still serves GET /old, and the API has it no more", ""},
	{"method not deployed", func(_ *testing.T, c *Case) { c.API.Deployed = c.API.Deployed[1:] },
		"warning deployment: the stage does not serve ANY /admin/{proxy+} yet", ""},
	{"other authorization deployed", func(_ *testing.T, c *Case) { c.API.Deployed[2].Authorization = "AWS_IAM" },
		"warning deployment: the stage serves GET /items with AWS_IAM, the API has CUSTOM", ""},
	{"refusal that looks like success", func(_ *testing.T, c *Case) { c.API.response("ACCESS_DENIED").StatusCode = "200" },
		"error gateway responses: ACCESS_DENIED is answered with 200 in place of 403", `--response-type ACCESS_DENIED --patch-operations '[{"op":"replace","path":"/statusCode","value":"403"}]'`},
	{"refusal of another status", func(_ *testing.T, c *Case) { c.API.response("AUTHORIZER_FAILURE").StatusCode = "503" },
		"warning gateway responses: AUTHORIZER_FAILURE is answered with 503 in place of 500", ""},
	{"no challenge", func(_ *testing.T, c *Case) { c.API.response("UNAUTHORIZED").Parameters = nil },
		"note gateway responses: UNAUTHORIZED sets no WWW-Authenticate header", `"path":"/responseParameters/gatewayresponse.header.WWW-Authenticate","value":"'\''Bearer'\''"`},
	{"context where there is none", func(_ *testing.T, c *Case) {
		c.API.response("UNAUTHORIZED").Templates = map[string]string{"application/json": `{"who":"$context.authorizer.principal"}`}
	},
		"note gateway responses: UNAUTHORIZED's application/json template reads $context.authorizer", ""},
	{"resource policy with an Allow", func(_ *testing.T, c *Case) {
		c.API.ResourcePolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"execute-api:*","Resource":"execute-api:/*"}}`
	},
		"critical resource policy: statement 1 of the resource policy has an Allow that takes in ANY /admin/{proxy+}", `[{"op":"replace","path":"/policy","value":""}]`},
	{"resource policy that shuts out", func(_ *testing.T, c *Case) {
		c.API.ResourcePolicy = `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/prod/OPTIONS/items"}]}`
	},
		"warning resource policy: GET /health has no authorizer, and the resource policy allows it to nobody", "an Allow with the Resource execute-api:/prod/GET/health and nothing wider"},
	{"resource policy that is not JSON", func(_ *testing.T, c *Case) { c.API.ResourcePolicy = "{" },
		"error resource policy: the resource policy cannot be read: unexpected end of JSON input", "aws apigateway get-rest-api"},
	{"usage keys from an authorizer that has none", func(t *testing.T, c *Case) {
		c.API.method(t, "GET /items").KeyRequired = true
		c.API.KeySource = "AUTHORIZER"
	},
		"error usage keys: methods need a usage key from the authorizer, and no API keys are configured", `"path":"/apiKeySource","value":"HEADER"`},
	{"usage keys that are not asked for", func(t *testing.T, c *Case) {
		c.API.method(t, "GET /items").KeyRequired = true
		c.Config.APIKeys = &apikey.Config{Header: "Authorization"}
	},
		"note usage keys: usage plans read their key from the X-API-Key header", `"value":"AUTHORIZER"`},
	{"token that lives shorter than its answer", func(_ *testing.T, c *Case) { c.TokenLifetime = 60 * time.Second },
		"warning token lifetime: results are kept for 300 s, the token lives 60 s", `"value":"60"`},
	{"tokens accepted shorter than the answer", func(_ *testing.T, c *Case) {
		c.Config.Issuers = []jwks.Issuer{{Name: "main", MaxTokenAge: time.Minute}}
	},
		"warning token lifetime: results are kept for 300 s, tokens of main are accepted for 60 s", "issuers[0].max_token_age"},
	{"token lifetime not known", func(_ *testing.T, c *Case) { c.Config.Issuers = []jwks.Issuer{{Name: "main"}} },
		"note token lifetime: how long tokens of main live is not known, so the TTL was not compared with it", "--token"},
}

func TestEachFaultOfAnHTTPAPIIsFoundAndNothingElse(t *testing.T) {
	t.Parallel()
	tryEach(t, soundHTTP, httpChanges)
}

var httpChanges = []change{
	{"kept yes for two configured routes", func(t *testing.T, c *Case) {
		c.Config.Routes = slices.Clone(c.Config.Routes)
		c.Config.Routes[0].Route, c.API.method(t, "GET /items").Route = "ANY /items", "ANY /items"
		c.API.Methods = slices.DeleteFunc(c.API.Methods, func(m Method) bool { return m.Route == "POST /items" })
	},
		"critical configured routes: ANY /items also serves the configured route POST /items, which the API does not have", "add POST /items to the API, behind the authorizer"},
	{"policies where yes and no are wanted", func(_ *testing.T, c *Case) { c.Config.Response.HTTPAPI = "iam" },
		"error response form: the authorizer takes simple answers, response.http_api is iam", "aws apigatewayv2 update-authorizer --api-id h1b2c3d4e5 --authorizer-id s1mpl3 --no-enable-simple-responses"},
	{"yes and no where policies are wanted", func(_ *testing.T, c *Case) { c.Authorizer.Simple = false },
		"error response form: the authorizer takes iam answers, response.http_api is simple", "--enable-simple-responses"},
	{"payload 1.0 without yes and no", func(_ *testing.T, c *Case) { c.Authorizer.Payload = "1.0" },
		"warning payload version: payload format version 1.0, and response.http_api is simple", "--authorizer-payload-format-version 2.0"},
	{"payload of no known version", func(_ *testing.T, c *Case) { c.Authorizer.Payload = "3.0" },
		`error payload version: payload format version "3.0"`, ""},
	{"route key not where it is declared", func(_ *testing.T, c *Case) { slices.Reverse(c.Authorizer.IdentitySources) },
		"error identity sources: identity sources are not in the order of gateway.identity_sources", `--identity-source '$request.header.Authorization' '$context.routeKey'`},
	{"no Lambda authorizer", func(_ *testing.T, c *Case) { c.Authorizer = nil },
		"critical authorizer: the API has no Lambda authorizer", "--authorizer-payload-format-version 2.0 --enable-simple-responses"},
	{"configured route without authorizer", func(t *testing.T, c *Case) { c.API.method(t, "GET /items").Authorization = "NONE" },
		"critical configured routes: GET /items is configured and has no authorizer", "aws apigatewayv2 update-route --api-id h1b2c3d4e5 --route-id r0ut31 --authorization-type CUSTOM --authorizer-id s1mpl3"},
	{"open default route", func(_ *testing.T, c *Case) {
		c.API.Methods = append(c.API.Methods, Method{Route: "$default", Authorization: "NONE", ID: "d3f"})
	},
		"note routes without authorizer: $default has no authorizer and is not configured", ""},
	{"stage that is not deployed by itself", func(_ *testing.T, c *Case) { c.API.AutoDeploy = false },
		"note deployment: the stage does not deploy itself", "aws apigatewayv2 create-deployment --api-id h1b2c3d4e5 --stage-name '$default'"},
}

// tryEach makes one change at a time to a sound API.
func tryEach(t *testing.T, sound func(*testing.T) *Case, changes []change) {
	t.Helper()
	usual := said(Examine(sound(t)))
	for _, x := range changes {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := sound(t)
			x.make(t, c)
			r := Examine(c)
			if got := without(said(r), usual...); len(got) != 1 || got[0] != x.want {
				t.Fatalf("found %q\nwant  %q", got, x.want)
			}
			var fixes []string
			for _, check := range r.Checks {
				for _, f := range check.Findings {
					if f.Why == "" {
						t.Errorf("%s: no reason", f.What)
					}
					fixes = append(fixes, f.Fix...)
				}
			}
			if x.fix != "" && !strings.Contains(strings.Join(fixes, "\n"), x.fix) {
				t.Errorf("no fix has %s:\n%s", x.fix, strings.Join(fixes, "\n"))
			}
		})
	}
}

// response is the gateway response of that type.
func (a *API) response(kind string) *GatewayResponse {
	i := slices.IndexFunc(a.Responses, func(r GatewayResponse) bool { return r.Type == kind })
	return &a.Responses[i]
}

package doctor

import (
	"slices"
	"time"
)

// Kind is the kind of an API.
type Kind string

// The kinds.
const (
	REST      Kind = "REST"
	HTTP      Kind = "HTTP"
	WebSocket Kind = "WebSocket"
)

// API is a live API as far as its authorizers are concerned.
type API struct {
	Kind            Kind
	ID, Name, Stage string
	Region          string
	Authorizers     []Authorizer
	Methods         []Method
	// Deployed are the methods of the stage's deployment, which may be older
	// than Methods. Only REST APIs tell.
	Deployed []Method
	// AutoDeploy tells that the stage has whatever was read. HTTP and
	// WebSocket.
	AutoDeploy bool

	// The rest is of REST APIs alone.

	// Private APIs need a resource policy.
	Private bool
	// KeySource is where usage plans take the key from: HEADER or AUTHORIZER.
	KeySource string
	// ResourcePolicy is a JSON text, empty where there is none.
	ResourcePolicy string
	Responses      []GatewayResponse
}

// Authorizer is one authorizer of an API.
type Authorizer struct {
	ID, Name string
	// Type is TOKEN, REQUEST, COGNITO_USER_POOLS or JWT.
	Type string
	// URI names the function.
	URI string
	// TTL is how long results are kept; zero is off.
	TTL             time.Duration
	IdentitySources []string
	// Validation is the expression that a TOKEN must match.
	Validation string
	// Payload is 1.0 or 2.0, Simple whether answers are yes or no. HTTP APIs.
	Payload string
	Simple  bool
}

// Lambda tells whether a function decides.
func (a Authorizer) Lambda() bool { return a.Type == "TOKEN" || a.Type == "REQUEST" }

// Method is a REST method, or a route of another API.
type Method struct {
	// Route is "METHOD /path" as in the configuration, $default or $connect.
	Route string
	// Authorization is NONE, CUSTOM, AWS_IAM, JWT or COGNITO_USER_POOLS.
	Authorization string
	AuthorizerID  string
	// ID is the resource's of a method, or the route's.
	ID          string
	KeyRequired bool
	// Mock tells that API Gateway answers by itself, as for CORS preflights.
	Mock bool
}

// GatewayResponse is what API Gateway answers by itself.
type GatewayResponse struct {
	Type       string
	StatusCode string
	// Parameters are the headers it sets, Templates its bodies.
	Parameters, Templates map[string]string
}

// Attached tells whether m is behind a.
func (m Method) Attached(a *Authorizer) bool {
	return m.Authorization == "CUSTOM" && m.AuthorizerID == a.ID
}

// Find returns the authorizer of that id or name. With an empty name it is
// the only Lambda authorizer; ambiguous tells that there are more.
func (a *API) Find(name string) (found *Authorizer, ambiguous bool) {
	for i := range a.Authorizers {
		x := &a.Authorizers[i]
		switch {
		case name != "" && (x.ID == name || x.Name == name):
			return x, false
		case name != "" || !x.Lambda():
		case found != nil:
			return nil, true
		default:
			found = x
		}
	}
	return found, false
}

// LambdaAuthorizers are their names and ids, for choosing one.
func (a *API) LambdaAuthorizers() []string {
	var out []string
	for _, x := range a.Authorizers {
		if x.Lambda() {
			out = append(out, x.Name+" ("+x.ID+")")
		}
	}
	slices.Sort(out)
	return out
}

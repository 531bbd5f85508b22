package local

import (
	"fmt"
	"net/http"
	"strings"

	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/secretsmanager"
)

// awsPath is where the AWS endpoints are: API Gateway's flush calls, Secrets
// Manager and STS.
const awsPath = "/aws"

func (s *Stack) awsURL() string { return s.url + awsPath }

// handler gives each path to what serves it. It is no http.ServeMux: that one
// cleans paths, and the stages have to see them as they were sent.
func (s *Stack) handler() http.Handler {
	prefixes := map[string]http.Handler{
		"oidc":   s.issuer.Handler(),
		"health": s.health,
		"aws":    http.StripPrefix(awsPath, s.aws()),
	}
	for _, stage := range s.stages {
		prefixes[stage.Name] = stage.gateway
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if h := prefixes[first]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		s.index(w)
	})
}

// aws is one endpoint for all services, as AWS_ENDPOINT_URL wants it.
func (s *Stack) aws() http.Handler {
	var stages []*gateway.Stage
	for _, stage := range s.stages {
		stages = append(stages, stage.gateway)
	}
	control := gateway.Control(stages...)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.Header.Get("X-Amz-Target"), secretsmanager.Target):
			s.secrets.ServeHTTP(w, r)
		case r.Method == http.MethodPost && r.FormValue("Action") == "GetCallerIdentity":
			callerIdentity(w)
		default:
			control.ServeHTTP(w, r)
		}
	})
}

// index answers a path that is nobody's.
func (s *Stack) index(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprintln(w, "nothing here; what there is:")
	for _, stage := range s.stages {
		fmt.Fprintf(w, "%s/%s/\n", s.url, stage.Name)
	}
	fmt.Fprintf(w, "%s/health\n%s/oidc/.well-known/openid-configuration\n", s.url, s.url)
}

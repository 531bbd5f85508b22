package local_test

import (
	"net/http"
	"strings"
	"testing"

	"lambda-authorizer/local"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/issuer"
)

// cachedPrefixes are the stages whose results are cached, with the flush call
// of their kind of API.
var cachedPrefixes = map[string]string{
	"/rest-token": "/aws/restapis/resttoken1/stages/rest-token/cache/authorizers",
	"/http-iam":   "/aws/v2/apis/httpiam001/stages/http-iam/cache/authorizers",
}

func (s *stack) wantsFrom(t *testing.T, from gateway.Consulted, status int, method, path, token, body string) {
	t.Helper()
	got := s.wants(t, status, method, path, token, body)
	if c := s.consulted(t, got); c != from {
		t.Errorf("%s %s: the authorizer was %s, want %s", method, path, c, from)
	}
}

func TestCachedPolicyIsRightOnEveryRoute(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	const item = `{"name":"x"}`
	for prefix := range cachedPrefixes {
		t.Run(prefix, func(t *testing.T) {
			t.Parallel()
			reader := s.token(t, "items:read")
			s.wantsFrom(t, gateway.Invoked, 200, "GET", prefix+"/items", reader, "")
			s.wantsFrom(t, gateway.AnsweredCached, 200, "GET", prefix+"/items", reader, "")
			s.wantsFrom(t, gateway.AnsweredCached, 404, "GET", prefix+"/items/01ARZ3NDEKTSV4RRFFQ69G5FAV", reader, "")
			s.wantsFrom(t, gateway.AnsweredCached, 403, "POST", prefix+"/items", reader, item)
			s.wantsFrom(t, gateway.AnsweredCached, 403, "DELETE", prefix+"/items/01ARZ3NDEKTSV4RRFFQ69G5FAV", reader, "")

			both := s.token(t, "items:read items:write")
			s.wantsFrom(t, gateway.Invoked, 201, "POST", prefix+"/items", both, item)
			s.wantsFrom(t, gateway.AnsweredCached, 200, "GET", prefix+"/items", both, "")
		})
	}
}

// A REST API sends /items/ to the resource /items. To the authorizer that is a
// path of no route, whether it is asked or its cached policy answers.
func TestTrailingSlashIsRefusedAskedOrCached(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	token := s.token(t, "items:read items:write")
	s.wantsFrom(t, gateway.Invoked, 200, "GET", "/rest/items", token, "")
	s.wantsFrom(t, gateway.Invoked, 403, "GET", "/rest/items/", token, "")
	s.wantsFrom(t, gateway.Invoked, 200, "GET", "/rest-token/items", token, "")
	s.wantsFrom(t, gateway.AnsweredCached, 403, "GET", "/rest-token/items/", token, "")
	s.wantsFrom(t, gateway.AnsweredCached, 403, "POST", "/rest-token/items/", token, `{"name":"x"}`)
	s.wantsFrom(t, gateway.AnsweredCached, 403, "GET", "/rest-token/items/01ARZ3NDEKTSV4RRFFQ69G5FAV/", token, "")

	// The other way round: the refusal is cached, and locks nobody out.
	other := s.token(t, "items:read", func(r *issuer.Request) { r.Subject = t.Name() + "-other" })
	s.wantsFrom(t, gateway.Invoked, 403, "GET", "/rest-token/items/", other, "")
	s.wantsFrom(t, gateway.AnsweredCached, 200, "GET", "/rest-token/items", other, "")
	for stage, who := range map[string]string{"rest": t.Name(), "rest-token": t.Name() + "-other"} {
		s.decided(t, func(d decision) bool {
			return d.Stage == stage && d.Outcome == "deny" && d.Reason == "route_unknown" && strings.HasSuffix(d.Principal, "|"+who)
		})
	}
}

// A caller who is refused on one route must not be locked out of the others.
func TestCachedRefusalLocksNobodyOut(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	for prefix := range cachedPrefixes {
		token := s.token(t, "items:read")
		s.wantsFrom(t, gateway.Invoked, 403, "POST", prefix+"/items", token, `{"name":"x"}`)
		s.wantsFrom(t, gateway.AnsweredCached, 200, "GET", prefix+"/items", token, "")
	}
}

// What does not verify leaves nothing behind, wherever it was tried.
func TestJunkTokenOpensNothingAnywhere(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	for prefix := range cachedPrefixes {
		for _, path := range []string{"/items", "/items/1", "/items"} {
			s.wantsFrom(t, gateway.Invoked, 401, "GET", prefix+path, "junk."+t.Name(), "")
		}
	}
}

func TestUncachedStagesAskEveryTime(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	for _, prefix := range []string{"/rest", "/http"} {
		token := s.token(t, "items:read")
		for range 2 {
			s.wantsFrom(t, gateway.Invoked, 200, "GET", prefix+"/items", token, "")
		}
		// A simple answer decides one request, not the caller.
		s.wantsFrom(t, gateway.Invoked, 403, "POST", prefix+"/items", token, `{"name":"x"}`)
	}
}

// flush makes one of the flush calls.
func (s *stack) flush(t *testing.T, call string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.URL()+call, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode >= 300 {
		t.Errorf("%s: %s", call, response.Status)
	}
}

func TestFlushMakesTheAuthorizerBeAskedAgain(t *testing.T) {
	t.Parallel()
	s := ownStack(t, "") // a flush of the shared one would disturb others
	for prefix, call := range cachedPrefixes {
		token := s.token(t, "items:read")
		s.wantsFrom(t, gateway.Invoked, 200, "GET", prefix+"/items", token, "")
		s.wantsFrom(t, gateway.AnsweredCached, 200, "GET", prefix+"/items", token, "")
		s.flush(t, call)
		s.wantsFrom(t, gateway.Invoked, 200, "GET", prefix+"/items", token, "")
	}
}

func TestCacheCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	s := ownStack(t, "", func(o *local.Options) { o.CacheTTL = 0 })
	for prefix := range cachedPrefixes {
		token := s.token(t, "items:read")
		for range 2 {
			s.wantsFrom(t, gateway.Invoked, 200, "GET", prefix+"/items", token, "")
		}
	}
}

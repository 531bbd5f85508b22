package gateway_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"lambda-authorizer/local/gateway"
)

// AWS's clients encode the dollar sign.
func TestFlushCallNamesTheDefaultStageEncoded(t *testing.T) {
	t.Parallel()
	w := deploy(t, gateway.HTTP2IAM, cachedFor(time.Minute), func(o *gateway.Options) { o.Stage = "$default" })
	w.wants(200, "GET", "/items", token)
	recorder := httptest.NewRecorder()
	gateway.Control(w.Stage).ServeHTTP(recorder, httptest.NewRequest("DELETE", "/v2/apis/api0000001/stages/%24default/cache/authorizers", nil))
	if recorder.Code != 204 {
		t.Errorf("status %d", recorder.Code)
	}
	w.wants(200, "GET", "/items", token)
	w.askedTimes(2)
}

func TestFlushCallsOfTheManagementAPIs(t *testing.T) {
	t.Parallel()
	rest := deploy(t, gateway.RESTToken, cachedFor(time.Minute), func(o *gateway.Options) { o.API = "rest000001" })
	http := deploy(t, gateway.HTTP2IAM, cachedFor(time.Minute), func(o *gateway.Options) { o.API = "http000001" })
	control := gateway.Control(rest.Stage, http.Stage)
	for _, c := range []struct {
		method, path string
		status       int
		rest, http   int // how often the functions have been asked afterwards
	}{
		{"GET", "/nothing", 404, 1, 1},
		{"DELETE", "/restapis/rest000001/stages/test/cache/authorizers", 202, 2, 1},
		{"DELETE", "/v2/apis/http000001/stages/test/cache/authorizers", 204, 2, 2},
		// The API of the other kind, another stage, another cache.
		{"DELETE", "/v2/apis/rest000001/stages/test/cache/authorizers", 404, 2, 2},
		{"DELETE", "/restapis/http000001/stages/test/cache/authorizers", 404, 2, 2},
		{"DELETE", "/restapis/rest000001/stages/other/cache/authorizers", 404, 2, 2},
		{"DELETE", "/restapis/rest000001/stages/test/cache/data", 404, 2, 2},
		{"POST", "/restapis/rest000001/stages/test/cache/authorizers", 405, 2, 2},
	} {
		recorder := httptest.NewRecorder()
		control.ServeHTTP(recorder, httptest.NewRequest(c.method, c.path, nil))
		if recorder.Code != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, recorder.Code, c.status)
		}
		for _, w := range []*world{rest, http} {
			w.wants(200, "GET", "/test/items", token)
		}
		rest.askedTimes(c.rest)
		http.askedTimes(c.http)
	}
}

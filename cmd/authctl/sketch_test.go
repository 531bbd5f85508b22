package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
)

// Whatever is sketched, the event is one that the function reads, of the kind
// and with the path that were asked for; or the sketch is refused as wrong
// usage.
func FuzzSketch(f *testing.F) {
	cfg, err := config.Load(filepath.Join(recordings, "configs", "simple-cached.yaml"), os.LookupEnv)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("rest", "GET", "/items?a=1&b", "Authorization: Bearer x", "")
	f.Add("rest-token", "DELETE", "/items/a%2Fb", "authorization:x", "prod")
	f.Add("http1", "POST", "/a%3Fb", "Cookie: a=b; c", "$default")
	f.Add("http2", "GET", "/items/%zz", "X: ", "")
	f.Add("websocket", "", "", "A: b", "")
	kinds := map[string]authorizer.Kind{
		"rest-token": authorizer.RESTToken, "rest": authorizer.RESTRequest, "http1": authorizer.HTTP1,
		"http2": authorizer.HTTP2, "websocket": authorizer.WebSocket,
	}
	f.Fuzz(func(t *testing.T, kind, method, target, header, stage string) {
		r, err := sketch{kind: kind, method: method, target: target, headers: []string{header}, stage: stage, sourceIP: "192.0.2.1"}.complete(cfg)
		if err != nil {
			if e, ok := err.(exit); !ok || e.status != exitUsage {
				t.Fatalf("%v", err)
			}
			return
		}
		payload, err := r.event()
		if err != nil {
			t.Fatal(err)
		}
		req, err := authorizer.ParseEvent(payload)
		if err != nil {
			if strings.Contains(err.Error(), "ARN") {
				return // a method or a stage that no ARN holds
			}
			t.Fatalf("%s: %v", payload, err)
		}
		if req.Kind != kinds[r.kind] {
			t.Errorf("kind %s, want %s", req.Kind, r.kind)
		}
		if kind == "rest" && "/"+req.ARN.Path != r.path {
			t.Errorf("path %q, want %q", req.ARN.Path, r.path)
		}
	})
}

func TestRequestWithoutAnIdentitySourceNeverReachesTheFunction(t *testing.T) {
	t.Parallel()
	configs := filepath.Join(recordings, "configs")
	for _, c := range []struct {
		config string
		args   []string
		want   string
	}{
		{"cached", []string{"--path", "/items"}, "method.request.header.Authorization"},
		{"cached", []string{"--kind", "rest-token", "--path", "/items"}, "method.request.header.Authorization"},
		{"simple-cached", []string{"--path", "/nowhere", "-H", "Authorization: Bearer x"}, "$context.routeKey"},
		{"simple-cached", []string{"--path", "/items"}, "$request.header.Authorization"},
	} {
		x := explainJSON(t, append([]string{"--config", filepath.Join(configs, c.config+".yaml")}, c.args...)...)
		if len(x.Missing) != 1 || x.Missing[0] != c.want {
			t.Errorf("%s %v: missing %v, want %s", c.config, c.args, x.Missing, c.want)
		}
	}
}

package local_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"lambda-authorizer/local"
	"lambda-authorizer/local/gateway"
)

// A token may come in the query there, which the identity source of a caching
// stage does not tell apart.
const unsafeToCache = `
tables: {revocations: none}
issuers:
  - {name: main, issuer: "${ISSUER}", audiences: ["${AUDIENCE}"]}
bearer: {query: access_token}
routes:
  - route: GET /items
    require: [{jwt: {scopes: [items:read]}}]
  - route: $connect
    require: [{jwt: {scopes: [items:read]}}]
`

func TestStageThatItsOverlayMakesInvalidSaysWhyAndStaysClosed(t *testing.T) {
	t.Parallel()
	s := ownStack(t, unsafeToCache)
	for _, stage := range s.Stages() {
		caches := stage.Kind == gateway.RESTToken || stage.Kind == gateway.HTTP2IAM
		if closed := stage.Closed != ""; closed != caches {
			t.Errorf("/%s: closed is %t: %s", stage.Name, closed, stage.Closed)
		}
		if caches && (!strings.Contains(stage.Closed, filepath.Join(s.dir, "my.yaml")) || !strings.Contains(stage.Closed, "query")) {
			t.Errorf("/%s does not say why in the words of the file: %s", stage.Name, stage.Closed)
		}
	}
	token := s.token(t, "items:read")
	for prefix, status := range map[string]int{"/rest-token": 500, "/http-iam": 500, "/rest": 200, "/http": 200} {
		s.wants(t, status, "GET", prefix+"/items", token, "")
	}
	s.wants(t, 200, "GET", "/rest/items?access_token="+token, "", "")
}

func TestConfigurationErrorNamesTheLineOfTheUsersFile(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(unsafeToCache, "issuers:", "isuers:", 1)
	s := ownStack(t, broken)
	line := strconv.Itoa(1 + strings.Count(broken[:strings.Index(broken, "isuers")], "\n"))
	for _, stage := range s.Stages() {
		if !strings.Contains(stage.Closed, filepath.Join(s.dir, "my.yaml")+":"+line+":") {
			t.Errorf("/%s: %s, want line %s", stage.Name, stage.Closed, line)
		}
	}
}

func TestMalformedRouteClosesTheStagesAndNamesItsLine(t *testing.T) {
	t.Parallel()
	config := strings.Replace(unsafeToCache, "bearer: {query: access_token}\n", "", 1)
	first := 1 + strings.Count(config, "\n")
	malformed := []string{"FETCH items", "5", `""`, "$disconnect", `"GET  /x"`, "[]"}
	for _, route := range malformed {
		config += "  - {route: " + route + ", require: [{jwt: {}}]}\n"
	}
	s := ownStack(t, config)
	for _, stage := range s.Stages() {
		for i, route := range malformed {
			if at := filepath.Join(s.dir, "my.yaml") + ":" + strconv.Itoa(first+i) + ":"; !strings.Contains(stage.Closed, at) {
				t.Errorf("/%s, route: %s: no complaint about %s in\n%s", stage.Name, route, at, stage.Closed)
			}
		}
	}
	s.wants(t, 500, "GET", "/rest/items", s.token(t, "items:read"), "")
}

func TestConfigurationInJSONIsStagedLikeAnyOther(t *testing.T) {
	t.Parallel()
	s := ownStack(t, `{"tables": {"revocations": "none"},
"issuers": [{"name": "main", "issuer": "${ISSUER}", "audiences": ["${AUDIENCE}"]}],
"routes": [{"route": "GET /items", "require": [{"jwt": {"scopes": ["items:read"]}}]}]}
`)
	for prefix := range prefixes {
		s.wants(t, 200, "GET", prefix+"/items", s.token(t, "items:read"), "")
	}
}

// Production would not start with it, so the stages must not.
func TestMistakeBesideWhatAStageSetsClosesItWithItsLine(t *testing.T) {
	t.Parallel()
	s := ownStack(t, `gateway:
  cache_ttl: 60s
  cache_ttll: 5m
response:
  unauthenticated: bogus
  foo: 1
`+strings.Replace(unsafeToCache, "bearer: {query: access_token}\n", "", 1))
	for _, stage := range s.Stages() {
		for _, want := range []string{":3: gateway.cache_ttll: ", ":5: response.unauthenticated: ", ":6: response.foo: "} {
			if !strings.Contains(stage.Closed, filepath.Join(s.dir, "my.yaml")+want) {
				t.Errorf("/%s: no %s in\n%s", stage.Name, want, stage.Closed)
			}
		}
	}
}

func TestMissingConfigurationOrBootstrapIsNamed(t *testing.T) {
	t.Parallel()
	for what, o := range map[string]local.Options{
		"no-such.yaml":      {Config: "no-such.yaml"},
		"no-such-bootstrap": {Config: defaultConfig, Items: "/no-such-bootstrap"},
	} {
		o.Dir, o.Address = t.TempDir(), "127.0.0.1:0"
		s, err := local.Start(t.Context(), o)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestBusyPortIsAClearMessage(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	address := busy.Addr().String()
	_, err = local.Start(t.Context(), local.Options{Address: address, Dir: t.TempDir(), Config: defaultConfig})
	var taken *local.BusyError
	if !errors.As(err, &taken) {
		t.Fatalf("Start = %v", err)
	}
	port := busy.Addr().(*net.TCPAddr).Port
	want := "port " + strconv.Itoa(port) + " is in use: set LOCAL_ADDR=127.0.0.1:" + strconv.Itoa(port+1)
	if err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
}

// Sourcing a file that is gone, or another's, would send the next command of
// authctl elsewhere than the user means.
func TestEnvironmentFileIsRemovedOnlyByTheStackThatWroteIt(t *testing.T) {
	t.Parallel()
	s := ownStack(t, "")
	written, err := os.ReadFile(s.EnvPath())
	if err != nil {
		t.Fatal(err)
	}
	_, err = start(t.Context(), local.Options{Dir: s.dir, Address: strings.TrimPrefix(s.URL(), "http://")})
	if taken := new(local.BusyError); !errors.As(err, &taken) {
		t.Fatalf("Start = %v", err)
	}
	if left, err := os.ReadFile(s.EnvPath()); string(left) != string(written) {
		t.Errorf("after a second stack on the busy port: %q, %v", left, err)
	}
	const others = "export LOCAL_URL='http://127.0.0.1:1'\n"
	if err := os.WriteFile(s.EnvPath(), []byte(others), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if left, err := os.ReadFile(s.EnvPath()); string(left) != others {
		t.Errorf("after Close: %q, %v", left, err)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := ownStack(t, "")
	running := s.PIDs()
	if len(running) < len(s.Stages())+1 { // and items; DynamoDB may be another's
		t.Fatalf("only %d processes: %v", len(running), running)
	}
	s.Close()
	for _, pid := range running {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d is left", pid)
		}
	}
	if _, err := os.Stat(s.EnvPath()); err == nil {
		t.Errorf("%s is left", s.EnvPath())
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://")); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
	s.Close() // twice does no harm
}

func TestStartCanBeInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := start(ctx, local.Options{Dir: t.TempDir()})
	if err == nil {
		s.Close()
		t.Error("Start succeeds with a context that is done")
	}
}

package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lambda-authorizer/local"
	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/issuer"
)

// defaultConfig is the configuration that ships.
const defaultConfig = "../deploy/authorizer.yaml"

// binaries is the directory of the two bootstraps, built once, as make does.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "local")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"authorizer", "items"} {
		out := filepath.Join(dir, name, "bootstrap")
		build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", out, "lambda-authorizer/cmd/"+name)
		if said, err := build.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("go build %s: %w\n%s", name, err, said)
		}
	}
	return dir, nil
})

// shared is the stack of the shipped configuration, that most tests use.
var shared = sync.OnceValues(func() (*stack, error) {
	dir, err := os.MkdirTemp("", "stack")
	if err != nil {
		return nil, err
	}
	return start(context.Background(), local.Options{Dir: dir, CacheTTL: 5 * time.Minute})
})

func TestMain(m *testing.M) {
	code := m.Run()
	if s, err := shared(); err == nil {
		s.Close()
		os.RemoveAll(filepath.Dir(s.EnvPath()))
	}
	if dir, _ := binaries(); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// stack is a running stack and what it said.
type stack struct {
	*local.Stack
	dir string

	mu        sync.Mutex
	decisions []decision
	access    []gateway.Access
	logs      []string
}

// decision is a decision line, in so far as the tests look at it.
type decision struct {
	Outcome   string `json:"outcome"`
	Reason    string `json:"reason"`
	Event     string `json:"event"`
	APIID     string `json:"api_id"`
	Stage     string `json:"stage"`
	Route     string `json:"route"`
	Principal string `json:"principal"`
	Detail    string `json:"detail"`
}

func start(ctx context.Context, o local.Options) (*stack, error) {
	dir, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &stack{dir: o.Dir}
	o.Authorizer = filepath.Join(dir, "authorizer", "bootstrap")
	o.Items = filepath.Join(dir, "items", "bootstrap")
	if o.Config == "" {
		o.Config = defaultConfig
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.DynamoDB.Endpoint == "" {
		o.DynamoDB.Endpoint = os.Getenv(dynamo.EndpointVariable)
	}
	o.Watch = s.watch()
	s.Stack, err = local.Start(ctx, o)
	return s, err
}

func (s *stack) watch() local.Watch {
	return local.Watch{
		Decision: func(_ string, line []byte) {
			var d decision
			if err := json.Unmarshal(line, &d); err != nil {
				d.Detail = "not a decision line: " + string(line)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.decisions = append(s.decisions, d)
		},
		Access: func(a gateway.Access) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.access = append(s.access, a)
		},
		Log: func(function string, line []byte) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.logs = append(s.logs, function+": "+string(line))
		},
	}
}

// theStack is the shared one.
func theStack(t *testing.T) *stack {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ownStack is one with another configuration, for this test alone.
func ownStack(t *testing.T, config string, change ...func(*local.Options)) *stack {
	t.Helper()
	o := local.Options{Dir: t.TempDir(), CacheTTL: 5 * time.Minute}
	if config != "" {
		o.Config = filepath.Join(o.Dir, "my.yaml")
		if err := os.WriteFile(o.Config, []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range change {
		f(&o)
	}
	s, err := start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// token makes a token of a subject of the test's own, so that no two tests
// share a cached result.
func (s *stack) token(t *testing.T, scope string, change ...func(*issuer.Request)) string {
	t.Helper()
	r := issuer.Request{Subject: t.Name(), Scope: scope}
	for _, f := range change {
		f(&r)
	}
	token, err := s.Issuer().Mint(r)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// reply is an answer, read.
type reply struct {
	status int
	header http.Header
	body   string
}

// location is the path that the Location of a reply to target means.
func (r reply) location(t *testing.T, target string) string {
	t.Helper()
	reference, err := url.Parse(r.header.Get("Location"))
	if err != nil || r.header.Get("Location") == "" {
		t.Fatalf("%s: Location %q, %v", target, r.header.Get("Location"), err)
	}
	return (&url.URL{Path: target}).ResolveReference(reference).EscapedPath()
}

// send sends a request with a bearer token, "" for none.
func (s *stack) send(t *testing.T, method, path, token, body string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) reply {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{status: response.StatusCode, header: response.Header, body: string(text)}
}

// wants checks the status of a request.
func (s *stack) wants(t *testing.T, status int, method, path, token, body string) reply {
	t.Helper()
	got := s.send(t, method, path, token, body)
	if got.status != status {
		t.Errorf("%s %s: %d %s, want %d", method, path, got.status, got.body, status)
	}
	return got
}

// await waits for a line that was written, and fails where it never comes.
func await[T any](t *testing.T, s *stack, lines *[]T, what string, is func(T) bool) T {
	t.Helper()
	for range 1000 {
		s.mu.Lock()
		i := slices.IndexFunc(*lines, is)
		if i >= 0 {
			defer s.mu.Unlock()
			return (*lines)[i]
		}
		s.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("no line of %s", what)
	panic("unreachable")
}

// consulted is what became of the authorizer in the request with that id.
func (s *stack) consulted(t *testing.T, r reply) gateway.Consulted {
	t.Helper()
	id := r.header.Get("Apigw-Requestid") + r.header.Get("X-Amzn-Requestid")
	return await(t, s, &s.access, "request "+id, func(a gateway.Access) bool { return a.RequestID == id }).Authorizer
}

// decided is the decision line of a principal on a route, by stage.
func (s *stack) decided(t *testing.T, is func(decision) bool) decision {
	t.Helper()
	return await(t, s, &s.decisions, "the decision", is)
}

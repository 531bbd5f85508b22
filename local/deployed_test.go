package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/runtimeapi"
	"lambda-authorizer/secrets"
)

// deployed is a real authorizer behind an API whose settings a test chooses:
// those of make run have one identity source at most.
type deployed struct {
	*gateway.Stage

	mu      sync.Mutex
	reasons []string
	access  []gateway.Access
}

// usualIssuer is the stack's.
const usualIssuer = `
tables: {revocations: none, nonces: local-nonces}
issuers: [{name: main, issuer: "${ISSUER}", audiences: ["${AUDIENCE}"], leeway: 1s}]
`

// bootstrap is the function of a configuration, beside the shared stack.
func (s *stack) bootstrap(t *testing.T, config string, stdout func([]byte)) *runtimeapi.Function {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "authorizer.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	f := runtimeapi.New(runtimeapi.Options{
		Name: "authorizer-deployed", Bootstrap: filepath.Join(dir, "authorizer", "bootstrap"), Timeout: 10 * time.Second,
		Env: []string{
			"AUTHORIZER_CONFIG=" + path, "ISSUER=" + s.Issuer().URL(), "AUDIENCE=local-api", "AWS_ENDPOINT_URL=" + s.URL() + "/aws",
			"AWS_ENDPOINT_URL_DYNAMODB=" + s.DynamoDB(), "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + s.URL() + "/aws",
		},
		Stdout: stdout,
	})
	t.Cleanup(f.Close)
	return f
}

// deploy starts a function and puts an API in front of it, with these identity
// sources and a TTL of five minutes, none with no sources.
func (s *stack) deploy(t *testing.T, kind gateway.Kind, config string, sources ...string) *deployed {
	t.Helper()
	d := &deployed{}
	f := s.bootstrap(t, config, func(line []byte) {
		var said decision
		if err := json.Unmarshal(line, &said); err != nil {
			said.Reason = "not a decision line: " + string(line)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.reasons = append(d.reasons, said.Reason)
	})
	if err := f.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	ttl := 5 * time.Minute
	if len(sources) == 0 {
		ttl = 0
	}
	var err error
	d.Stage, err = gateway.New(gateway.Options{
		Kind: kind, API: "deployed01", Stage: "prod",
		Routes:     []string{"GET /items", "POST /items", "GET /office", "GET /vault"},
		Authorizer: &gateway.Authorizer{Function: f.Invoke, TTL: ttl, IdentitySources: sources},
		Backend:    func(context.Context, []byte) ([]byte, error) { return []byte(`{"statusCode":200,"body":"{}"}`), nil },
		Access: func(a gateway.Access) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.access = append(d.access, a)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// refusesToStart checks that a configuration stops the function, in words that
// name the route and the ways out.
func (s *stack) refusesToStart(t *testing.T, config string, says ...string) {
	t.Helper()
	err := s.bootstrap(t, config, nil).Warm(t.Context())
	var failed *runtimeapi.InitError
	if !errors.As(err, &failed) {
		t.Fatalf("it starts: %v", err)
	}
	for _, want := range append(says, "gateway.cache_ttl: 0s") {
		if !strings.Contains(failed.Why, want) {
			t.Errorf("it says\n%s\nand not %q", failed.Why, want)
		}
	}
}

// step is a request and what becomes of it.
type step struct {
	route     string
	parts     []part
	status    int
	consulted gateway.Consulted
	// reason is the decision line's, where the function was invoked.
	reason string
}

// part puts something on a request.
type part func(*http.Request) error

func with(header, value string) part {
	return func(r *http.Request) error { r.Header.Set(header, value); return nil }
}

func from(address string) part {
	return func(r *http.Request) error { r.RemoteAddr = address + ":1000"; return nil }
}

// walk takes steps in their order.
func (d *deployed) walk(t *testing.T, steps ...step) {
	t.Helper()
	for n, c := range steps {
		method, path, _ := strings.Cut(c.route, " ")
		r := httptest.NewRequest(method, "https://api.example.com/prod"+path, nil)
		r.RemoteAddr = "192.0.2.44:1000"
		for _, put := range c.parts {
			if err := put(r); err != nil {
				t.Fatal(err)
			}
		}
		r.RequestURI = r.URL.RequestURI()
		d.take(t, n, c, r)
	}
}

// take sends a request, and waits for the decision line if there must be one.
func (d *deployed) take(t *testing.T, n int, c step, r *http.Request) {
	t.Helper()
	d.mu.Lock()
	before := len(d.reasons)
	d.mu.Unlock()
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	reason := ""
	for range 1000 {
		d.mu.Lock()
		come := len(d.reasons) > before
		if come {
			reason = d.reasons[len(d.reasons)-1]
		}
		consulted := d.access[len(d.access)-1].Authorizer
		d.mu.Unlock()
		if come || consulted != gateway.Invoked {
			if w.Code != c.status || consulted != c.consulted || reason != c.reason {
				t.Errorf("step %d, %s: %d, the authorizer was %s, reason %q; want %d, %s, %q", n+1, c.route, w.Code, consulted, reason, c.status, c.consulted, c.reason)
			}
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Errorf("step %d, %s: no decision line", n+1, c.route)
}

// writer changes the stack's secrets as an operator does. The secret is made
// where it is not there.
func (s *stack) writer(t *testing.T, secret string) *secrets.Writer {
	t.Helper()
	s.makeSecret(t, secret)
	return &secrets.Writer{Clients: secrets.NewClients(func(context.Context) (aws.Config, error) {
		return aws.Config{Region: "eu-central-1", BaseEndpoint: aws.String(s.URL() + "/aws"), Credentials: madeUp}, nil
	})}
}

// apiKey makes an API key in a secret of this test's own.
func (s *stack) apiKey(t *testing.T, secret string, g apikey.Grant) string {
	t.Helper()
	key, err := (&apikey.Operator{Documents: s.writer(t, secret)}).Create(t.Context(), secret, g)
	if err != nil {
		t.Fatal(err)
	}
	return key.Text
}

// signer makes a signing key in a secret of this test's own.
func (s *stack) signer(t *testing.T, secret string, g httpsig.Grant) *httpsig.Signer {
	t.Helper()
	key, err := (&httpsig.Operator{Documents: s.writer(t, secret)}).Create(t.Context(), secret, g)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := httpsig.NewSigner(key.ID, key.Text)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

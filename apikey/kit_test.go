package apikey_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/apikey"
	"lambda-authorizer/local/secretsmanager"
	"lambda-authorizer/secrets"
)

// start is when every test begins.
var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// service is Secrets Manager on loopback, with a clock set by hand.
type service struct {
	server  *secretsmanager.Server
	clients *secrets.Clients
	down    atomic.Bool
	reads   atomic.Int64

	mu  sync.Mutex
	now time.Time
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{now: start, server: secretsmanager.New("eu-central-1", "123456789012")}
	s.server.Now = s.Now
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetSecretValue") {
			s.reads.Add(1)
		}
		if s.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.server.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.clients = secrets.NewClients(func(context.Context) (aws.Config, error) {
		return aws.Config{
			Region: "eu-central-1", BaseEndpoint: aws.String(server.URL),
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		}, nil
	}, func(o *sdk.Options) { o.Retryer = aws.NopRetryer{} })
	return s
}

func (s *service) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *service) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// verifier reads the secrets as the authorizer does.
func (s *service) verifier(names ...string) *apikey.Verifier {
	reader := secrets.NewReader(names, rules.Parse, secrets.Options{Clients: s.clients, Now: s.Now, Refresh: 5 * time.Minute})
	return apikey.NewVerifier(reader, s.Now)
}

// operator does not pause between attempts.
func (s *service) operator() *apikey.Operator {
	return &apikey.Operator{Rules: rules, Now: s.Now, Documents: &secrets.Writer{Clients: s.clients, Pause: func(context.Context, time.Duration) error {
		runtime.Gosched()
		return nil
	}}}
}

// create makes a secret with records, given as the members of "keys".
func (s *service) create(t testing.TB, name string, records map[string]map[string]any) {
	t.Helper()
	if records == nil {
		records = map[string]map[string]any{}
	}
	text, err := json.Marshal(map[string]any{"keys": records})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.server.Create(name, string(text)); err != nil {
		t.Fatal(err)
	}
}

// secretOf is a secret that only the key of this name has.
func secretOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])[:43]
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// record is that of the key whose secret is secretOf(name), with more members.
func record(name string, more ...any) map[string]any {
	out := map[string]any{"sha256": hashOf(secretOf(name)), "principal": "partner-" + name}
	for n := 0; n < len(more); n += 2 {
		out[more[n].(string)] = more[n+1]
	}
	return out
}

// at writes a time some way from the start.
func at(d time.Duration) string { return start.Add(d).Format(time.RFC3339) }

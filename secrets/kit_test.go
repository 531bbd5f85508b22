package secrets_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/local/secretsmanager"
	"lambda-authorizer/secrets"
)

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// service is Secrets Manager on loopback, which can be made to fail.
type service struct {
	*clock
	server  *secretsmanager.Server
	client  *sdk.Client      // of an operator
	clients *secrets.Clients // of what is tested
	events  *events

	fail  atomic.Pointer[http.HandlerFunc] // answers instead, if set
	reads atomic.Int64                     // calls of GetSecretValue
	loads atomic.Int64                     // of the SDK's configuration
	mu    sync.Mutex
	asked []string // the Regions that requests were signed for
}

// once makes every call a single try, so that a failing service is not waited for.
func once(o *sdk.Options) { o.Retryer = aws.NopRetryer{} }

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{clock: &clock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}, events: &events{}}
	s.server = secretsmanager.New("eu-central-1", "123456789012")
	s.server.Now = s.Now
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	config := aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
	s.client = sdk.NewFromConfig(config)
	s.clients = secrets.NewClients(func(context.Context) (aws.Config, error) {
		s.loads.Add(1)
		return config, nil
	}, once)
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetSecretValue") {
		s.reads.Add(1)
	}
	if _, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential=local/"); ok {
		s.mu.Lock()
		s.asked = append(s.asked, strings.Split(scope, "/")[1])
		s.mu.Unlock()
	}
	if fail := s.fail.Load(); fail != nil {
		(*fail)(w, r)
		return
	}
	s.server.ServeHTTP(w, r)
}

// down makes every call fail until up.
func (s *service) down() {
	s.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
}

func (s *service) answer(f http.HandlerFunc) { s.fail.Store(&f) }

func (s *service) up() { s.fail.Store(nil) }

// create adds a secret.
func (s *service) create(t testing.TB, name, text string) {
	t.Helper()
	if err := s.server.Create(name, text); err != nil {
		t.Fatal(err)
	}
}

// put gives a secret a new value.
func (s *service) put(t *testing.T, name, text string) {
	t.Helper()
	if _, err := s.client.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: &name, SecretString: &text}); err != nil {
		t.Fatal(err)
	}
}

// events are what a Reader told.
type events struct {
	mu  sync.Mutex
	all []secrets.ReadEvent
}

func (e *events) add(one secrets.ReadEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, one)
}

func (e *events) last(t *testing.T) secrets.ReadEvent {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.all) == 0 {
		t.Fatal("no event")
	}
	return e.all[len(e.all)-1]
}

// parse reads "id=value" lines; a line without = is a bad record, a text with
// "broken" is no document.
func parse(text []byte) (map[string]string, []error) {
	if strings.Contains(string(text), "broken") {
		return nil, []error{errors.New("broken")}
	}
	out, bad := map[string]string{}, []error(nil)
	for line := range strings.Lines(string(text)) {
		id, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			bad = append(bad, errors.New("a line without ="))
			continue
		}
		out[id] = value
	}
	return out, bad
}

// reader reads the secrets with parse, refreshed every five minutes.
func (s *service) reader(names ...string) *secrets.Reader[string] {
	return s.readerWith(secrets.Options{}, names...)
}

func (s *service) readerWith(o secrets.Options, names ...string) *secrets.Reader[string] {
	o.Clients, o.Now, o.OnRead = s.clients, s.Now, s.events.add
	if o.Refresh == 0 {
		o.Refresh = 5 * time.Minute
	}
	return secrets.NewReader(names, parse, o)
}

// get returns the record of id, "" where there is none.
func get(t *testing.T, r *secrets.Reader[string], id string) string {
	t.Helper()
	record, ok, err := r.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get(%s): %v", id, err)
	}
	if !ok && record != "" {
		t.Fatalf("Get(%s): not found, and %q", id, record)
	}
	return record
}

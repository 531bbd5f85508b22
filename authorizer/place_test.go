package authorizer_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/secretsmanager"
	"lambda-authorizer/nonces"
	"lambda-authorizer/revocation"
	"lambda-authorizer/secrets"
)

// place is what the functions of a test reach of AWS, over the wire: Secrets
// Manager and two tables. Its clock is theirs.
type place struct {
	*clock
	secrets             *secretsmanager.Server
	url                 string
	revocations, nonces string
	dynamo              http.Handler

	// A service that is down answers 503; one that hangs, nothing until the
	// test ends.
	secretsDown, tablesDown, secretsHang atomic.Bool
	ended                                chan struct{}

	mu    sync.Mutex
	calls map[string]int // by operation
}

// clock is a clock that moves when it is told to.
type clock struct{ ns atomic.Int64 }

func (c *clock) Now() time.Time      { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) Add(d time.Duration) { c.ns.Add(int64(d)) }

func newPlace(t testing.TB) *place {
	t.Helper()
	target, err := url.Parse(server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{
		clock: new(clock), secrets: secretsmanager.New("eu-central-1", "123456789012"),
		dynamo: httputil.NewSingleHostReverseProxy(target), calls: map[string]int{}, ended: make(chan struct{}),
	}
	p.ns.Store(noon.UnixNano())
	p.secrets.Now = p.Now
	front := httptest.NewServer(p)
	t.Cleanup(func() { close(p.ended); front.Close() })
	p.url = front.URL
	p.revocations, p.nonces = p.table(t, revocation.TableInput), p.table(t, nonces.TableInput)
	return p
}

func (p *place) table(t testing.TB, input func(string) *dynamodb.CreateTableInput) string {
	t.Helper()
	name := server.TableName()
	if _, err := server.Client().CreateTable(context.Background(), input(name)); err != nil {
		t.Fatal(err)
	}
	return name
}

// ServeHTTP is the endpoint of both services.
func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	p.mu.Lock()
	p.calls[operation]++
	p.mu.Unlock()
	isSecrets := service == strings.TrimSuffix(secretsmanager.Target, ".")
	switch {
	case isSecrets && p.secretsHang.Load():
		<-p.ended
	case isSecrets && p.secretsDown.Load(), !isSecrets && p.tablesDown.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
	case isSecrets:
		p.secrets.ServeHTTP(w, r)
	default:
		p.dynamo.ServeHTTP(w, r)
	}
}

// count tells how many calls of an operation came so far.
func (p *place) count(operation string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[operation]
}

func (p *place) aws(context.Context) (aws.Config, error) {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(p.url),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, nil
}

// writer changes secrets as an operator does, past what is down.
func (p *place) writer(t testing.TB) *secrets.Writer {
	front := httptest.NewServer(p.secrets)
	t.Cleanup(front.Close)
	return &secrets.Writer{Clients: secrets.NewClients(func(ctx context.Context) (aws.Config, error) {
		c, err := p.aws(ctx)
		c.BaseEndpoint = aws.String(front.URL)
		return c, err
	})}
}

// secret makes sure that there is a secret for keys.
func (p *place) secret(t testing.TB, name string) {
	t.Helper()
	if p.secrets.Has(name) {
		return
	}
	if err := p.secrets.Create(name, `{"keys":{}}`); err != nil {
		t.Fatal(err)
	}
}

func (p *place) apiKeys(t testing.TB) *apikey.Operator {
	return &apikey.Operator{Documents: p.writer(t), Now: p.Now}
}

func (p *place) signingKeys(t testing.TB) *httpsig.Operator {
	return &httpsig.Operator{Documents: p.writer(t), Now: p.Now}
}

// apiKey makes an API key in the secret api-keys and returns its text.
func (p *place) apiKey(t testing.TB, g apikey.Grant) string {
	t.Helper()
	p.secret(t, "api-keys")
	key, err := p.apiKeys(t).Create(context.Background(), "api-keys", g)
	if err != nil {
		t.Fatal(err)
	}
	return key.Text
}

// signer makes a signing key in the secret signing-keys and signs with it.
func (p *place) signer(t testing.TB, g httpsig.Grant) *httpsig.Signer {
	t.Helper()
	p.secret(t, "signing-keys")
	key, err := p.signingKeys(t).Create(context.Background(), "signing-keys", g)
	if err != nil {
		t.Fatal(err)
	}
	return p.signerOf(t, key.ID, key.Text)
}

func (p *place) signerOf(t testing.TB, id, secret string) *httpsig.Signer {
	t.Helper()
	s, err := httpsig.NewSigner(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	s.Now = p.Now
	return s
}

// revoke writes an entry as an operator does by hand: pk alone.
func (p *place) revoke(t testing.TB, pk string) {
	t.Helper()
	_, err := server.Client().PutItem(context.Background(), &dynamodb.PutItemInput{
		TableName: &p.revocations, Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// restore takes it back.
func (p *place) restore(t testing.TB, pk string) {
	t.Helper()
	_, err := server.Client().DeleteItem(context.Background(), &dynamodb.DeleteItemInput{
		TableName: &p.revocations, Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

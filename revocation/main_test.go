package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/revocation"
)

var server *dynamo.Server

func TestMain(m *testing.M) {
	var err error
	server, err = dynamo.Start(context.Background(), dynamo.Options{Endpoint: os.Getenv(dynamo.EndpointVariable)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.Close()
	os.Exit(code)
}

const (
	issuer  = "https://idp.example.com/"
	another = "https://other.example.com/"
)

// today is when these tests take place.
var today = time.Unix(1_800_000_000, 0)

// clock is a clock that moves when it is told to.
type clock struct{ ns atomic.Int64 }

func at(t time.Time) *clock {
	c := new(clock)
	c.ns.Store(t.UnixNano())
	return c
}

func (c *clock) Now() time.Time      { return time.Unix(0, c.ns.Load()) }
func (c *clock) Add(d time.Duration) { c.ns.Add(int64(d)) }

// wire counts the HTTP requests of a client.
type wire struct {
	requests atomic.Int64
	base     http.RoundTripper
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.requests.Add(1)
	return w.base.RoundTrip(r)
}

// client is a client of endpoint that sends through rt.
func client(endpoint string, rt http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       dynamo.Region,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:   &http.Client{Transport: rt},
	})
}

// table makes a table of its own for a test.
func table(t testing.TB, c *dynamodb.Client) string {
	t.Helper()
	name := server.TableName()
	if _, err := c.CreateTable(t.Context(), revocation.TableInput(name)); err != nil {
		t.Fatal(err)
	}
	w := dynamodb.NewTableExistsWaiter(c, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 5*time.Millisecond, time.Second
	})
	if err := w.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return name
}

// stand is a table, a store and a checker over one counted wire.
type stand struct {
	*revocation.Checker
	store *revocation.Store
	table string
	clock *clock
	wire  *wire // the checker's alone
}

// config is the default but for a time-out that a busy machine keeps.
func config() revocation.Config {
	c := revocation.Config{Timeout: 2 * time.Second}
	c.SetDefaults()
	return c
}

func setUp(t testing.TB, cfg revocation.Config) *stand {
	t.Helper()
	b := &stand{table: table(t, server.Client()), clock: at(today), wire: &wire{base: http.DefaultTransport}}
	b.store = storeOf(t, server.Client(), b.table, b.clock)
	b.Checker = checkerOf(t, client(server.Endpoint(), b.wire), b.table, cfg, b.clock)
	return b
}

func storeOf(t testing.TB, c *dynamodb.Client, table string, k *clock) *revocation.Store {
	t.Helper()
	s, err := revocation.NewStore(c, table, revocation.Options{Now: k.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkerOf(t testing.TB, r revocation.Reader, table string, cfg revocation.Config, k *clock) *revocation.Checker {
	t.Helper()
	c, err := revocation.New(r, table, cfg, revocation.Options{Now: k.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// put writes an entry through the store.
func (b *stand) put(t testing.TB, e revocation.Entry) {
	t.Helper()
	if _, _, err := b.store.Put(t.Context(), e); err != nil {
		t.Fatalf("Put %+v: %v", e.Key(), err)
	}
}

// putByHand writes an item as somebody with the AWS CLI would: strings, and
// numbers where the value is written with "n:".
func (b *stand) putByHand(t testing.TB, attributes map[string]string) {
	t.Helper()
	item := make(map[string]types.AttributeValue)
	for name, v := range attributes {
		if n, ok := strings.CutPrefix(v, "n:"); ok {
			item[name] = &types.AttributeValueMemberN{Value: n}
		} else {
			item[name] = &types.AttributeValueMemberS{Value: v}
		}
	}
	if _, err := server.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &b.table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func (b *stand) item(t testing.TB, pk string) map[string]types.AttributeValue {
	t.Helper()
	out, err := server.Client().GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &b.table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

// requests tells how many HTTP requests f makes.
func (b *stand) requests(f func()) int64 {
	before := b.wire.requests.Load()
	f()
	return b.wire.requests.Load() - before
}

// token is a token with everything that can be revoked.
func token(id string) revocation.Credential {
	return revocation.Credential{
		Kind: revocation.KindToken, ID: id, Issuer: issuer,
		Subject: "alice", Session: "session-1", Client: "web", KeyID: "key-1",
		IssuedAt: today.Add(-time.Hour),
	}
}

func epoch(t time.Time) string { return "n:" + strconv.FormatInt(t.Unix(), 10) }

// want fails the test unless got is, or wraps, want; nil wants nil.
func want(t testing.TB, what string, got, want error) {
	t.Helper()
	if want == nil && got != nil || want != nil && !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

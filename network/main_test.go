package network_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/network"
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

// today is when these tests take place.
var today = time.Unix(1_800_000_000, 0)

const cacheTTL = 5 * time.Second

// clock is a clock that moves when it is told to.
type clock struct{ ns atomic.Int64 }

func startClock() *clock {
	c := new(clock)
	c.ns.Store(today.UnixNano())
	return c
}

func (c *clock) Now() time.Time      { return time.Unix(0, c.ns.Load()) }
func (c *clock) Add(d time.Duration) { c.ns.Add(int64(d)) }

// wire is a network that counts requests and can be cut, or be answered for.
type wire struct {
	requests atomic.Int64

	mu     sync.Mutex
	answer http.RoundTripper // nil: the server itself
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.requests.Add(1)
	w.mu.Lock()
	next := w.answer
	w.mu.Unlock()
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(r)
}

func (w *wire) becomes(answer http.RoundTripper) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

// transport is a network that does what the function says.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// fails is a network on which nothing gets through.
func fails(err error) transport {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// says is a server that always answers this.
func says(status int, body string) transport {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}
}

// refuses is a server that answers with an error of DynamoDB's.
func refuses(status int, code, message string) transport {
	return says(status, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"`+message+`"}`)
}

// client sends through rt.
func client(rt http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(server.Endpoint()),
		Region:       dynamo.Region,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:   &http.Client{Transport: rt},
	})
}

// makeTable makes a table of its own for a test.
func makeTable(t testing.TB) string {
	t.Helper()
	name := server.TableName()
	_, err := server.Client().CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := dynamodb.NewTableExistsWaiter(server.Client(), func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 5*time.Millisecond, time.Second
	})
	if err := w.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return name
}

// stand is a table, its operator, and a function that reads it.
type stand struct {
	*network.Lists
	store *network.Store
	table string
	clock *clock
	wire  *wire         // the function's alone
	told  chan struct{} // one for each read, as long as there is room

	mu     sync.Mutex
	events []network.ReadEvent
}

func setUp(t testing.TB, dynamic ...string) *stand {
	t.Helper()
	return setUpWith(t, func(*network.Config) {}, dynamic...)
}

func setUpWith(t testing.TB, change func(*network.Config), dynamic ...string) *stand {
	t.Helper()
	s := &stand{table: makeTable(t), clock: startClock(), wire: &wire{}, told: make(chan struct{}, 10)}
	var err error
	if s.store, err = network.NewStore(server.Client(), s.table, network.StoreOptions{Now: s.clock.Now}); err != nil {
		t.Fatal(err)
	}
	// A time-out that a busy machine keeps.
	cfg := network.Config{Dynamic: dynamic, Table: s.table, CacheTTL: cacheTTL, Timeout: 2 * time.Second}
	change(&cfg)
	s.Lists, err = network.New(cfg, network.Options{Reader: client(s.wire), Now: s.clock.Now, OnRead: func(e network.ReadEvent) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, e)
		select {
		case s.told <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// in asks about one list, with a decision of its own.
func (s *stand) in(t testing.TB, name, address string) (bool, error) {
	t.Helper()
	v := s.Load(t.Context(), addr(address), name)
	return v.In(name), v.Fault()
}

// want fails the test unless the answer is yes or no, without a fault.
func (s *stand) want(t testing.TB, when, name, address string, yes bool) {
	t.Helper()
	if got, err := s.in(t, name, address); err != nil || got != yes {
		t.Errorf("%s: %s in %s: %v, %v; want %v", when, address, name, got, err, yes)
	}
}

func (s *stand) wantFault(t testing.TB, when, name, address string, code error) {
	t.Helper()
	if got, err := s.in(t, name, address); got || !errors.Is(err, code) {
		t.Errorf("%s: %s in %s: %v, %v; want %v", when, address, name, got, err, code)
	}
}

func (s *stand) add(t testing.TB, name string, cidrs ...string) {
	t.Helper()
	if _, err := s.store.Add(t.Context(), name, cidrs...); err != nil {
		t.Fatal(err)
	}
}

func (s *stand) remove(t testing.TB, name string, cidrs ...string) {
	t.Helper()
	if _, err := s.store.Remove(t.Context(), name, cidrs...); err != nil {
		t.Fatal(err)
	}
}

// putByHand writes an item as somebody with the AWS CLI would.
func (s *stand) putByHand(t testing.TB, name string, attributes map[string]types.AttributeValue) {
	t.Helper()
	item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "network#" + name}}
	for k, v := range attributes {
		item[k] = v
	}
	if _, err := server.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func set(values ...string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: values} }

func (s *stand) item(t testing.TB, name string) map[string]types.AttributeValue {
	t.Helper()
	out, err := server.Client().GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &s.table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "network#" + name}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

func (s *stand) lastEvent(t testing.TB) network.ReadEvent {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) == 0 {
		t.Fatal("no read was told")
	}
	return s.events[len(s.events)-1]
}

// addr is the address, or the zero Addr for "".
func addr(text string) netip.Addr {
	if text == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(text)
}

func prefixes(texts ...string) []netip.Prefix {
	out, err := network.ParseCIDRs(texts)
	if err != nil {
		panic(err)
	}
	return out
}

// writesFail lets reads through.
type writesFail struct{ instead http.RoundTripper }

func (w writesFail) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetItem") {
		return http.DefaultTransport.RoundTrip(r)
	}
	return w.instead.RoundTrip(r)
}

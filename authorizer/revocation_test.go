package authorizer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// server is the one DynamoDB of this package's tests.
var server *dynamo.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = dynamo.Start(context.Background(), dynamo.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.Close()
	if codes := missing(); code == 0 && len(codes) > 0 {
		fmt.Fprintln(os.Stderr, "no test produces", codes)
		code = 1
	}
	os.Exit(code)
}

const revocable = `gateway: {cache_ttl: 0s}
tables: {revocations: revocations}
issuers:
  - {name: main, issuer: "https://idp.example.com/", audiences: ["https://api.example.com"], jwks_file: jwks.json}
` + itemRoutes

// table is a revocations table with a count of what is read of it.
type table struct {
	revocation.Reader
	store *revocation.Store
	reads atomic.Int32
}

func (t *table) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	t.reads.Add(1)
	return t.Reader.BatchGetItem(ctx, in, opts...)
}

// checked gives a function a real table to check. The clock is the returned
// pointer's.
func checked(t *testing.T, c revocation.Config) (*table, *time.Time, func(*authorizer.Options)) {
	t.Helper()
	name, now := server.TableName(), noon
	client := server.Client()
	if _, err := client.CreateTable(t.Context(), revocation.TableInput(name)); err != nil {
		t.Fatal(err)
	}
	clock := revocation.Options{Now: func() time.Time { return now }}
	store, err := revocation.NewStore(client, name, clock)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDefaults()
	tb := &table{Reader: client, store: store}
	checker, err := revocation.New(tb, name, c, clock)
	if err != nil {
		t.Fatal(err)
	}
	return tb, &now, func(o *authorizer.Options) { o.Revocations = checker }
}

func TestARevokedTokenIsRefusedAndARestoredOneIsNot(t *testing.T) {
	t.Parallel()
	tb, now, option := checked(t, revocation.Config{})
	f := newFunction(t, revocable, option)
	event := tokenEvent(mint(t, claims{"sid": "s1", "client_id": "web"}), "GET /items")
	if _, line, err := f.line(t, event); err != nil || line["RevocationReads"] != 1.0 {
		t.Fatalf("%v, %v", err, line)
	}
	if _, line, err := f.line(t, event); err != nil || line["RevocationReads"] != nil || tb.reads.Load() != 1 {
		t.Errorf("a repeated token reads the table again: %v, %v", err, line)
	}
	for _, key := range []revocation.Key{
		{Kind: revocation.KindToken, Issuer: issuerURL, Value: "id-1"},
		{Kind: revocation.KindSubject, Issuer: issuerURL, Value: "alice"},
		{Kind: revocation.KindSession, Issuer: issuerURL, Value: "s1"},
		{Kind: revocation.KindClient, Issuer: issuerURL, Value: "web"},
		{Kind: revocation.KindKey, Issuer: issuerURL, Value: "k1"},
		{Kind: revocation.KindIssuer, Issuer: issuerURL},
	} {
		entry := revocation.Entry{Kind: key.Kind, Issuer: key.Issuer, Value: key.Value, RevokedBy: "test", RevokedAt: noon}
		if _, _, err := tb.store.Put(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(6 * time.Second) // past cache_ttl
		if _, line, err := f.line(t, event); err == nil || err.Error() != "Unauthorized" || line["reason"] != "revoked" {
			t.Errorf("revoked by %s: %v, %v", key.Kind, err, line)
		}
		if _, _, err := tb.store.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(6 * time.Second)
		if _, line, err := f.line(t, event); err != nil {
			t.Errorf("restored, %s: %v, %v", key.Kind, err, line)
		}
	}
}

// gone is a table out of reach.
type gone struct{}

func (gone) BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return nil, &timeout{errors.New("dial tcp: i/o timeout")}
}

type timeout struct{ error }

func (*timeout) Timeout() bool   { return true }
func (*timeout) Temporary() bool { return true }

func TestATableOutOfReachDeniesOrIsPassedAndToldAsConfigured(t *testing.T) {
	t.Parallel()
	for onError, outcome := range map[string]string{"deny": "fault", "allow": "allow"} {
		c := revocation.Config{OnError: onError}
		c.SetDefaults()
		checker, err := revocation.New(gone{}, "revocations", c, revocation.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f := newFunction(t, revocable, func(o *authorizer.Options) { o.Revocations = checker })
		_, line, err := f.line(t, tokenEvent(mint(t, nil), "GET /items"))
		if line["outcome"] != outcome || line["DependencyFault"] != 1.0 {
			t.Errorf("on_error %s: %v, %v", onError, err, line)
		}
		if onError == "deny" {
			if line["reason"] != string(reason.RevocationUnavailable) {
				t.Errorf("the fault is %v", line["reason"])
			}
			produce(reason.RevocationUnavailable)
		}
		if passed, _ := line["revocation_passed"].(string); (onError == "allow") != (passed != "") {
			t.Errorf("on_error %s: revocation_passed is %q", onError, passed)
		}
	}
}

func TestATableThatNothingReadsFailsConstruction(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("an authorizer was made that cannot see revocations")
		}
	}()
	newFunction(noFatal{t}, revocable)
}

// noFatal turns a failed construction into a panic to be caught.
type noFatal struct{ testing.TB }

func (noFatal) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

package nonces_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/nonces"
)

var server *dynamo.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = dynamo.Start(context.Background(), dynamo.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.Close()
	os.Exit(code)
}

func newTable(t *testing.T) (one, another *nonces.Table) {
	t.Helper()
	name := server.TableName()
	if _, err := server.Client().CreateTable(t.Context(), nonces.TableInput(name)); err != nil {
		t.Fatal(err)
	}
	return nonces.New(server.Client(), name), nonces.New(server.Client(), name)
}

func TestANonceIsFreshOnceForAllProcesses(t *testing.T) {
	t.Parallel()
	one, another := newTable(t)
	for _, c := range []struct {
		table        *nonces.Table
		key, request string
		expires      time.Time
		fresh        bool
		why          string
	}{
		{one, "k#a", "r1", time.Now().Add(time.Minute), true, "the first use"},
		{one, "k#a", "r1", time.Now().Add(time.Minute), true, "the same request tried again"},
		{one, "k#a", "r2", time.Now().Add(time.Minute), false, "another request"},
		{another, "k#a", "r3", time.Now().Add(time.Minute), false, "another process"},
		{another, "k#b", "r3", time.Now().Add(-time.Hour), true, "another nonce"},
		{one, "k#b", "r4", time.Now().Add(time.Minute), false, "an item that has expired and is still there"},
	} {
		if fresh, err := c.table.Use(t.Context(), c.key, c.request, c.expires); err != nil || fresh != c.fresh {
			t.Errorf("%s: fresh is %v, %v", c.why, fresh, err)
		}
	}
}

func TestOfManyAtOnceOneIsFresh(t *testing.T) {
	t.Parallel()
	one, another := newTable(t)
	var fresh atomic.Int32
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			table := one
			if n%2 == 0 {
				table = another
			}
			ok, err := table.Use(t.Context(), "k#n", fmt.Sprint("r", n), time.Now().Add(time.Minute))
			if err != nil {
				t.Error(err)
			}
			if ok {
				fresh.Add(1)
			}
		})
	}
	all.Wait()
	if fresh.Load() != 1 {
		t.Errorf("%d of 16 were fresh", fresh.Load())
	}
}

func TestATableThatIsNotThereIsAnErrorAndNeverFresh(t *testing.T) {
	t.Parallel()
	if fresh, err := nonces.New(server.Client(), "nobody-made-it").Use(t.Context(), "k#n", "r", time.Now()); err == nil || fresh || !strings.HasPrefix(err.Error(), "table nobody-made-it: ResourceNotFoundException: ") {
		t.Errorf("fresh is %v, %v", fresh, err)
	}
}

func TestFaultNamesTheTableAndNoSessionToken(t *testing.T) {
	t.Parallel()
	const token = "IQoJb3JpZ2luX2VjE"
	for what, c := range map[string]struct {
		status     int
		body, want string
	}{
		"a wrong signature": {403, `{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"The Canonical String should have been 'x-amz-security-token:` + token + `'"}`, "InvalidSignatureException"},
		"no permission":     {400, `{"__type":"x#AccessDeniedException","message":"no dynamodb:PutItem"}`, "AccessDeniedException: no dynamodb:PutItem"},
		"an error page":     {503, "<html>" + token, "HTTP status 503"},
	} {
		aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		client := dynamodb.New(dynamodb.Options{
			Region: "eu-central-1", BaseEndpoint: &aws.URL,
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", token),
		})
		fresh, err := nonces.New(client, "prod-nonces").Use(t.Context(), "k#n", "r", time.Now())
		if want := "table prod-nonces: " + c.want; fresh || err == nil || err.Error() != want {
			t.Errorf("%s: fresh is %v, %v, want %s", what, fresh, err, want)
		}
		aws.Close()
	}
}

package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rogpeppe/go-internal/testscript"

	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/revocation"
)

// The commands about revocation as operators type them, against a real
// DynamoDB-compatible server.
func TestRevocationScripts(t *testing.T) {
	t.Parallel()
	server := startDynamo(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/revocation", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error { return newStand(server).setUp(env) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "jwt": writeToken, "item": putItem, "lines": writeLines,
		},
	})
}

// startDynamo starts a server for as long as t and its subtests run.
func startDynamo(t *testing.T) *dynamo.Server {
	t.Helper()
	server, err := dynamo.Start(t.Context(), dynamo.Options{Endpoint: os.Getenv(dynamo.EndpointVariable)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// stand is an AWS account of a test's own.
type stand struct {
	server *dynamo.Server
	table  string
	aws    *httptest.Server // STS and API Gateway

	mu      sync.Mutex
	control http.Handler // of API Gateway's caches
	account string       // the caller's; empty: Alice's
	dynamo  string       // the address of DynamoDB; empty: the server's
}

func newStand(server *dynamo.Server) *stand {
	s := &stand{server: server, table: server.TableName(), control: http.HandlerFunc(flushAll)}
	s.aws = httptest.NewServer(s)
	return s
}

// Alice is the operator.
const alice = "arn:aws:sts::123456789012:assumed-role/oncall/alice"

// serve has the caches of real stages flushed.
func (s *stand) serve(control http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.control = control
}

// in makes it another account; empty is Alice's.
func (s *stand) in(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account = account
}

// ServeHTTP answers GetCallerIdentity and the flush calls.
func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == "POST" && r.FormValue("Action") == "GetCallerIdentity" {
		s.mu.Lock()
		account := cmp.Or(s.account, "123456789012")
		s.mu.Unlock()
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>%s</Arn><UserId>AROA:alice</UserId><Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, alice, account)
		return
	}
	s.mu.Lock()
	control := s.control
	s.mu.Unlock()
	control.ServeHTTP(w, r)
}

// flushAll flushes the caches of every API but the one called gone.
func flushAll(w http.ResponseWriter, r *http.Request) {
	rest := strings.HasPrefix(r.URL.Path, "/restapis/") && !strings.Contains(r.URL.Path, "/gone/")
	switch {
	case r.Method == "DELETE" && strings.HasSuffix(r.URL.Path, "/cache/authorizers") && (rest || strings.HasPrefix(r.URL.Path, "/v2/apis/")):
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Header().Set("X-Amzn-Errortype", "NotFoundException")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"Invalid stage identifier specified"}`)
	}
}

// environment is what a process needs to stay within the stand.
func (s *stand) environment() map[string]string {
	return map[string]string{
		"TABLE": s.table, "ALICE": alice, "AWS_REGION": dynamo.Region,
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ENDPOINT_URL": s.aws.URL, "AWS_ENDPOINT_URL_DYNAMODB": cmp.Or(s.dynamo, s.server.Endpoint()),
	}
}

func (s *stand) setUp(env *testscript.Env) error {
	for name, value := range s.environment() {
		env.Setenv(name, value)
	}
	env.Values["stand"], env.Values["tokens"] = s, new([]string)
	env.Defer(s.aws.Close)
	return s.createTable(context.Background())
}

func (s *stand) createTable(ctx context.Context) error {
	c := s.server.Client()
	if _, err := c.CreateTable(ctx, revocation.TableInput(s.table)); err != nil {
		return err
	}
	w := dynamodb.NewTableExistsWaiter(c, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 5 * time.Millisecond })
	return w.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &s.table}, 30*time.Second)
}

// exits runs a command that must end with that status, and holds what it says
// against the tokens of the script: none may show.
//
//	exits STATUS COMMAND [ARG…]
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND [ARG…]")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if ended := new(exec.ExitError); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
	for _, token := range *ts.Value("tokens").(*[]string) {
		for _, out := range []string{ts.ReadFile("stdout"), ts.ReadFile("stderr")} {
			if strings.Contains(out, token) {
				ts.Fatalf("the output holds a token")
			}
		}
	}
}

// writeToken writes a JWT with a signature that nobody made. The issuer is
// https://idp.example.com/, the subject alice, it is a minute old and good for
// an hour; claims that are given replace these, + and - begin times from now.
// An unsigned one ends before its signature.
//
//	jwt FILE [CLAIM=VALUE…] [unsigned]
func writeToken(ts *testscript.TestScript, _ bool, args []string) {
	token := tokenOf(args[1:])
	all := ts.Value("tokens").(*[]string)
	*all = append(*all, token)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("Bearer "+token+"\n"), 0o600))
	ts.Setenv("TOKEN", token)
}

func tokenOf(changes []string) string {
	now := time.Now()
	claims := map[string]any{
		"iss": "https://idp.example.com/", "sub": "alice",
		"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	unsigned := false
	for _, change := range changes {
		name, value, _ := strings.Cut(change, "=")
		if unsigned = unsigned || change == "unsigned"; change == "unsigned" {
			continue
		}
		if d, err := time.ParseDuration(value); err == nil && strings.ContainsAny(value[:1], "+-") {
			claims[name] = now.Add(d).Unix()
		} else {
			claims[name] = value
		}
	}
	header := map[string]any{"alg": "RS256", "typ": "at+jwt"}
	if kid, ok := claims["kid"]; ok {
		header["kid"] = kid
		delete(claims, "kid")
	}
	part := func(m map[string]any) string {
		data, err := json.Marshal(maps.Clone(m))
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	token := part(header) + "." + part(claims)
	if unsigned {
		return token
	}
	return token + ".c2lnbmF0dXJlLXRoYXQtbm9ib2R5LW1hZGU"
}

// putItem writes an item by hand. Escapes in values are Go's.
//
//	item PK [ATTRIBUTE=VALUE…]   a value n:17 is a number
func putItem(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value("stand").(*stand)
	item := make(map[string]types.AttributeValue)
	for _, arg := range append([]string{"pk=" + args[0]}, args[1:]...) {
		name, value, _ := strings.Cut(arg, "=")
		value, err := strconv.Unquote(`"` + value + `"`)
		ts.Check(err)
		if n, ok := strings.CutPrefix(value, "n:"); ok {
			item[name] = &types.AttributeValueMemberN{Value: n}
		} else {
			item[name] = &types.AttributeValueMemberS{Value: value}
		}
	}
	_, err := s.server.Client().PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String(s.table), Item: item})
	ts.Check(err)
}

// writeLines writes numbered lines: %d in the pattern is the number.
//
//	lines FILE FROM TO PATTERN
func writeLines(ts *testscript.TestScript, _ bool, args []string) {
	from, err := strconv.Atoi(args[1])
	ts.Check(err)
	to, err := strconv.Atoi(args[2])
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer f.Close()
	for n := from; n <= to; n++ {
		_, err := fmt.Fprintln(f, strings.ReplaceAll(args[3], "%d", strconv.Itoa(n)))
		ts.Check(err)
	}
}

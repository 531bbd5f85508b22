package revocation_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

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

// halts is a server that goes away in the middle of this.
func halts(status int, body string) transport {
	return func(r *http.Request) (*http.Response, error) {
		resp, err := says(status, body)(r)
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, broken{}))
		return resp, err
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// refuses is a server that answers with an error of DynamoDB's.
func refuses(status int, code, message string) transport {
	return says(status, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"`+message+`"}`)
}

// done is DynamoDB's answer to a write that asks what it has cost.
const done = `{"ConsumedCapacity":{"TableName":"t","CapacityUnits":1}}`

// allowing is a configuration that lets callers through in an outage.
func allowing() revocation.Config {
	c := config()
	c.OnError = "allow"
	return c
}

func TestOnErrorCoversAnOutageAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		network transport
		covered bool
	}{
		"throttled table":          {refuses(400, "ProvisionedThroughputExceededException", "slow down"), true},
		"throttled account":        {refuses(400, "RequestLimitExceeded", "slow down"), true},
		"throttled calls":          {refuses(400, "ThrottlingException", "slow down"), true},
		"internal error":           {refuses(500, "InternalServerError", "oops"), true},
		"unavailable":              {refuses(503, "ServiceUnavailable", "oops"), true},
		"a gateway's own page":     {says(502, "<html>Bad Gateway</html>"), true},
		"refused":                  {fails(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}), true},
		"reset":                    {fails(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}), true},
		"closed":                   {fails(io.EOF), true},
		"no route":                 {fails(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH}), true},
		"time-out":                 {fails(&url.Error{Op: "Post", URL: "/", Err: context.DeadlineExceeded}), true},
		"name server out of order": {fails(&net.DNSError{Err: "server misbehaving", Name: "dynamodb", IsTemporary: true}), true},
		"half an answer":           {halts(200, `{"Responses":{"t":[`), true},

		"no permission":        {refuses(400, "AccessDeniedException", "not authorized"), false},
		"no table":             {refuses(400, "ResourceNotFoundException", "no such table"), false},
		"wrong table":          {refuses(400, "ValidationException", "The provided key element does not match the schema"), false},
		"wrong credentials":    {refuses(400, "UnrecognizedClientException", "invalid token"), false},
		"expired credentials":  {refuses(400, "ExpiredTokenException", "expired"), false},
		"no such name":         {fails(&net.DNSError{Err: "no such host", Name: "dynamodb", IsNotFound: true}), false},
		"certificate":          {fails(x509.UnknownAuthorityError{}), false},
		"not DynamoDB":         {says(200, "<html>welcome</html>"), false},
		"not DynamoDB either":  {says(404, "<html>not found</html>"), false},
		"another item":         {says(200, `{"Responses":{"t":[{"pk":{"S":"subject#x#y"}}]}}`), false},
		"JSON that ends early": {says(200, `{"Responses":{"t":[`), false},
		"an item without pk":   {says(200, `{"Responses":{"t":[{}]}}`), false},
		"an empty body":        {says(200, ""), false},
		"an empty object":      {says(200, "{}"), false},
		"a message":            {says(200, `{"message":"hello"}`), false},
		"another table":        {says(200, `{"Responses":{"other":[]}}`), false},
		"one key of six":       {says(200, `{"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"subject#https://idp.example.com/#alice"}}]}}}`), false},
		"another key left out": {says(200, `{"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"subject#x#y"}}]}}}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := client("http://dynamodb.invalid", c.network)
			for _, cfg := range []revocation.Config{config(), allowing()} {
				res, err := checkerOf(t, db, "t", cfg, at(today)).Check(t.Context(), token("t1"))
				passes := c.covered && cfg.OnError == "allow"
				if passes {
					want(t, "on_error: allow", err, nil)
					want(t, "what it passed despite", res.PassedDespite, reason.RevocationUnavailable)
					continue
				}
				want(t, "on_error: "+cfg.OnError, err, reason.RevocationUnavailable)
				if reason.Of(err) != reason.RevocationUnavailable || res.PassedDespite != nil {
					t.Errorf("on_error: %s: %v, %+v", cfg.OnError, err, res)
				}
			}
		})
	}
}

func TestFaultNamesTheTableAndTheCauseAndNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "IQoJb3JpZ2luX2VjE"
	for name, c := range map[string]struct {
		network transport
		want    []string
	}{
		"no permission": {
			refuses(400, "AccessDeniedException", "User: arn:aws:iam::1:role/r is not authorized to perform: dynamodb:BatchGetItem"),
			[]string{"revocation_unavailable: table revocations-prod: ", "AccessDeniedException", "dynamodb:BatchGetItem"},
		},
		"wrong signature": {
			refuses(403, "InvalidSignatureException", `The Canonical String should have been 'x-amz-security-token:`+secret+`'`),
			[]string{"table revocations-prod: InvalidSignatureException"},
		},
		"refused": {
			fails(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}),
			[]string{"table revocations-prod: ", "connection refused"},
		},
		"time-out": {
			fails(&url.Error{Op: "Post", URL: "/", Err: context.DeadlineExceeded}),
			[]string{"table revocations-prod: no answer in time"},
		},
	} {
		_, err := checkerOf(t, client("http://dynamodb.invalid", c.network), "revocations-prod", config(), at(today)).
			Check(t.Context(), token("the-token-id"))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q lacks %q", name, err, part)
			}
		}
		for _, part := range []string{secret, "the-token-id", "alice"} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q tells %q", name, err, part)
			}
		}
	}
}

func TestShortFailureIsRetriedInsideTheDeadline(t *testing.T) {
	t.Parallel()
	b := setUp(t, allowing())
	b.put(t, revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice"})
	real := b.wire.base
	b.wire.base = transport(func(r *http.Request) (*http.Response, error) {
		if b.wire.requests.Load() < 3 {
			return refuses(400, "ThrottlingException", "slow down")(r)
		}
		return real.RoundTrip(r)
	})
	_, err := b.Check(t.Context(), token("t1"))
	want(t, "two throttled tries and a good one", err, reason.Revoked)
}

func TestServerThatNeverAnswersCostsTheTimeout(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	db := client("http://"+silent.Addr().String(), &http.Transport{})
	for onError, code := range map[string]error{"deny": reason.RevocationUnavailable, "allow": nil} {
		cfg := config()
		cfg.Timeout, cfg.OnError = 50*time.Millisecond, onError
		c := checkerOf(t, db, "t", cfg, at(today))
		start := time.Now()
		_, err := c.Check(t.Context(), token("t1"))
		took := time.Since(start)
		want(t, onError, err, code)
		if took > 5*time.Second {
			t.Errorf("%s: took %v with a time-out of %v", onError, took, cfg.Timeout)
		}
	}
}

func TestOutageNeverLetsThroughWhoWasKnownToBeRevoked(t *testing.T) {
	t.Parallel()
	b := setUp(t, allowing())
	b.put(t, revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", ExpiresAt: today.Add(time.Hour)})
	_, err := b.Check(t.Context(), token("t1"))
	want(t, "before the outage", err, reason.Revoked)

	b.wire.base = fails(io.EOF)
	b.clock.Add(10 * time.Minute)
	_, err = b.Check(t.Context(), token("t1"))
	want(t, "long after cache_ttl", err, reason.Revoked)

	b.clock.Add(time.Hour)
	res, err := b.Check(t.Context(), token("t1"))
	want(t, "once the entry has expired", err, nil)
	want(t, "once the entry has expired", res.PassedDespite, reason.RevocationUnavailable)
}

func TestPanicInTheClientIsAFault(t *testing.T) {
	t.Parallel()
	for _, cfg := range []revocation.Config{config(), allowing()} {
		c := checkerOf(t, panics{}, "t", cfg, at(today))
		for range 5 {
			_, err := c.Check(t.Context(), token("t1"))
			want(t, "Check", err, reason.RevocationUnavailable)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the panic's value is told: %v", err)
			}
		}
	}
}

type panics struct{}

func (panics) BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	panic(errors.New("secret"))
}

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	local "lambda-authorizer/local/secretsmanager"
	"lambda-authorizer/secrets"
	"lambda-authorizer/secrets/hs256"
)

const (
	name  = "prod/legacy-jwt"
	token = "11111111-2222-4333-8444-555555555555"
)

// text is a secret with the key 32 times b under each name.
func text(b byte, names ...string) string {
	var members []string
	for _, n := range names {
		members = append(members, `"`+n+`":"`+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))+`"`)
	}
	return `{"keys":{` + strings.Join(members, ",") + `}}`
}

// clock is a clock that moves when it is told to.
type clock struct{ ns atomic.Int64 }

func (c *clock) Now() time.Time      { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) Add(d time.Duration) { c.ns.Add(int64(d)) }

// bench is the function beside Secrets Manager, with a secret named name.
type bench struct {
	rotation
	*clock
	server *local.Server
	client *secretsmanager.Client
	token  string                            // of the rotation that the steps are of
	after  atomic.Pointer[func(call string)] // called once a call was served
}

func newBench(t *testing.T, value *string) *bench {
	t.Helper()
	b := &bench{server: local.New("eu-central-1", "123456789012"), clock: new(clock), token: token}
	b.Add(time.Unix(1_800_000_000, 0).Sub(time.Unix(0, 0)))
	b.server.Now = b.Now
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.server.ServeHTTP(w, r)
		if after := b.after.Load(); after != nil {
			(*after)(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), local.Target))
		}
	}))
	t.Cleanup(server.Close)
	config := aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
	b.client = secretsmanager.NewFromConfig(config)
	once := func(o *secretsmanager.Options) { o.Retryer = aws.NopRetryer{} }
	b.rotation = rotation{
		clients: secrets.NewClients(func(context.Context) (aws.Config, error) { return config, nil }, once),
		clock:   b.Now,
		log:     slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if _, err := b.client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(name), SecretString: value}); err != nil {
		t.Fatal(err)
	}
	return b
}

// begin starts a rotation and leaves its steps to the test.
func (b *bench) begin(t *testing.T) {
	t.Helper()
	called := make(chan struct{})
	b.server.Rotate = func(context.Context, local.Step) error { close(called); return errors.New("the test goes on") }
	_, err := b.client.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String(name), ClientRequestToken: &b.token})
	if err != nil {
		t.Fatal(err)
	}
	<-called
}

func (b *bench) step(t *testing.T, step string) error {
	t.Helper()
	return b.handle(t.Context(), event{Step: step, SecretID: name, ClientRequestToken: b.token})
}

func (b *bench) must(t *testing.T, steps ...string) {
	t.Helper()
	for _, step := range steps {
		if err := b.step(t, step); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
}

// at is the text under a label, "" where there is none.
func (b *bench) at(t *testing.T, stage string) string {
	t.Helper()
	out, err := b.client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(name), VersionStage: &stage})
	if err != nil {
		return ""
	}
	return *out.SecretString
}

func TestRotationReplacesEveryKeyAndKeepsTheOldVersionAsPrevious(t *testing.T) {
	t.Parallel()
	old := text('a', "default", "2026")
	b := newBench(t, &old)
	finished := make(chan error, 4)
	b.server.Rotate = func(ctx context.Context, s local.Step) error {
		err := b.handle(ctx, event{Step: s.Step, SecretID: s.SecretID, ClientRequestToken: s.ClientRequestToken})
		if err != nil || s.Step == "finishSecret" {
			finished <- err
		}
		return err
	}
	reader := secrets.NewReader([]string{name}, hs256.Parse, secrets.Options{Clients: b.clients, PreviousGrace: time.Hour, Now: b.Now})
	keys := hs256.Keys{From: reader}
	if all, err := keys.Keys(t.Context(), "2026"); err != nil || len(all) != 1 {
		t.Fatalf("%d keys, %v", len(all), err)
	}
	if _, err := b.client.RotateSecret(t.Context(), &secretsmanager.RotateSecretInput{SecretId: aws.String(name)}); err != nil {
		t.Fatal(err)
	}
	if err := <-finished; err != nil {
		t.Fatal(err)
	}
	now, bad := hs256.Parse([]byte(b.at(t, current)))
	if len(now) != 2 || len(bad) > 0 || now["default"] == nil || bytes.Equal(now["2026"], now["default"]) {
		t.Errorf("current: %d keys, %v", len(now), bad)
	}
	if b.at(t, "AWSPREVIOUS") != old || b.at(t, pending) != "" {
		t.Errorf("previous is not the old version, or one is left pending")
	}
	if err := keys.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := keys.Keys(t.Context(), "2026")
	if err != nil || len(all) != 2 || !bytes.Equal(all[0].Secret, now["2026"]) || !bytes.Equal(all[1].Secret, bytes.Repeat([]byte("a"), 32)) {
		t.Errorf("the authorizer goes by %d keys, %v", len(all), err)
	}
}

func TestEveryStepMayBeCalledAgainAndAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, aws.String(text('a', "default")))
	b.begin(t)
	b.must(t, "createSecret")
	made := b.at(t, pending)
	b.must(t, "createSecret", "createSecret", "setSecret", "setSecret", "testSecret", "testSecret", "createSecret")
	if got := b.at(t, pending); got != made || b.at(t, current) != text('a', "default") {
		t.Error("a step, called again, makes another value or changes the current one")
	}
	b.must(t, "finishSecret", "finishSecret", "createSecret", "setSecret", "testSecret", "finishSecret")
	if b.at(t, current) != made || b.at(t, "AWSPREVIOUS") != text('a', "default") || b.at(t, pending) != "" {
		t.Error("the rotation, called again, is another one")
	}
}

func TestCreateCalledTwiceAtOnceMakesOneValue(t *testing.T) {
	t.Parallel()
	b := newBench(t, aws.String(text('a', "default")))
	b.begin(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := b.step(t, "createSecret"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	b.must(t, "setSecret", "testSecret", "finishSecret")
}

func TestLostAnswerDoesNotStopARotation(t *testing.T) {
	t.Parallel()
	for call, step := range map[string]string{"PutSecretValue": "createSecret", "UpdateSecretVersionStage": "finishSecret"} {
		b := newBench(t, aws.String(text('a', "default")))
		b.begin(t)
		if step == "finishSecret" {
			b.must(t, "createSecret", "setSecret", "testSecret")
		}
		lost := sync.OnceFunc(func() { panic(http.ErrAbortHandler) })
		after := func(served string) {
			if served == call {
				lost()
			}
		}
		b.after.Store(&after)
		err := b.step(t, step)
		if step == "finishSecret" && err != nil {
			t.Errorf("it is done, and said to have failed: %v", err)
		}
		// After an error Lambda calls again.
		b.must(t, step, "setSecret", "testSecret", "finishSecret")
		if b.at(t, "AWSPREVIOUS") != text('a', "default") || b.at(t, pending) != "" {
			t.Errorf("%s: the rotation did not end well", call)
		}
	}
}

func TestSecretWithoutAValueGetsItsFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.begin(t)
	b.must(t, "createSecret", "setSecret", "testSecret", "finishSecret")
	if keys, bad := hs256.Parse([]byte(b.at(t, current))); len(keys) != 1 || keys[hs256.Default] == nil || len(bad) > 0 {
		t.Errorf("%d keys, %v", len(keys), bad)
	}
}

func TestStepBeforeItsTurnFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, aws.String(text('a', "default")))
	b.begin(t)
	for _, step := range []string{"setSecret", "testSecret", "finishSecret"} {
		if err := b.step(t, step); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
			t.Errorf("%s: %v", step, err)
		}
	}
	if b.at(t, current) != text('a', "default") {
		t.Error("the current version has changed")
	}
}

func TestWhatIsNoRotationIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, aws.String(text('a', "default")))
	for what, c := range map[string]struct {
		event
		want string
	}{
		"empty":        {event{}, "not an event of a rotation"},
		"no token":     {event{Step: "createSecret", SecretID: name}, "not an event of a rotation"},
		"unknown step": {event{Step: "dropSecret", SecretID: name, ClientRequestToken: token}, "not an event of a rotation"},
		"no secret":    {event{Step: "createSecret", SecretID: "none", ClientRequestToken: token}, "ResourceNotFoundException"},
		"not enabled":  {event{Step: "createSecret", SecretID: name, ClientRequestToken: token}, "rotation is not enabled"},
	} {
		if err := b.handle(t.Context(), c.event); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	b.begin(t)
	err := b.handle(t.Context(), event{Step: "createSecret", SecretID: name, ClientRequestToken: strings.Repeat("0", 32)})
	if err == nil || !strings.Contains(err.Error(), "the version is not AWSPENDING") {
		t.Errorf("another version: %v", err)
	}
}

func TestBadVersionNeverBecomesCurrent(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ pending, test, finish string }{
		"same key":        {text('a', "default", "k"), "a key of the new version is the current one's", ""},
		"key missing":     {text('b', "default"), "the new version has 1 keys, the current one 2", ""},
		"other names":     {text('b', "default", "x"), "the new version lacks a key of the current one", ""},
		"no document":     {"hunter2hunter2", "it is not a JSON object", "it is not a JSON object"},
		"a key too short": {`{"keys":{"default":"aHVudGVyMg=="}}`, "HS256 key default: 7 bytes long", "HS256 key default: 7 bytes long"},
	} {
		b := newBench(t, aws.String(text('a', "default", "k")))
		b.begin(t)
		_, err := b.client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
			SecretId: aws.String(name), SecretString: &c.pending, ClientRequestToken: aws.String(token), VersionStages: []string{pending},
		})
		if err != nil {
			t.Fatal(err)
		}
		for step, want := range map[string]string{"testSecret": c.test, "finishSecret": c.finish} {
			if want == "" {
				continue
			}
			err := b.step(t, step)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "aHVu") {
				t.Errorf("%s, %s: %v, want %s", what, step, err, want)
			}
		}
		if b.at(t, current) != text('a', "default", "k") {
			t.Errorf("%s: it is current", what)
		}
	}
}

func TestCurrentVersionThatIsBadIsNotReplaced(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"hunter2hunter2", `{"keys":{"default":"hunter2"}}`} {
		b := newBench(t, &value)
		b.begin(t)
		err := b.step(t, "createSecret")
		if err == nil || !strings.Contains(err.Error(), "the current version: ") || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%v", err)
		}
		if b.at(t, pending) != "" {
			t.Error("there is a new value")
		}
	}
}

func TestOperatorWhoIsFasterThanFinishIsNotUndone(t *testing.T) {
	t.Parallel()
	b := newBench(t, aws.String(text('a', "default")))
	b.begin(t)
	b.must(t, "createSecret", "setSecret", "testSecret")
	theirs := text('c', "default")
	put := sync.OnceFunc(func() {
		if _, err := b.client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(name), SecretString: &theirs}); err != nil {
			t.Error(err)
		}
	})
	after := func(served string) {
		if served == "DescribeSecret" {
			put()
		}
	}
	b.after.Store(&after)
	if err := b.step(t, "finishSecret"); err == nil || !strings.Contains(err.Error(), "InvalidParameterException") {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(theirs, b.at(t, current)); diff != "" {
		t.Errorf("current (-want +got)\n%s", diff)
	}
}

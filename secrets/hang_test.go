package secrets_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/local/secretsmanager"
	"lambda-authorizer/reason"
	"lambda-authorizer/secrets"
)

// inMemory answers requests without a network, whose time no test can stop.
type inMemory struct {
	http.Handler
	hangs atomic.Bool
}

func (m *inMemory) Do(r *http.Request) (*http.Response, error) {
	if m.hangs.Load() {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w.Result(), nil
}

// hanging is a reader of the secret keys, on the bubble's clock.
func hanging(t *testing.T) (*secrets.Reader[string], *inMemory) {
	t.Helper()
	server := secretsmanager.New("eu-central-1", "123456789012")
	if err := server.Create("keys", "a=1"); err != nil {
		t.Fatal(err)
	}
	m := &inMemory{Handler: server}
	clients := secrets.NewClients(func(context.Context) (aws.Config, error) {
		return aws.Config{Region: "eu-central-1", HTTPClient: m, Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}, nil
	}, func(o *sdk.Options) { o.BaseEndpoint = aws.String("http://secretsmanager.invalid") })
	return secrets.NewReader([]string{"keys"}, parse, secrets.Options{Clients: clients}), m
}

func TestRefreshThatHangsTakesHalfOfTheTimeAndTheOldRecordServes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, m := hanging(t)
		get(t, r, "a")
		time.Sleep(5 * time.Minute)
		m.hangs.Store(true)
		for n, want := range []time.Duration{2 * time.Second, 0, 0} {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			began := time.Now()
			record, _, err := r.Get(ctx, "a")
			if took := time.Since(began); record != "1" || err != nil || took != want {
				t.Errorf("request %d: %q, %v after %v, want %v", n, record, err, took, want)
			}
			cancel()
		}
		time.Sleep(3 * time.Second)
		if err := r.Renew(t.Context()); !errors.Is(err, reason.SecretsUnavailable) {
			t.Errorf("after the read has given up: %v", err)
		}
	})
}

func TestFirstReadThatHangsEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, m := hanging(t)
		m.hangs.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := r.Get(ctx, "a"); !errors.Is(err, reason.DeadlineExceeded) {
			t.Errorf("within the request's time: %v", err)
		}
		began := time.Now()
		_, _, err := r.Get(t.Context(), "a")
		if took := time.Since(began); !errors.Is(err, reason.SecretsUnavailable) || took != 4*time.Second {
			t.Errorf("with time to spare: %v after %v, want the rest of 5 s", err, took)
		}
		m.hangs.Store(false)
		time.Sleep(30 * time.Second)
		if got := get(t, r, "a"); got != "1" {
			t.Errorf("once it answers: %q", got)
		}
	})
}

// A process that was frozen for hours must not believe what it knew then just
// because somebody else is reading it anew.
func TestRecordsOfHoursAgoDoNotServeDuringARefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, m := hanging(t)
		get(t, r, "a")
		time.Sleep(3 * time.Hour)
		m.hangs.Store(true)
		began := time.Now()
		go func() { _, _, _ = r.Get(t.Context(), "a") }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, _, err := r.Get(ctx, "a")
		if took := time.Since(began); err != nil || took != time.Second {
			t.Errorf("it waited %v, %v, want half of its time", took, err)
		}
		time.Sleep(10 * time.Second)
	})
}

package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/secrets"
)

const empty = `{"keys":{}}`

// writer does not pause between attempts.
func (s *service) writer() *secrets.Writer {
	return &secrets.Writer{Clients: s.clients, Pause: func(context.Context, time.Duration) error {
		runtime.Gosched()
		return nil
	}}
}

// set makes an edit that sets the record, whatever is there.
func set(record string) func([]byte) ([]byte, error) {
	return func([]byte) ([]byte, error) { return []byte(record), nil }
}

// staged reads the text under a label, "" where there is none.
func (s *service) staged(t *testing.T, name, stage string) string {
	t.Helper()
	out, err := s.client.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: &name, VersionStage: &stage})
	if err != nil {
		return ""
	}
	return *out.SecretString
}

func (s *service) labels(t *testing.T, name string) map[string]bool {
	t.Helper()
	out, err := s.client.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: &name})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, stages := range out.VersionIdsToStages {
		for _, stage := range stages {
			all[stage] = true
		}
	}
	return all
}

func TestChangeBecomesCurrentAndLeavesNoLabelBehind(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", empty)
	if err := s.writer().Edit(t.Context(), "keys", "a", set(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	if now, before := s.staged(t, "keys", "AWSCURRENT"), s.staged(t, "keys", "AWSPREVIOUS"); now != `{"keys":{"a":{"n":1}}}` || before != empty {
		t.Errorf("current %s, previous %s", now, before)
	}
	if diff := cmp.Diff(map[string]bool{"AWSCURRENT": true, "AWSPREVIOUS": true}, s.labels(t, "keys")); diff != "" {
		t.Errorf("labels (-want +got)\n%s", diff)
	}
}

func TestTwentyWritersAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	for what, first := range map[string]*string{"a secret with records": aws.String(`{"keys":{"old":{}}}`), "a secret without a value": nil} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			if _, err := s.client.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: aws.String("keys"), SecretString: first}); err != nil {
				t.Fatal(err)
			}
			want := map[string][]byte{}
			if first != nil {
				want["old"] = []byte(`{}`)
			}
			var all sync.WaitGroup
			for n := range 20 {
				id, record := fmt.Sprint("writer", n), fmt.Sprintf(`{"n":%d}`, n)
				want[id] = []byte(record)
				all.Go(func() {
					if err := s.writer().Edit(t.Context(), "keys", id, set(record)); err != nil {
						t.Errorf("%s: %v", id, err)
					}
				})
			}
			all.Wait()
			got, err := s.writer().Records(t.Context(), "keys")
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("records: %v (-want +got)\n%s", err, diff)
			}
			if labels := s.labels(t, "keys"); len(labels) != 2 {
				t.Errorf("labels left: %v", labels)
			}
		})
	}
}

// The move was made and its answer lost: whoever tries again must see that it
// was its own.
func TestLostAnswerIsNoLostRace(t *testing.T) {
	t.Parallel()
	for what, options := range map[string][]func(*sdk.Options){"tried once": {once}, "tried again by the SDK": {atOnce}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.create(t, "keys", empty)
			lost := sync.OnceFunc(func() { panic(http.ErrAbortHandler) })
			s.answer(func(w http.ResponseWriter, r *http.Request) {
				s.server.ServeHTTP(w, r)
				if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".UpdateSecretVersionStage") {
					lost()
				}
			})
			config := aws.Config{Region: "eu-central-1", BaseEndpoint: s.client.Options().BaseEndpoint, Credentials: s.client.Options().Credentials}
			w := s.writer()
			w.Clients = secrets.NewClients(func(context.Context) (aws.Config, error) { return config, nil }, options...)
			calls := 0
			got, err := w.Update(t.Context(), "keys", func([]byte) ([]byte, error) { calls++; return []byte("x"), nil })
			if err != nil || calls != 1 || got.Attempts != 1 || s.staged(t, "keys", "AWSCURRENT") != "x" {
				t.Errorf("Update = %+v, %v after %d calls", got, err, calls)
			}
		})
	}
}

// Each attempt leaves a version behind, and what was refused will be again.
func TestMoveThatIsRefusedIsNoLostRaceEither(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", empty)
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".UpdateSecretVersionStage") {
			s.server.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"AccessDeniedException","Message":"no secretsmanager:UpdateSecretVersionStage"}`))
	})
	calls := 0
	_, err := s.writer().Update(t.Context(), "keys", func([]byte) ([]byte, error) { calls++; return []byte("x"), nil })
	const want = "secrets_unavailable: cannot make the new version current in secret keys: AccessDeniedException: no secretsmanager:UpdateSecretVersionStage"
	if !unavailable(err) || err.Error() != want || calls != 1 {
		t.Errorf("%v after %d attempts", err, calls)
	}
	if got := s.staged(t, "keys", "AWSCURRENT"); got != empty {
		t.Errorf("current is %s", got)
	}
}

// atOnce tries again without a pause.
func atOnce(o *sdk.Options) { o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 0) }

func TestWriterGivesUpWhenOthersAreAlwaysFaster(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "0")
	calls := 0
	_, err := s.writer().Update(t.Context(), "keys", func([]byte) ([]byte, error) {
		calls++
		s.put(t, "keys", fmt.Sprint("theirs", calls))
		return []byte("mine"), nil
	})
	if !unavailable(err) || calls != 50 || !strings.Contains(err.Error(), "faster 50 times") {
		t.Errorf("%v after %d calls", err, calls)
	}
	if got := s.staged(t, "keys", "AWSCURRENT"); got != "theirs50" {
		t.Errorf("current is %s", got)
	}
	w := s.writer()
	w.Pause = func(context.Context, time.Duration) error { return context.DeadlineExceeded }
	if _, err := w.Update(t.Context(), "keys", func([]byte) ([]byte, error) { s.put(t, "keys", "theirs"); return []byte("mine"), nil }); !unavailable(err) {
		t.Errorf("out of time: %v", err)
	}
}

func TestNothingIsWrittenWhereNothingChanges(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const spaced = `{ "keys": { "a": {"n": 1} } }`
	s.create(t, "keys", spaced)
	w := s.writer()
	if err := w.Edit(t.Context(), "keys", "a", func(old []byte) ([]byte, error) { return old, nil }); err != nil {
		t.Fatal(err)
	}
	w.DryRun = true
	got, err := w.Update(t.Context(), "keys", func([]byte) ([]byte, error) { return []byte("other"), nil })
	if err != nil || !got.Changed || got.Bytes != 5 {
		t.Errorf("dry run: %+v, %v", got, err)
	}
	if got := s.staged(t, "keys", "AWSCURRENT"); got != spaced || s.staged(t, "keys", "AWSPREVIOUS") != "" {
		t.Errorf("current is %s", got)
	}
}

func TestSecretThatWouldBeTooLargeIsNotWritten(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "prod/keys", empty)
	fits := `"` + strings.Repeat("x", secrets.MaxBytes-len(`{"keys":{"a":""}}`)) + `"`
	if err := s.writer().Edit(t.Context(), "prod/keys", "a", set(fits)); err != nil {
		t.Errorf("65,536 bytes: %v", err)
	}
	err := s.writer().Edit(t.Context(), "prod/keys", "b", set(`1`))
	var large *secrets.TooLargeError
	if !errors.As(err, &large) || large.Bytes != secrets.MaxBytes+len(`,"b":1`) {
		t.Fatalf("more: %v", err)
	}
	for _, want := range []string{"secret prod/keys", "65542 bytes", "the most is 65536", "one more secret"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestWriterToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "hunter2")
	if err := s.writer().Edit(t.Context(), "none", "a", set(`{}`)); !errors.Is(err, secrets.ErrNoSecret) || !strings.Contains(err.Error(), `{"keys":{}}`) {
		t.Errorf("no such secret: %v", err)
	}
	if err := s.writer().Edit(t.Context(), "keys", "a", set(`{}`)); err == nil || err.Error() != "secret keys: it is not a JSON object" {
		t.Errorf("no document: %v", err)
	}
	if _, err := s.writer().Records(t.Context(), "keys"); err == nil || err.Error() != "secret keys: it is not a JSON object" {
		t.Errorf("no document to list: %v", err)
	}
	mine := errors.New("mine")
	if _, err := s.writer().Update(t.Context(), "keys", func([]byte) ([]byte, error) { return nil, mine }); err != mine {
		t.Errorf("the change's own error: %v", err)
	}
	s.down()
	if err := s.writer().Edit(t.Context(), "keys", "a", set(`{}`)); !unavailable(err) {
		t.Errorf("down: %v", err)
	}
}

// What Secrets Manager says of a value that it refuses may repeat the value.
func TestRefusedValueIsInNoError(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", empty)
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutSecretValue") {
			s.server.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type":"ValidationException","Message":%q}`, "Value "+string(body)+" at 'secretString' failed")
	})
	err := s.writer().Edit(t.Context(), "keys", "a", set(`"hunter2"`))
	if !unavailable(err) || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "ValidationException") {
		t.Errorf("error: %v", err)
	}
}

func TestEditLeavesOtherRecordsAlone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", `{"keys": {"a": { "odd" : 1e3 }, "b": {}, "c": null}}`)
	if err := s.writer().Edit(t.Context(), "keys", "b", func(old []byte) ([]byte, error) {
		if string(old) != `{}` {
			t.Errorf("edited record is %s", old)
		}
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := s.staged(t, "keys", "AWSCURRENT"), `{"keys":{"a":{ "odd" : 1e3 },"c":null}}`; got != want {
		t.Errorf("current is %s, want %s", got, want)
	}
}

func TestPauseEndsWithTheContext(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "0")
	ctx, cancel := context.WithCancel(t.Context())
	s.answer(func(w http.ResponseWriter, r *http.Request) {
		s.server.ServeHTTP(w, r)
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeSecret") {
			time.AfterFunc(time.Millisecond, cancel) // the race is lost by then
		}
	})
	calls := 0
	w := &secrets.Writer{Clients: s.clients}
	_, err := w.Update(ctx, "keys", func([]byte) ([]byte, error) {
		calls++
		s.put(t, "keys", fmt.Sprint("theirs", calls))
		return []byte("mine"), nil
	})
	if !unavailable(err) || calls > 3 {
		t.Errorf("Update: %v after %d calls", err, calls)
	}
}

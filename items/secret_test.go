package items_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"lambda-authorizer/items"
)

// vault holds the versions of one secret by stage.
type vault struct {
	stages map[string]string
	down   error
	silent bool // answers nothing until the reader gives up
	reads  int
}

func (v *vault) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v.reads++
	if v.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if v.down != nil {
		return nil, v.down
	}
	s, ok := v.stages[aws.ToString(in.VersionStage)]
	if !ok || aws.ToString(in.SecretId) != "cursors" {
		return nil, &types.ResourceNotFoundException{}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(s)}, nil
}

func TestCursorKeysFollowTheSecretThroughItsRotation(t *testing.T) {
	t.Parallel()
	first, second := strings.Repeat("1", 32), strings.Repeat("2", 64)
	v := &vault{stages: map[string]string{"AWSCURRENT": first}}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	keys := items.NewSecretKeys(v, "cursors")
	keys.Now = func() time.Time { return now }
	if v.reads != 0 {
		t.Error("read before the first cursor")
	}
	check := func(want ...string) {
		t.Helper()
		got, err := keys.CursorKeys(t.Context())
		if err != nil || string(bytes.Join(got, []byte(","))) != strings.Join(want, ",") {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	check(first)
	v.stages = map[string]string{"AWSCURRENT": second, "AWSPREVIOUS": first}
	now = now.Add(5*time.Minute - time.Second)
	check(first)
	now = now.Add(time.Second)
	check(second, first)
	if v.reads != 4 {
		t.Errorf("%d reads, want two per refresh", v.reads)
	}
}

func TestCursorKeysOutliveAnOutage(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 32)
	v := &vault{stages: map[string]string{"AWSCURRENT": key}, down: context.DeadlineExceeded}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	keys := items.NewSecretKeys(v, "cursors")
	keys.Now, keys.Log = func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil))
	if _, err := keys.CursorKeys(t.Context()); !errors.Is(err, items.ErrBusy) {
		t.Errorf("down from the start: %v", err)
	}
	v.down = nil
	if _, err := keys.CursorKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.down = fmt.Errorf("no route to host")
	now = now.Add(time.Hour)
	if got, err := keys.CursorKeys(t.Context()); err != nil || string(got[0]) != key {
		t.Errorf("down later: %s, %v", got, err)
	}
	before := v.reads
	if _, err := keys.CursorKeys(t.Context()); err != nil || v.reads != before {
		t.Errorf("asked again at once: %v", err)
	}
	if got := log.String(); !strings.Contains(got, "no route to host") || strings.Contains(got, key) {
		t.Errorf("logged %s", got)
	}
}

func TestSilenceOfSecretsManagerHoldsUpOneRequestForPartOfItsTime(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]time.Duration{
		5 * time.Second:        time.Second,
		300 * time.Millisecond: 150 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			v := &vault{stages: map[string]string{"AWSCURRENT": strings.Repeat("k", 32)}}
			var log bytes.Buffer
			keys := items.NewSecretKeys(v, "cursors")
			keys.Log = slog.New(slog.NewTextHandler(&log, nil))
			if _, err := keys.CursorKeys(t.Context()); err != nil {
				t.Fatal(err)
			}
			v.silent = true
			time.Sleep(time.Hour)
			ask := func() (took time.Duration) {
				ctx, cancel := context.WithTimeout(t.Context(), left)
				defer cancel()
				start := time.Now()
				if got, err := keys.CursorKeys(ctx); err != nil || len(got) != 1 || ctx.Err() != nil {
					t.Errorf("%d keys, %v; the request: %v", len(got), err, ctx.Err())
				}
				return time.Since(start)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if took := ask(); took != want {
					t.Errorf("with %v left the refresh took %v", left, took)
				}
			})
			synctest.Wait() // for it to be at the secret
			if took := ask(); took != 0 {
				t.Errorf("another request waited for %v", took)
			}
			wg.Wait()
			if got := log.String(); v.reads != 3 || strings.Contains(got, "table") || !strings.Contains(got, "secret cursors") {
				t.Errorf("%d reads, logged %s", v.reads, got)
			}
		})
	}
}

func TestRequestsThatWaitForTheFirstKeysGiveUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &vault{silent: true}
		keys := items.NewSecretKeys(v, "cursors")
		var wg sync.WaitGroup
		for _, left := range []time.Duration{5 * time.Second, 4 * time.Second, 3 * time.Second} {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), left)
				defer cancel()
				start := time.Now()
				_, err := keys.CursorKeys(ctx)
				if took := time.Since(start); !errors.Is(err, items.ErrBusy) || !strings.Contains(err.Error(), "secret cursors") || took != left {
					t.Errorf("with %v left, after %v: %v", left, took, err)
				}
			})
			synctest.Wait() // the first one is at the secret, the others after it
		}
		wg.Wait()
		if v.reads != 1 {
			t.Errorf("%d reads at the same time", v.reads)
		}
	})
}

func TestPagesGoOnWhileSecretsManagerIsSilent(t *testing.T) {
	t.Parallel()
	v := &vault{stages: map[string]string{"AWSCURRENT": strings.Repeat("k", 32)}}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	keys := items.NewSecretKeys(v, "cursors")
	keys.Now, keys.Log = func() time.Time { return now }, slog.New(slog.DiscardHandler)
	alice := newService(t, func(c *items.Config) { c.Cursors = keys }).as("main|alice")
	alice.fill(t, 3)
	first := alice.do(t, "GET", "/items?limit=1", "")
	v.silent, now = true, now.Add(time.Hour)
	second := alice.do(t, "GET", "/items?limit=1&cursor="+first.decode(t).NextCursor, "")
	if second.status != http.StatusOK || second.decode(t).NextCursor == "" {
		t.Errorf("%d %s", second.status, second.body)
	}
}

func TestCursorSecretThatIsTooShortIsRefused(t *testing.T) {
	t.Parallel()
	for name, stages := range map[string]map[string]string{
		"current": {"AWSCURRENT": "short and known"},
		"binary":  {"AWSCURRENT": ""},
		"missing": {},
	} {
		keys := items.NewSecretKeys(&vault{stages: stages}, "cursors")
		if _, err := keys.CursorKeys(t.Context()); err == nil || strings.Contains(err.Error(), "short and known") || !strings.Contains(err.Error(), "cursors") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A good secret after a bad one must not wait for the second rotation.
	v := &vault{stages: map[string]string{"AWSCURRENT": strings.Repeat("k", 32), "AWSPREVIOUS": "short and known"}}
	if got, err := items.NewSecretKeys(v, "cursors").CursorKeys(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("%d keys, %v", len(got), err)
	}
}

package items_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
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
	reads  int
}

func (v *vault) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v.reads++
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

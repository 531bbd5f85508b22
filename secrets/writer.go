package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/reason"
)

// MaxBytes is the most that one secret holds.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const MaxBytes = 65_536

const (
	// label is the private stage under which a new value waits to become
	// current. All writers share it: putting a value moves it to the new
	// version, the older one can be made current all the same, and a secret may
	// have 20 labels in all, which a label per writer would use up.
	label = "LAMBDA-AUTHORIZER-WRITER"
	// maxAttempts bounds how often a writer starts anew. Of any number of
	// writers who try at once one gets through.
	maxAttempts = 50
	// Each attempt leaves a version behind, and a secret keeps about 100 a
	// day: so writers spread out.
	firstPause = 200 * time.Millisecond
	maxPause   = 5 * time.Second
)

// ErrNoSecret says that there is no secret of that name.
var ErrNoSecret = errors.New("no such secret")

// TooLargeError says that a change would make a secret larger than
// Secrets Manager takes.
type TooLargeError struct {
	Secret string
	Bytes  int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("secret %s would hold %d bytes, the most is %d: remove keys that are no longer used, or make one more secret, "+
		"list it in the configuration beside this one, and put the key there", e.Secret, e.Bytes, MaxBytes)
}

// Writer changes secrets by compare-and-swap: the new value is put under a
// private stage, then AWSCURRENT is moved to it from the version that was read.
// Secrets Manager refuses that if another writer was faster, and the change is
// made anew on what the other has written. So no change is ever lost. It is
// safe for concurrent use.
type Writer struct {
	// Clients reach Secrets Manager. Required.
	Clients *Clients
	// Pause waits between attempts. Default: as long as told, or until ctx is
	// done.
	Pause func(ctx context.Context, d time.Duration) error
	// DryRun does everything but the writing.
	DryRun bool
}

// Written tells what Update did.
type Written struct {
	// Version is the current version afterwards.
	Version string
	// Changed is false where the change left the text as it was: then nothing
	// was written.
	Changed bool
	// Bytes is the size of the text, at most MaxBytes.
	Bytes int
	// Attempts is how many it took.
	Attempts int
}

// Update replaces the text of a secret by what change makes of it. Text is nil
// where the secret has no value yet. change may be called several times and
// must do the same each time: it may even see its own result. Errors of change
// come back as they are; ErrNoSecret and TooLargeError say what they say;
// SecretsUnavailable stands for all that Secrets Manager refuses or fails at.
func (w *Writer) Update(ctx context.Context, secret string, change func(text []byte) ([]byte, error)) (Written, error) {
	client, err := w.Clients.For(ctx, secret)
	if err != nil {
		return Written{}, fmt.Errorf("%w: the AWS SDK has no configuration: %w", reason.SecretsUnavailable, err)
	}
	for attempt := range maxAttempts {
		if attempt > 0 {
			if err := w.pause(ctx, attempt); err != nil {
				return Written{}, fmt.Errorf("%w: secret %s: other writers were faster until the time was over", reason.SecretsUnavailable, secret)
			}
		}
		old, err := readCurrent(ctx, client, secret)
		if err != nil {
			return Written{}, err
		}
		text, err := change(old.text)
		if err != nil {
			return Written{}, err
		}
		out := Written{Version: old.version, Bytes: len(text), Attempts: attempt + 1}
		if bytes.Equal(text, old.text) {
			return out, nil
		}
		out.Changed = true
		if len(text) > MaxBytes {
			return Written{}, &TooLargeError{secret, len(text)}
		}
		if w.DryRun {
			return out, nil
		}
		version, err := swap(ctx, client, secret, old, text)
		if err != nil {
			return Written{}, err
		}
		if version != "" {
			out.Version = version
			return out, nil
		}
	}
	return Written{}, fmt.Errorf("%w: secret %s: other writers were faster %d times", reason.SecretsUnavailable, secret, maxAttempts)
}

// readCurrent reads the current value; one without a version is none yet.
func readCurrent(ctx context.Context, client *secretsmanager.Client, secret string) (value, error) {
	got, err := fetch(ctx, client, secret, current)
	if !Failed(err, "ResourceNotFoundException") {
		return got, unavailable(secret, "read", err, false)
	}
	_, err = client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &secret})
	if Failed(err, "ResourceNotFoundException") {
		return value{}, fmt.Errorf("%w: %s: create it first, with the text {\"keys\":{}}", ErrNoSecret, secret)
	}
	return value{}, unavailable(secret, "describe", err, false)
}

// swap makes text current in the place of old and returns its version, or ""
// where another writer was faster.
func swap(ctx context.Context, client *secretsmanager.Client, secret string, old value, text []byte) (string, error) {
	put, err := client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &secret, SecretString: aws.String(string(text)), VersionStages: []string{label},
	})
	if err != nil {
		return "", unavailable(secret, "write", err, true)
	}
	mine := aws.ToString(put.VersionId)
	// The first version of a secret becomes current by itself.
	if !slices.Contains(put.VersionStages, current) {
		move := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &secret, VersionStage: aws.String(current), MoveToVersionId: &mine}
		if old.version != "" {
			move.RemoveFromVersionId = &old.version
		}
		if _, err := client.UpdateSecretVersionStage(ctx, move); err != nil {
			// It may have been done, and its answer lost. The state tells.
			now, unknown := currentVersion(ctx, client, secret)
			switch {
			case unknown != nil || now == old.version:
				return "", unavailable(secret, "make the new version current in", err, false)
			case now != mine:
				return "", nil
			}
		}
	}
	// The label has done its work. Where that fails, the next writer moves it.
	_, _ = client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &secret, VersionStage: aws.String(label), RemoveFromVersionId: &mine,
	})
	return mine, nil
}

// currentVersion returns the id of the current version, "" where there is none.
func currentVersion(ctx context.Context, client *secretsmanager.Client, secret string) (string, error) {
	out, err := client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &secret})
	if err != nil {
		return "", err
	}
	for version, stages := range out.VersionIdsToStages {
		if slices.Contains(stages, current) {
			return version, nil
		}
	}
	return "", nil
}

func (w *Writer) pause(ctx context.Context, attempt int) error {
	d := rand.N(min(firstPause<<min(attempt-1, 10), maxPause))
	if w.Pause != nil {
		return w.Pause(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func unavailable(secret, what string, err error, requestHeldSecret bool) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: cannot %s secret %s: %w", reason.SecretsUnavailable, what, secret, Why(err, requestHeldSecret))
}

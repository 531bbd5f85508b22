package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/secrets"
	"lambda-authorizer/secrets/hs256"
)

const (
	current = "AWSCURRENT"
	pending = "AWSPENDING"
	// maxPending is how old a new version may become before it is current. The
	// authorizer accepts the old keys for previous_grace from the new version's
	// CreatedDate on: what a rotation waits is taken off that.
	maxPending = time.Hour
)

// event is what Secrets Manager sends for each step.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
type event struct {
	Step               string `json:"Step"`
	SecretID           string `json:"SecretId"`
	ClientRequestToken string `json:"ClientRequestToken"`
	// RotationToken comes where the function assumes a role or is of another
	// account, and goes back with the new value.
	RotationToken string `json:"RotationToken"`
}

// rotation takes a secret of HS256 keys through the steps of a rotation. Its
// errors, which Lambda logs, hold no piece of a secret.
type rotation struct {
	clients *secrets.Clients
	clock   func() time.Time
	log     *slog.Logger
}

// job is one step for one version of one secret.
type job struct {
	event
	client *secretsmanager.Client
	clock  func() time.Time
	log    *slog.Logger
	now    string // the current version, "" where there is none
}

var errNoEvent = errors.New("not an event of a rotation: Step, SecretId and ClientRequestToken are required")

func (r rotation) handle(ctx context.Context, e event) error {
	if e.SecretID == "" || e.ClientRequestToken == "" {
		return errNoEvent
	}
	client, err := r.clients.For(ctx, e.SecretID)
	if err != nil {
		return fmt.Errorf("the AWS SDK has no configuration: %w", err)
	}
	j := &job{event: e, client: client, clock: r.clock, log: r.log.With("step", e.Step, "secret", e.SecretID, "version", e.ClientRequestToken)}
	step := map[string]func(context.Context) error{
		"createSecret": j.create, "setSecret": j.set, "testSecret": j.test, "finishSecret": j.finish,
	}[e.Step]
	if step == nil {
		return errNoEvent
	}
	done, err := j.look(ctx)
	if err == nil && !done {
		err = step(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s of version %s of secret %s: %w", e.Step, e.ClientRequestToken, e.SecretID, err)
	}
	j.log.Info("done")
	return nil
}

// look sees where the rotation stands. It is done, whatever the step, once the
// version is current.
func (j *job) look(ctx context.Context) (done bool, err error) {
	out, err := j.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &j.SecretID})
	if err != nil {
		return false, secrets.Why(err, false)
	}
	for version, stages := range out.VersionIdsToStages {
		if slices.Contains(stages, current) {
			j.now = version
		}
	}
	stages := out.VersionIdsToStages[j.ClientRequestToken]
	switch {
	case !aws.ToBool(out.RotationEnabled):
		return false, errors.New("rotation is not enabled")
	case slices.Contains(stages, current):
		if slices.Contains(stages, pending) {
			j.unlabel(ctx)
		}
		return true, nil
	case !slices.Contains(stages, pending):
		return false, errors.New("the version is not AWSPENDING")
	}
	return false, nil
}

// create makes the new value, once: a second call finds it.
func (j *job) create(ctx context.Context) error {
	switch made, err := j.read(ctx, j.ClientRequestToken); {
	case err == nil:
		return j.timely(made)
	case !secrets.Failed(err, "ResourceNotFoundException"):
		return secrets.Why(err, false)
	}
	var old version
	if j.now != "" {
		var err error
		if old, err = j.read(ctx, j.now); err != nil {
			return secrets.Why(err, false)
		}
		if len(old.text) == 0 {
			return errors.New("the current version is not a string")
		}
	}
	text, err := hs256.Replace(old.text)
	if err != nil {
		return fmt.Errorf("the current version: %w", err)
	}
	in := &secretsmanager.PutSecretValueInput{
		SecretId: &j.SecretID, ClientRequestToken: &j.ClientRequestToken,
		SecretString: aws.String(string(text)), VersionStages: []string{pending},
	}
	if j.RotationToken != "" {
		in.RotationToken = &j.RotationToken
	}
	_, err = j.client.PutSecretValue(ctx, in)
	if secrets.Failed(err, "ResourceExistsException") {
		return nil // another call for this step was faster, and its value counts
	}
	return secrets.Why(err, true)
}

// set has nothing to do: whoever signs or verifies reads the secret.
func (j *job) set(ctx context.Context) error {
	_, err := j.read(ctx, j.ClientRequestToken)
	return secrets.Why(err, false)
}

// test holds the new version to what the authorizer asks of it, and sees that
// it is new, that it was made of the current one, that every key has changed
// and none is missing.
func (j *job) test(ctx context.Context) error {
	next, made, err := j.keys(ctx, j.ClientRequestToken)
	if err != nil {
		return err
	}
	if err := j.timely(made); err != nil || j.now == "" {
		return err
	}
	old, was, err := j.keys(ctx, j.now)
	if err != nil {
		return err
	}
	if was.created.After(made.created) {
		return j.stale(fmt.Errorf("the current version was made at %s, after the new one", stamp(was.created)))
	}
	if len(next) != len(old) {
		return j.stale(fmt.Errorf("the new version has %d keys, the current one %d", len(next), len(old)))
	}
	for name, key := range old {
		switch {
		case next[name] == nil:
			return j.stale(errors.New("the new version lacks a key of the current one"))
		case slices.Equal(next[name], key):
			return errors.New("a key of the new version is the current one's")
		}
	}
	return nil
}

// timely refuses a new version that would end the old keys at once.
func (j *job) timely(made version) error {
	if age := j.clock().Sub(made.created); age > maxPending {
		return j.stale(fmt.Errorf("it has been pending since %s, and the grace of the old keys counts from then", stamp(made.created)))
	}
	return nil
}

// stale says what to do about a version that nothing will make right. While
// AWSPENDING is on another version than AWSCURRENT no new rotation starts
// (docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html).
func (j *job) stale(why error) error {
	return fmt.Errorf("%w: give this rotation up with `aws secretsmanager update-secret-version-stage --secret-id %s --version-stage %s "+
		"--remove-from-version-id %s`, then rotate anew", why, j.SecretID, pending, j.ClientRequestToken)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// finish makes the new version current in the place of the one that was so when
// this call looked. What was tested may have been another: an operator may have
// been faster.
func (j *job) finish(ctx context.Context) error {
	if err := j.test(ctx); err != nil {
		return err
	}
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &j.SecretID, VersionStage: aws.String(current), MoveToVersionId: &j.ClientRequestToken}
	if j.now != "" {
		in.RemoveFromVersionId = &j.now
	}
	if _, err := j.client.UpdateSecretVersionStage(ctx, in); err != nil {
		// It may have been done, and its answer lost.
		if done, unknown := j.look(ctx); unknown != nil || !done {
			return secrets.Why(err, false)
		}
		return nil
	}
	j.unlabel(ctx)
	return nil
}

// unlabel takes AWSPENDING off. A rotation is over without that too: the label
// may stay on the current version.
func (j *job) unlabel(ctx context.Context) {
	_, err := j.client.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &j.SecretID, VersionStage: aws.String(pending), RemoveFromVersionId: &j.ClientRequestToken,
	})
	if err != nil {
		j.log.Warn("AWSPENDING stays on the current version", "error", secrets.Why(err, false).Error())
	}
}

// version is one version of the secret. Its text is empty where it is not a
// string.
type version struct {
	text    []byte
	created time.Time
}

func (j *job) read(ctx context.Context, id string) (version, error) {
	out, err := j.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &j.SecretID, VersionId: &id})
	if err != nil {
		return version{}, err
	}
	return version{[]byte(aws.ToString(out.SecretString)), aws.ToTime(out.CreatedDate)}, nil
}

// keys reads a version as the authorizer does.
func (j *job) keys(ctx context.Context, id string) (map[string][]byte, version, error) {
	v, err := j.read(ctx, id)
	if err != nil {
		return nil, version{}, secrets.Why(err, false)
	}
	keys, bad := hs256.Parse(v.text)
	if len(bad) > 0 {
		return nil, version{}, fmt.Errorf("version %s: %w", id, bad[0])
	}
	return keys, v, nil
}

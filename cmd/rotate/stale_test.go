package main

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/secrets"
	"lambda-authorizer/secrets/hs256"
)

// put is what an operator writes.
func (b *bench) put(t *testing.T, text string) {
	t.Helper()
	if _, err := b.client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(name), SecretString: &text}); err != nil {
		t.Fatal(err)
	}
}

// isStale holds an error to a reason and the command that gives a rotation up.
func isStale(t *testing.T, step string, err error, why string) {
	t.Helper()
	const command = "`aws secretsmanager update-secret-version-stage --secret-id " + name + " --version-stage AWSPENDING --remove-from-version-id " + token + "`"
	if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), command) {
		t.Errorf("%s: %v, want %s", step, err, why)
	}
}

// giveUp does what the error says, and rotates anew.
func (b *bench) giveUp(t *testing.T) {
	t.Helper()
	_, err := b.client.UpdateSecretVersionStage(t.Context(), &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String(name), VersionStage: aws.String(pending), RemoveFromVersionId: aws.String(token),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.step(t, "finishSecret"); err == nil || !strings.Contains(err.Error(), "the version is not AWSPENDING") {
		t.Errorf("once given up: %v", err)
	}
	b.token = strings.Replace(token, "1", "2", 1)
	b.begin(t)
	b.must(t, "createSecret", "setSecret", "testSecret", "finishSecret")
}

func TestRotationThatWaitedDoesNotEndTheOldKeyAtOnce(t *testing.T) {
	t.Parallel()
	old := text('a', "default")
	b := newBench(t, &old)
	b.begin(t)
	b.must(t, "createSecret", "setSecret", "testSecret")
	b.Add(time.Hour)
	b.must(t, "createSecret", "testSecret")
	b.Add(24 * time.Hour)
	for _, step := range []string{"createSecret", "testSecret", "finishSecret"} {
		isStale(t, step, b.step(t, step), "it has been pending since 2027-01-15T08:00:00Z")
	}
	if b.at(t, current) != old {
		t.Fatal("the old key is not current any more")
	}
	b.giveUp(t)
	keys := hs256.Keys{From: secrets.NewReader([]string{name}, hs256.Parse, secrets.Options{Clients: b.clients, PreviousGrace: 24 * time.Hour, Now: b.Now})}
	if all, err := keys.Keys(t.Context(), ""); err != nil || len(all) != 2 {
		t.Errorf("after the new rotation %d keys count, %v: want the new and the old one", len(all), err)
	}
}

func TestWhatAnOperatorWroteDuringARotationIsNotLost(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		text  string
		later time.Duration
		why   string
	}{
		"a key more":                   {text('a', "default", "new"), 0, "the new version has 1 keys, the current one 2"},
		"another name":                 {text('a', "new"), 0, "the new version lacks a key of the current one"},
		"another value under the name": {text('c', "default"), time.Millisecond, "the current version was made at 2027-01-15T08:00:00Z, after the new one"},
	} {
		b := newBench(t, aws.String(text('a', "default")))
		b.begin(t)
		b.must(t, "createSecret", "setSecret", "testSecret")
		b.Add(c.later)
		b.put(t, c.text)
		for _, step := range []string{"testSecret", "finishSecret"} {
			isStale(t, what+", "+step, b.step(t, step), c.why)
		}
		if b.at(t, current) != c.text {
			t.Errorf("%s: it is lost", what)
		}
		b.giveUp(t)
	}
}

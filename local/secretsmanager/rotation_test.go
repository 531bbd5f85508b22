package secretsmanager_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/local/secretsmanager"
)

const token = "a-rotation-token-of-36-characters---"

func rotate(t *testing.T, c *sdk.Client) error {
	t.Helper()
	_, err := c.RotateSecret(t.Context(), &sdk.RotateSecretInput{SecretId: aws.String(name), ClientRequestToken: aws.String(token)})
	return err
}

// A rotation begins with a version that has a label and no value, which is
// what a rotation function must cope with.
func TestRotationCallsEachStepWithAnEmptyPendingVersion(t *testing.T) {
	t.Parallel()
	c, s := client(t)
	arn, one := create(t, c, "one")
	calls := make(chan secretsmanager.Step, 4)
	s.Rotate = func(_ context.Context, e secretsmanager.Step) error {
		calls <- e
		return nil
	}
	if err := rotate(t, c); err != nil {
		t.Fatal(err)
	}
	var steps []string
	for range 4 {
		e := <-calls
		steps = append(steps, e.Step)
		if e.SecretID != arn || e.ClientRequestToken != token {
			t.Errorf("called with %+v", e)
		}
	}
	if want := []string{"createSecret", "setSecret", "testSecret", "finishSecret"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	out, err := c.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: aws.String(name)})
	if err != nil || out.RotationEnabled == nil || !*out.RotationEnabled {
		t.Fatalf("DescribeSecret = %+v, %v", out, err)
	}
	if diff := cmp.Diff(map[string][]string{one: {"AWSCURRENT"}, token: {"AWSPENDING"}}, out.VersionIdsToStages); diff != "" {
		t.Errorf("VersionIdsToStages (-want +got)\n%s", diff)
	}
	_, err = c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String(name), VersionId: aws.String(token)})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("the value of the empty version: %v", err)
	}
}

func TestValueFillsTheVersionThatARotationHasBegun(t *testing.T) {
	t.Parallel()
	c, s := client(t)
	create(t, c, "one")
	s.Rotate = func(context.Context, secretsmanager.Step) error { return errors.New("not yet") }
	if err := rotate(t, c); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{
		SecretId: aws.String(name), SecretString: aws.String("two"), ClientRequestToken: aws.String(token), VersionStages: []string{"AWSPENDING"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if cur, next := staged(t, c, "AWSCURRENT"), staged(t, c, "AWSPENDING"); cur != "one" || next != "two" {
		t.Errorf("current %q, pending %q", cur, next)
	}
}

func TestSecondRotationWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	c, s := client(t)
	create(t, c, "one")
	if err := rotate(t, c); code(err) != "InvalidRequestException" {
		t.Errorf("without a function: %v", err)
	}
	s.Rotate = func(context.Context, secretsmanager.Step) error { return errors.New("fails") }
	if err := rotate(t, c); err != nil {
		t.Fatal(err)
	}
	if err := rotate(t, c); err != nil {
		t.Errorf("the same rotation again: %v", err)
	}
	_, err := c.RotateSecret(t.Context(), &sdk.RotateSecretInput{SecretId: aws.String(name)})
	if code(err) != "InvalidRequestException" {
		t.Errorf("another rotation: %v", err)
	}
}

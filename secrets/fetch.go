package secrets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// The staging labels that Secrets Manager itself moves.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// getter is what reading needs of a client.
type getter interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// value is one version of a secret.
type value struct {
	version string
	text    []byte
	created time.Time
}

// plainError is an error in our own words, which hold nothing of the secret.
type plainError struct{ error }

func (p plainError) Unwrap() error { return p.error }

// fetch reads the version under a label.
func fetch(ctx context.Context, client getter, name, stage string) (value, error) {
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name, VersionStage: &stage})
	switch {
	case err != nil:
		return value{}, err
	case out.SecretString == nil:
		return value{}, plainError{errors.New("it holds bytes, not a string")}
	case out.VersionId == nil || out.CreatedDate == nil:
		return value{}, plainError{errors.New("the answer names no version")}
	}
	return value{*out.VersionId, []byte(aws.ToString(out.SecretString)), *out.CreatedDate}, nil
}

// gone reports whether the service says that there is no such secret or
// version, or that it is about to be deleted.
func gone(err error) bool {
	return Failed(err, "ResourceNotFoundException") || Failed(err, "InvalidRequestException")
}

// notParsed says why a text is no document.
func notParsed(errs []error) error {
	if len(errs) == 0 {
		return plainError{errors.New("its text cannot be read")}
	}
	return plainError{fmt.Errorf("its text cannot be read: %w", errs[0])}
}

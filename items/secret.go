package items

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// SecretReader is what SecretKeys needs of Secrets Manager's client.
type SecretReader interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// SecretKeys reads the cursor keys from a secret: its whole string is the key,
// 32 bytes or more, as GenerateSecretString makes it. AWSCURRENT signs,
// AWSPREVIOUS still verifies, so a rotation breaks nobody's paging. Safe for
// concurrent use.
type SecretKeys struct {
	// Now is the clock, Log takes a failed refresh. Set both before first use.
	Now func() time.Time
	Log *slog.Logger

	client SecretReader
	name   string

	mu   sync.Mutex
	keys [][]byte
	due  time.Time
}

const (
	minCursorKey    = 32
	secretRefresh   = 5 * time.Minute
	secretRetry     = 30 * time.Second
	stageOfCurrent  = "AWSCURRENT"
	stageOfPrevious = "AWSPREVIOUS"
)

// NewSecretKeys makes SecretKeys of the secret called name. Nothing is read
// before the first cursor.
func NewSecretKeys(client SecretReader, name string) *SecretKeys {
	return &SecretKeys{Now: time.Now, Log: slog.Default(), client: client, name: name}
}

// CursorKeys returns the keys, at most five minutes old. When Secrets Manager
// is down the last ones go on; without any the error is ErrBusy.
func (s *SecretKeys) CursorKeys(ctx context.Context) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if s.keys != nil && now.Before(s.due) {
		return s.keys, nil
	}
	keys, err := s.read(ctx)
	switch {
	case err == nil:
		s.keys, s.due = keys, now.Add(secretRefresh)
	case s.keys == nil:
		return nil, err
	default:
		s.due = now.Add(secretRetry)
		s.Log.WarnContext(ctx, "the cursor secret cannot be read: the last keys go on", "error", err)
	}
	return s.keys, nil
}

var errShortKey = fmt.Errorf("must be a string of at least %d bytes", minCursorKey)

func (s *SecretKeys) read(ctx context.Context) ([][]byte, error) {
	current, err := s.version(ctx, stageOfCurrent)
	if err != nil {
		return nil, err
	}
	previous, err := s.version(ctx, stageOfPrevious)
	var none *types.ResourceNotFoundException
	switch {
	case errors.As(err, &none), errors.Is(err, errShortKey):
		return [][]byte{current}, nil
	case err != nil:
		return nil, err
	}
	return [][]byte{current, previous}, nil
}

func (s *SecretKeys) version(ctx context.Context, stage string) ([]byte, error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(s.name), VersionStage: aws.String(stage),
	})
	if err != nil {
		return nil, fmt.Errorf("secret %s, %s: %w", s.name, stage, classify(err))
	}
	key := []byte(aws.ToString(out.SecretString))
	if len(key) < minCursorKey {
		return nil, fmt.Errorf("secret %s, %s: %w", s.name, stage, errShortKey)
	}
	return key, nil
}

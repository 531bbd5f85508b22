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

	// turn is held by who reads the first keys.
	turn chan struct{}

	mu   sync.Mutex
	keys [][]byte
	due  time.Time
}

const (
	minCursorKey  = 32
	secretRefresh = 5 * time.Minute
	secretRetry   = 30 * time.Second
	// A refresh may take half of what is left to its request, at most a
	// second: the old keys are at hand, and the page itself needs time too.
	secretTime      = time.Second
	stageOfCurrent  = "AWSCURRENT"
	stageOfPrevious = "AWSPREVIOUS"
)

// NewSecretKeys makes SecretKeys of the secret called name. Nothing is read
// before the first cursor.
func NewSecretKeys(client SecretReader, name string) *SecretKeys {
	return &SecretKeys{Now: time.Now, Log: slog.Default(), client: client, name: name, turn: make(chan struct{}, 1)}
}

// CursorKeys returns the keys, at most five minutes old and the time that one
// refresh takes: while one request reads them anew, the others use the old
// ones. When Secrets Manager is down or silent the last ones go on; without
// any the error is ErrBusy.
func (s *SecretKeys) CursorKeys(ctx context.Context) ([][]byte, error) {
	last, mine := s.last()
	switch {
	case last == nil:
		return s.first(ctx)
	case !mine:
		return last, nil
	}
	ctx, cancel := context.WithTimeout(ctx, refreshTime(ctx))
	defer cancel()
	keys, err := s.read(ctx)
	if err != nil {
		s.Log.WarnContext(ctx, "the cursor secret cannot be read: the last keys go on", "error", err)
		return last, nil
	}
	s.keep(keys)
	return keys, nil
}

// last returns the keys that were read last, nil for none. mine says that they
// are due and that the caller, and nobody else for now, shall refresh them.
func (s *SecretKeys) last() (keys [][]byte, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if s.keys == nil || now.Before(s.due) {
		return s.keys, false
	}
	s.due = now.Add(secretRetry)
	return s.keys, true
}

func (s *SecretKeys) keep(keys [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.due = keys, s.Now().Add(secretRefresh)
}

// first reads the first keys, one request at a time.
func (s *SecretKeys) first(ctx context.Context) ([][]byte, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("secret %s: %w", s.name, classify(ctx.Err()))
	}
	if keys, _ := s.last(); keys != nil {
		return keys, nil
	}
	keys, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	s.keep(keys)
	return keys, nil
}

func refreshTime(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return secretTime
	}
	return min(secretTime, time.Until(deadline)/2)
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

package authorizer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lambda-authorizer/jwks"
	"lambda-authorizer/network"
	"lambda-authorizer/secrets"
)

// tables is the DynamoDB client, made when the first request needs it: init is
// for what every request needs. A client that cannot be made is tried anew.
type tables struct {
	load func(context.Context) (aws.Config, error)

	mu     sync.Mutex
	client *dynamodb.Client
}

func (t *tables) get(ctx context.Context) (*dynamodb.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client == nil {
		if t.load == nil {
			return nil, errors.New("there is no AWS configuration")
		}
		cfg, err := t.load(ctx)
		if err != nil {
			return nil, fmt.Errorf("load the AWS configuration: %w", err)
		}
		t.client = dynamodb.NewFromConfig(cfg)
	}
	return t.client, nil
}

// BatchGetItem reads revocations.
func (t *tables) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	client, err := t.get(ctx)
	if err != nil {
		return nil, err
	}
	return client.BatchGetItem(ctx, in, opts...)
}

// GetItem reads an allow-list.
func (t *tables) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	client, err := t.get(ctx)
	if err != nil {
		return nil, err
	}
	return client.GetItem(ctx, in, opts...)
}

// PutItem writes a nonce.
func (t *tables) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	client, err := t.get(ctx)
	if err != nil {
		return nil, err
	}
	return client.PutItem(ctx, in, opts...)
}

// logRefresh tells what became of a fetch. A failure is a warning: known keys
// go on serving.
func logRefresh(log *slog.Logger, e jwks.RefreshEvent) {
	if e.Err != nil {
		log.Warn("key set not refreshed", "issuer", e.Issuer, "cause", e.Cause, "took", e.Took.String(), "error", e.Err.Error())
		return
	}
	log.Debug("key set refreshed", "issuer", e.Issuer, "cause", e.Cause, "took", e.Took.String(), "keys", e.Keys, "max_age", e.MaxAge.String())
	if e.SkippedCount > 0 {
		log.Warn("key set has members that are not used", "issuer", e.Issuer, "count", e.SkippedCount, "why", e.Skipped)
	}
}

// logRead tells what became of a read of a secret, and which records of it are
// not used. Neither error holds a piece of it.
func logRead(log *slog.Logger, e secrets.ReadEvent) {
	if e.Err != nil {
		message := "secret not read: no key of it is known"
		if e.Records > 0 {
			message = "secret not read: the last good value goes on"
		}
		log.Warn(message, "secret", e.Secret, "cause", e.Cause, "took", e.Took.String(), "error", e.Err.Error())
		return
	}
	log.Debug("secret read", "secret", e.Secret, "cause", e.Cause, "took", e.Took.String(), "records", e.Records)
	if e.SkippedCount > 0 {
		why := make([]string, len(e.Skipped))
		for i, err := range e.Skipped {
			why[i] = err.Error()
		}
		log.Warn("secret has records that are not used", "secret", e.Secret, "count", e.SkippedCount, "why", why)
	}
}

// logList tells what became of a read of an allow-list, where that is news.
func logList(log *slog.Logger, e network.ReadEvent) {
	switch {
	case e.Err != nil:
		log.Warn("network list not read", "network", e.List, "took", e.Took.String(), "error", e.Err.Error())
	case e.Changed && e.Missing:
		log.Warn("network list is not in the table: nobody is in it", "network", e.List)
	case e.Changed:
		log.Info("network list changed", "network", e.List, "cidrs", e.CIDRs)
	}
	if e.Changed && e.SkippedCount > 0 {
		log.Warn("network list has entries that let nobody in", "network", e.List, "count", e.SkippedCount, "why", e.Skipped)
	}
}

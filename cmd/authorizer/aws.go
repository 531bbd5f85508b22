package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// table is the DynamoDB client, made when the first request needs it: init is
// for what every request needs. A client that cannot be made is tried anew.
type table struct {
	mu     sync.Mutex
	client *dynamodb.Client
}

// BatchGetItem makes table a revocation.Reader.
func (t *table) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	client, err := t.get(ctx)
	if err != nil {
		return nil, err
	}
	return client.BatchGetItem(ctx, in, opts...)
}

func (t *table) get(ctx context.Context) (*dynamodb.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client == nil {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("load the AWS configuration: %w", err)
		}
		t.client = dynamodb.NewFromConfig(cfg)
	}
	return t.client, nil
}

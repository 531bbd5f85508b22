package secrets

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Clients makes clients of Secrets Manager, one per Region, each when it is
// first needed. It is safe for concurrent use.
type Clients struct {
	load    func(context.Context) (aws.Config, error)
	options []func(*secretsmanager.Options)

	mu       sync.Mutex
	config   *aws.Config
	byRegion map[string]*secretsmanager.Client
}

// NewClients makes Clients whose configuration comes from load, which is
// called when the first client is needed, and again only after an error.
func NewClients(load func(context.Context) (aws.Config, error), options ...func(*secretsmanager.Options)) *Clients {
	return &Clients{load: load, options: options, byRegion: make(map[string]*secretsmanager.Client)}
}

// retryQuickly makes three tries fit into readBound: the SDK itself waits up to
// 20 s between two.
func retryQuickly(o *secretsmanager.Options) {
	o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 300*time.Millisecond)
}

// For returns the client for a secret: of the Region in its ARN, whole or
// partial, or of the configured one where a name is given.
func (c *Clients) For(ctx context.Context, secret string) (*secretsmanager.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config == nil {
		config, err := c.load(ctx)
		if err != nil {
			return nil, err
		}
		c.config = &config
	}
	region := c.config.Region
	if a, err := arn.Parse(secret); err == nil {
		region = a.Region
	}
	if client := c.byRegion[region]; client != nil {
		return client, nil
	}
	options := append([]func(*secretsmanager.Options){retryQuickly}, c.options...)
	options = append(options, func(o *secretsmanager.Options) { o.Region = region })
	client := secretsmanager.NewFromConfig(*c.config, options...)
	c.byRegion[region] = client
	return client, nil
}

package main

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"lambda-authorizer/revocation"
)

// patience is how long one answer of AWS is waited for, retries included.
const patience = 20 * time.Second

// account is AWS, or what stands in for it.
type account struct {
	config   aws.Config
	endpoint string // of every service; empty: as the environment says
	dynamo   string // the endpoint of DynamoDB; empty: the Region's own
	number   string // of the account, once AWS STS was asked
}

// account reads the standard AWS environment. It calls nothing.
func (p place) account(ctx context.Context) (*account, error) {
	// The SDK's own warnings are not for operators: what fails says so.
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithLogger(logging.Nop{})}
	if p.region != "" {
		options = append(options, awsconfig.WithRegion(p.region))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, usage("the AWS environment cannot be used: %v", err)
	}
	if cfg.Region == "" {
		return nil, usage("no AWS region: give --region, or set AWS_REGION")
	}
	return &account{config: cfg, endpoint: p.endpoint}, nil
}

// base is the endpoint for one client, nil where the environment decides. A
// flag must win over AWS_ENDPOINT_URL_DYNAMODB, which wins over what is in
// aws.Config, so it is set client by client.
func (a *account) base(of *string) *string {
	if a.endpoint == "" {
		return of
	}
	return &a.endpoint
}

// store is the operator's side of the table.
func (t *tool) store(ctx context.Context, p place, s *settings) (*revocation.Store, *account, error) {
	a, err := p.account(ctx)
	if err != nil {
		return nil, nil, err
	}
	client := dynamodb.NewFromConfig(a.config, func(o *dynamodb.Options) { o.BaseEndpoint = a.base(o.BaseEndpoint) })
	a.dynamo = aws.ToString(client.Options().BaseEndpoint)
	store, err := revocation.NewStore(client, s.table, revocation.Options{Now: t.now})
	if err != nil {
		return nil, nil, usage("%v", err)
	}
	return store, a, nil
}

// brief is an error of AWS in one line: what it is called and what it says, or
// why there was no answer.
func brief(err error) string {
	var api smithy.APIError
	var unreachable *url.Error
	switch {
	case errors.As(err, &api):
		return clean(strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": "))
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "stopped"
	case strings.Contains(err.Error(), "get credentials: "):
		return "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
	case errors.As(err, &unreachable):
		return clean(unreachable.Error())
	}
	return clean(err.Error())
}

// tableFailure gives an error of the table its exit status.
func tableFailure(err error) error {
	var own *revocation.InvalidError
	switch {
	case errors.Is(err, revocation.ErrExpired):
		return refused("%v", err)
	case errors.As(err, &own):
		return usage("%v", err)
	}
	return failed("%s: check the table's name, the region and the credentials, then run the same command again", tableText(err))
}

// tableText leaves out what the SDK says about its own attempts.
func tableText(err error) string {
	text, cause := err.Error(), errors.Unwrap(err)
	if cause == nil {
		return text
	}
	if at := strings.Index(text, cause.Error()); at > 0 {
		return text[:at] + brief(cause)
	}
	return text
}

package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// whoami bounds the question who the caller is: nobody should wait for that
// while a stolen token is in use.
const whoami = 5 * time.Second

// revoker is who will stand in the entry: --by, or whom AWS knows the caller
// as.
func (a *account) revoker(ctx context.Context, by string) (string, error) {
	if by != "" {
		return by, nil
	}
	ctx, cancel := context.WithTimeout(ctx, whoami)
	defer cancel()
	client := sts.NewFromConfig(a.config, func(o *sts.Options) { o.BaseEndpoint = a.base(o.BaseEndpoint) })
	out, err := client.GetCallerIdentity(ctx, nil)
	if err != nil {
		return "", failed("AWS does not say who you are (%s): give your name with --by", brief(err))
	}
	a.number = aws.ToString(out.Account)
	if aws.ToString(out.Arn) == "" {
		return "", failed("AWS does not say who you are: give your name with --by")
	}
	return *out.Arn, nil
}

// Command items is the Lambda function of the protected routes. It serves REST
// APIs and HTTP APIs (payload formats 1.0 and 2.0) behind the authorizer.
//
// Environment:
//
//	ITEMS_TABLE             the DynamoDB table; required
//	ITEMS_CURSOR_SECRET     name of the secret whose string, 32 bytes or more, authenticates cursors; required
//	ITEMS_CORS_ORIGINS      web origins that may call, comma-separated, or *; default none
//	ITEMS_CORS_CREDENTIALS  true lets those pages send cookies; never with *; default false
//	ITEMS_LOG_PRINCIPAL     plain (default) or hash
//	LOG_LEVEL               debug, info (default), warn, error
//
// and the standard environment of the AWS SDK.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/backend"
	"lambda-authorizer/items"
)

func main() {
	handler, err := build(context.Background(), os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "items:", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func build(ctx context.Context, getenv func(string) string) (*backend.Lambda, error) {
	log, err := logger(getenv("LOG_LEVEL"))
	if err != nil {
		return nil, err
	}
	cors, err := parseCORS(getenv)
	if err != nil {
		return nil, err
	}
	table, secret := getenv("ITEMS_TABLE"), getenv("ITEMS_CURSOR_SECRET")
	if table == "" {
		return nil, errors.New("ITEMS_TABLE is not set: it names the DynamoDB table")
	}
	if secret == "" {
		return nil, errors.New("ITEMS_CURSOR_SECRET is not set: it names the secret that authenticates cursors")
	}
	hash, err := hashPrincipal(getenv("ITEMS_LOG_PRINCIPAL"))
	if err != nil {
		return nil, err
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	keys := items.NewSecretKeys(secretsmanager.NewFromConfig(aws), secret)
	keys.Log = log
	return backend.NewLambda(items.New(items.Config{
		Store:   items.NewStore(dynamodb.NewFromConfig(aws, items.ClientOptions), table),
		Cursors: keys,
		CORS:    cors,
		Log:     log,
		Line:    &backend.Line{Out: os.Stdout, Log: log, Namespace: "LambdaAuthorizer/Items", HashPrincipal: hash},
	})), nil
}

func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if level != "" {
		if err := l.UnmarshalText([]byte(level)); err != nil {
			return nil, fmt.Errorf("LOG_LEVEL is %q: must be debug, info, warn or error", level)
		}
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}

func parseCORS(getenv func(string) string) (items.CORS, error) {
	credentials := false
	if s := getenv("ITEMS_CORS_CREDENTIALS"); s != "" {
		var err error
		if credentials, err = strconv.ParseBool(s); err != nil {
			return items.CORS{}, fmt.Errorf("ITEMS_CORS_CREDENTIALS is %q: must be true or false", s)
		}
	}
	cors, err := items.ParseCORS(getenv("ITEMS_CORS_ORIGINS"), credentials)
	if err != nil {
		return items.CORS{}, fmt.Errorf("ITEMS_CORS_ORIGINS: %w", err)
	}
	return cors, nil
}

func hashPrincipal(s string) (bool, error) {
	switch s {
	case "", "plain":
		return false, nil
	case "hash":
		return true, nil
	}
	return false, fmt.Errorf("ITEMS_LOG_PRINCIPAL is %q: must be plain or hash", s)
}

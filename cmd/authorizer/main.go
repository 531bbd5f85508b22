// Command authorizer is the Lambda function that API Gateway asks before it
// lets a request through. It runs on provided.al2023 as "bootstrap".
//
// It reads AUTHORIZER_CONFIG (default authorizer.yaml in LAMBDA_TASK_ROOT,
// else in the working directory), LOG_LEVEL (debug, info, warn, error) and the
// standard AWS SDK environment. A configuration that is not right stops it
// with one line per problem and exit status 1.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
)

// prefetchTimeout bounds the fetch of key sets during init: a dead issuer must
// not use up Lambda's 10 s for it.
const prefetchTimeout = 4 * time.Second

func main() {
	log, err := logger(os.Getenv("LOG_LEVEL"))
	if err != nil {
		stop(err)
	}
	slog.SetDefault(log)
	a, err := start(context.Background(), log)
	if err != nil {
		stop(err)
	}
	lambda.Start(a)
}

// start loads the configuration, connects the authorizer, and fetches key sets
// ahead of the first request. A dead issuer does not stop it.
func start(ctx context.Context, log *slog.Logger) (*authorizer.Authorizer, error) {
	path := configPath()
	cfg, err := config.Load(path, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	a, prefetch, err := authorizer.Connect(cfg, authorizer.Surroundings{
		AWS:       func(ctx context.Context) (aws.Config, error) { return awsconfig.LoadDefaultConfig(ctx) },
		Decisions: os.Stdout,
		Log:       log,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, prefetchTimeout)
	defer cancel()
	prefetch(ctx)
	return a, nil
}

func configPath() string {
	if path := os.Getenv("AUTHORIZER_CONFIG"); path != "" {
		return path
	}
	return filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), "authorizer.yaml")
}

// logger writes to stderr: stdout has the decision lines and nothing else.
func logger(level string) (*slog.Logger, error) {
	l := slog.LevelInfo
	if level != "" {
		if err := l.UnmarshalText([]byte(level)); err != nil {
			return nil, fmt.Errorf("LOG_LEVEL: %q is not debug, info, warn or error", level)
		}
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}

func stop(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

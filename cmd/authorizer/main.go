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

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
	"lambda-authorizer/jwks"
	"lambda-authorizer/revocation"
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

// start loads the configuration and builds the authorizer.
func start(ctx context.Context, log *slog.Logger) (*authorizer.Authorizer, error) {
	path := configPath()
	cfg, err := config.Load(path, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	var counters authorizer.Counters
	tokens, err := jwks.New(cfg.Issuers, jwks.Options{
		Dir: filepath.Dir(path),
		OnRefresh: func(e jwks.RefreshEvent) {
			counters.JWKSRefresh.Add(1)
			logRefresh(log, e)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	o := authorizer.Options{Tokens: tokens, Decisions: os.Stdout, Counters: &counters, Log: log}
	if cfg.Revocable() {
		o.Revocations, err = revocation.New(new(table), cfg.Tables.Revocations, cfg.Revocation, revocation.Options{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, prefetchTimeout)
	defer cancel()
	tokens.Prefetch(ctx)
	return authorizer.New(cfg, o)
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

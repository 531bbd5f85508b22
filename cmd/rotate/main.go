// Command rotate is the Lambda function that Secrets Manager calls to rotate a
// secret of HS256 keys. It runs on provided.al2023 as "bootstrap" and reads the
// standard AWS SDK environment and LOG_LEVEL (debug, info, warn, error).
//
// It gives each key of the secret a new random value of 32 bytes under the same
// name, and a secret without a value its first one. Nothing else is told: who
// signs tokens reads AWSCURRENT, and the authorizer accepts AWSPREVIOUS for
// previous_grace, which counts from when the new value was made. It may be
// called for any step any number of times, within an hour of that.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"lambda-authorizer/secrets"
)

func main() {
	level := slog.LevelInfo
	if text := os.Getenv("LOG_LEVEL"); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			fmt.Fprintf(os.Stderr, "LOG_LEVEL: %q is not debug, info, warn or error\n", text)
			os.Exit(1)
		}
	}
	r := rotation{
		clients: secrets.NewClients(func(ctx context.Context) (aws.Config, error) { return config.LoadDefaultConfig(ctx) }),
		clock:   time.Now,
		log:     slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	lambda.Start(r.handle)
}

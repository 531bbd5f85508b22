// Command bootstrap is the function that the tests of package runtimeapi run.
// What it does is the event's member "do".
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string `json:"do"`
	Text string `json:"text"`
}

// meeting is passed by two invocations at once, or not at all.
var meeting sync.WaitGroup

func handle(ctx context.Context, e event) (any, error) {
	switch e.Do {
	case "echo":
		fmt.Println("echo " + e.Text)
		return e.Text, nil
	case "describe":
		return describe(ctx), nil
	case "fail":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		fmt.Print("no line end")
		os.Exit(3)
	case "sleep":
		fmt.Println("asleep")
		time.Sleep(time.Hour)
	case "meet":
		meeting.Done()
		meeting.Wait()
		return "met", nil
	case "large":
		return strings.Repeat("x", 7<<20), nil
	}
	return nil, fmt.Errorf("no such thing to do: %q", e.Do)
}

func describe(ctx context.Context) map[string]any {
	deadline, _ := ctx.Deadline()
	lc, _ := lambdacontext.FromContext(ctx)
	directory, _ := os.Getwd()
	return map[string]any{
		"pid": os.Getpid(), "environ": os.Environ(), "directory": directory,
		"remaining_ms": time.Until(deadline).Milliseconds(),
		"request_id":   lc.AwsRequestID, "arn": lc.InvokedFunctionArn,
		"trace": os.Getenv("_X_AMZN_TRACE_ID"),
	}
}

func main() {
	meeting.Add(2)
	switch os.Getenv("START") {
	case "fail":
		fmt.Fprintln(os.Stderr, "authorizer.yaml:3: gateway: no such luck")
		os.Exit(1)
	case "hang":
		fmt.Fprintln(os.Stderr, "thinking")
		time.Sleep(time.Hour)
	}
	lambda.Start(func(ctx context.Context, payload json.RawMessage) (any, error) {
		var e event
		if err := json.Unmarshal(payload, &e); err != nil {
			return nil, err
		}
		return handle(ctx, e)
	})
}

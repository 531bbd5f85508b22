package items

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ClientOptions makes a client that tries four times and gives no try more than
// a second and a half: a lost packet costs a caller of ours no whole request.
func ClientOptions(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = 4
		s.Backoff = retry.BackoffDelayerFunc(backoff)
	})
	o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(1500 * time.Millisecond)
}

// backoff waits up to 50, 100, 200 ms before the next try, with full jitter.
// The SDK's own goes up to seconds, and bounded to less than one it has no
// jitter.
func backoff(attempt int, _ error) (time.Duration, error) {
	return rand.N(25 * time.Millisecond << min(attempt, 4)), nil
}

// tellLost sets lost where a try of the call may have been done and its reply
// did not come: the connection broke, or the service itself failed. A 4xx, as
// throttling is, says that nothing was done.
func tellLost(lost *bool) func(*dynamodb.Options) {
	look := middleware.InitializeMiddlewareFunc("TellLost", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error,
	) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		tries, _ := retry.GetAttemptResults(metadata)
		for _, try := range tries.Results {
			status := 0 // no response at all is one of status 0 too
			if response := new(smithyhttp.ResponseError); errors.As(try.Err, &response) {
				status = response.HTTPStatusCode()
			}
			refused := status >= http.StatusBadRequest && status < http.StatusInternalServerError
			*lost = *lost || try.Err != nil && !refused
		}
		return out, metadata, err
	})
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Initialize.Add(look, middleware.Before)
		})
	}
}

// classify wraps in ErrBusy what a later try may get past: throttling,
// time-outs, refused connections, errors of the service itself.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	var response *smithyhttp.ResponseError
	busy := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &send)
	if errors.As(err, &api) {
		_, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
		busy = busy || throttled
	}
	if errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError {
		busy = true
	}
	if busy {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

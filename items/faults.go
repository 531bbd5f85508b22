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

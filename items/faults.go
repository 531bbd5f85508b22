package items

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// ClientOptions makes a client that tries four times with jitter and gives no
// try more than a second and a half: a lost packet costs a caller of ours no
// whole request.
func ClientOptions(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = 4
		s.MaxBackoff = 400 * time.Millisecond
	})
	o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(1500 * time.Millisecond)
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

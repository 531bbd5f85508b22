package httpsig

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"lambda-authorizer/reason"
)

// nonceMargin is how much longer a nonce is kept than its signature is good
// for. It covers the difference between the clocks of two functions.
const nonceMargin = time.Minute

// Nonces remembers which nonces were used.
type Nonces interface {
	// Use records key and tells whether this is its first use. A second use
	// with the same requestID is the first one tried again, and as fresh. It
	// must remember key until expires at least, for all processes.
	Use(ctx context.Context, key, requestID string, expires time.Time) (fresh bool, err error)
}

// Spend makes sure that s is used for this request alone. It is the last check
// of all: what is refused for another reason may be sent again as it is.
//
// requestID tells one request from another, so that a write that is tried
// again meets itself. No client may choose it: the requestId of a REST API's
// event will not do, because clients can override it
// (docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html).
// The request id of the Lambda invocation will. Without one nothing is
// tried again.
func (v *Verifier) Spend(ctx context.Context, s *Signature, requestID string) error {
	if v.replay {
		return nil
	}
	if requestID == "" {
		requestID = rand.Text()
	}
	fresh, err := v.nonces.Use(ctx, s.Key.ID+"#"+s.nonce, requestID, s.Created.Add(v.maxAge+nonceMargin))
	if err != nil {
		return fmt.Errorf("%w: %w", reason.NoncesUnavailable, err)
	}
	if !fresh {
		return deny(reason.SignatureReplayed, "key %s", s.Key.ID)
	}
	return nil
}

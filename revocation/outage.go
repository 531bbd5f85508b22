package revocation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/sony/gobreaker/v2"

	"lambda-authorizer/fault"
	"lambda-authorizer/reason"
)

const (
	// openFor is how long the table is left alone once it has failed.
	openFor = 5 * time.Second
	// tripAfter is how many reads in a row must fail for that. Each has been
	// tried up to three times already.
	tripAfter = 3
)

// newBreaker makes the circuit breaker. Half-open it lets one read through as
// a probe. A failure that on_error does not cover tells nothing about an
// outage and is not counted.
func newBreaker(open time.Duration) *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     open,
		MaxRequests: 1,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= tripAfter },
		IsExcluded:  func(err error) bool { return err != nil && !covered(err) },
	})
}

// isOpen tells that the breaker refused to ask the table.
func isOpen(err error) bool {
	return errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)
}

// covered tells the failures of an outage, which on_error and the breaker are
// about: throttling, time-outs, broken and refused connections, 5xx. All else
// is a fault whatever on_error says: a missing permission, table or name, a
// certificate that does not verify, an answer that makes no sense.
func covered(err error) bool {
	var status interface{ HTTPStatusCode() int }
	if errors.As(err, &status) && status.HTTPStatusCode() >= 500 {
		return true
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		_, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
		_, late := retry.DefaultRetryableErrorCodes[api.ErrorCode()]
		return throttled || late
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return !dns.IsNotFound && (dns.IsTimeout || dns.IsTemporary)
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return true
	}
	for _, broken := range outages {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}

// outages are the errors of a server that does not answer.
var outages = []error{
	errUnprocessed, gobreaker.ErrOpenState, gobreaker.ErrTooManyRequests, context.DeadlineExceeded,
	syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ETIMEDOUT,
	syscall.EHOSTUNREACH, syscall.ENETUNREACH, net.ErrClosed, io.EOF, io.ErrUnexpectedEOF,
}

// unavailable is the fault of a failed read. Its text is safe to log.
type unavailable struct {
	text  string
	cause error
}

func (u *unavailable) Error() string { return string(reason.RevocationUnavailable) + ": " + u.text }

// Unwrap makes the fault's code and its cause known to errors.Is.
func (u *unavailable) Unwrap() []error { return []error{reason.RevocationUnavailable, u.cause} }

// fault names the dependency and what it did.
func (c *Checker) fault(err error) error {
	text := describe(err)
	if isOpen(err) {
		c.mu.Lock()
		text = fmt.Sprintf("not asked for up to %v: %s", openFor, describe(c.last))
		c.mu.Unlock()
	}
	return &unavailable{text: fmt.Sprintf("table %s: %s", c.table, text), cause: err}
}

// describe puts a failure in words without secrets.
func describe(err error) string {
	switch {
	case err == nil:
		return "it has failed before"
	case errors.Is(err, errUnprocessed):
		return errUnprocessed.Error()
	}
	return fault.Text(err)
}

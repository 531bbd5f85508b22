package secrets

import (
	"errors"

	"github.com/aws/smithy-go"

	"lambda-authorizer/fault"
)

// Why tells what went wrong with a call to Secrets Manager without the
// answer's body: a decoder's error may quote it, and it may hold a secret. The
// words of an error that the service reported stay as far as package fault
// passes them on, where the request had no secret that they could repeat; those
// about a missing permission stay anyway.
func Why(err error, requestHeldSecret bool) error {
	var own plainError
	code := fault.Code(err)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own
	case code != "" && requestHeldSecret && code != "AccessDeniedException":
		return errors.New(code)
	}
	return errors.New(fault.TextWithoutAnswer(err))
}

// Failed reports whether Secrets Manager answered with this error code.
func Failed(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

package secrets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
)

// Why tells what went wrong with a call to Secrets Manager without the
// answer's body: a decoder's error may quote it, and it may hold a secret. The
// words of an error that the service reported stay (they name the missing
// permission), where the request had no secret that they could repeat.
func Why(err error, requestHeldSecret bool) error {
	var own plainError
	var api smithy.APIError
	var network *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own
	case errors.As(err, &api) && requestHeldSecret && api.ErrorCode() != "AccessDeniedException":
		return errors.New(clip(api.ErrorCode()))
	case errors.As(err, &api):
		return fmt.Errorf("%s: %s", clip(api.ErrorCode()), clip(api.ErrorMessage()))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errors.New("no answer in time")
	case errors.As(err, &network):
		return errors.New(clip(network.Error()))
	}
	return fmt.Errorf("no usable answer (%T)", innermost(err))
}

// Failed reports whether Secrets Manager answered with this error code.
func Failed(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

var control = regexp.MustCompile(`[[:cntrl:]]+`)

// clip bounds what others have written.
func clip(text string) string {
	const most = 300
	text = control.ReplaceAllString(strings.ToValidUTF8(text, "?"), " ")
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

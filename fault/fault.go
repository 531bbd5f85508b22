// Package fault puts a failed call of AWS in words that may be logged. It does
// not know what the call was for.
package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// worded are the codes whose messages speak of a resource, a permission or an
// argument. All others stand alone: to a signature that is wrong AWS answers
// with the canonical request, which holds the session token
// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html).
var worded = map[string]bool{
	"AccessDeniedException":     true,
	"DecryptionFailure":         true,
	"EncryptionFailure":         true,
	"InvalidParameterException": true,
	"InvalidRequestException":   true,
	"LimitExceededException":    true,
	"ResourceExistsException":   true,
	"ResourceNotFoundException": true,
	"ValidationException":       true,
}

// Text tells what went wrong with a call whose answer holds nothing secret.
func Text(err error) string {
	if text := known(err); text != "" {
		return text
	}
	return err.Error()
}

// TextWithoutAnswer is [Text] for a call whose answer may hold a secret: what
// says that it cannot be read may quote it.
func TextWithoutAnswer(err error) string {
	if text := known(err); text != "" {
		return text
	}
	return fmt.Sprintf("no usable answer (%T)", innermost(err))
}

// Code is the code of what the service answered, "" where it gave none. An
// answer without a readable error has the SDK's own.
func Code(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() == "UnknownError" {
		return ""
	}
	return clip(api.ErrorCode())
}

// known is the text of the failures that are known by kind.
func known(err error) string {
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	var request *url.Error
	var broken *net.OpError
	code := Code(err)
	switch {
	case worded[code] && errors.As(err, &api):
		return code + ": " + clip(api.ErrorMessage())
	case code != "":
		return code
	case errors.As(err, &answer) && answer.HTTPStatusCode() >= 300:
		return fmt.Sprintf("HTTP status %d", answer.HTTPStatusCode())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "no answer in time"
	case errors.As(err, &broken) && errors.As(err, &request):
		return clip(request.Error()) // the endpoint as well; the calls that are told here have no query
	case broken != nil:
		return clip(broken.Error())
	}
	return ""
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

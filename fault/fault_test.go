package fault_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lambda-authorizer/fault"
)

// token is what no text may hold.
const token = "IQoJb3JpZ2luX2VjE"

func says(code, message string) error {
	return &smithy.OperationError{ServiceID: "S", OperationName: "O", Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func answers(status int, err error) error {
	return fmt.Errorf("X: %w", &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err})
}

func TestFailureIsToldWithoutWhatAWSQuotes(t *testing.T) {
	t.Parallel()
	unreadable := &smithy.DeserializationError{Err: errors.New(token), Snapshot: []byte(token)}
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"a wrong signature, answered with the canonical request": {says("InvalidSignatureException", "x-amz-security-token:"+token), "InvalidSignatureException"},
		"an incomplete signature":                                {says("IncompleteSignatureException", "Authorization="+token), "IncompleteSignatureException"},
		"a code that nobody knows":                               {says("NewException", token), "NewException"},
		"a permission that is missing":                           {says("AccessDeniedException", "not\x00 allowed"), "AccessDeniedException: not  allowed"},
		"a secret that is going":                                 {says("InvalidRequestException", "marked for deletion"), "InvalidRequestException: marked for deletion"},
		"a long message":                                         {says("ValidationException", strings.Repeat("é", 200)), "ValidationException: " + strings.Repeat("é", 150) + "…"},
		"an answer without a code":                               {answers(503, &smithy.GenericAPIError{Code: "UnknownError", Message: "UnknownError"}), "HTTP status 503"},
		"an error page":                                          {answers(502, unreadable), "HTTP status 502"},
		"no answer in time":                                      {fmt.Errorf("X: %w", context.DeadlineExceeded), "no answer in time"},
		"given up":                                               {fmt.Errorf("X: %w", context.Canceled), "no answer in time"},
		"no connection":                                          {fmt.Errorf("X: %w", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}), "dial tcp: refused"},
		"no connection to an endpoint":                           {&url.Error{Op: "Post", URL: "https://here/", Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}}, `Post "https://here/": dial tcp: refused`},
	} {
		for _, got := range []string{fault.Text(c.err), fault.TextWithoutAnswer(c.err)} {
			if got != c.want {
				t.Errorf("%s: %q, want %q", what, got, c.want)
			}
		}
	}
	if got := fault.TextWithoutAnswer(answers(200, unreadable)); got != "no usable answer (*errors.errorString)" {
		t.Errorf("an answer that cannot be read: %q", got)
	}
	if got := fault.Text(errors.New("no credentials")); got != "no credentials" {
		t.Errorf("of another kind: %q", got)
	}
}

package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"lambda-authorizer/secrets"
)

func TestErrorsOfCallsAreToldWithoutWhatTheyMayQuote(t *testing.T) {
	t.Parallel()
	refused := &smithy.OperationError{ServiceID: "Secrets Manager", OperationName: "X", Err: &smithy.GenericAPIError{Code: "ValidationException", Message: "hunter2"}}
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not\x00 allowed " + strings.Repeat("é", 200)}
	for what, c := range map[string]struct {
		err  error
		held bool
		want string
	}{
		"the service's words":                {refused, false, "ValidationException: hunter2"},
		"the service's words about a secret": {refused, true, "ValidationException"},
		"a missing permission, cut":          {denied, true, "AccessDeniedException: not  allowed " + strings.Repeat("é", 143) + "…"},
		"no answer in time":                  {fmt.Errorf("hunter2: %w", context.DeadlineExceeded), false, "no answer in time"},
		"given up":                           {fmt.Errorf("hunter2: %w", context.Canceled), false, "no answer in time"},
		"no connection":                      {fmt.Errorf("hunter2: %w", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}), false, "dial tcp: connection refused"},
		"an answer that cannot be read":      {&smithy.DeserializationError{Err: errors.New("hunter2"), Snapshot: []byte("hunter2")}, false, "no usable answer (*errors.errorString)"},
		"a wrong signature":                  {&smithy.GenericAPIError{Code: "InvalidSignatureException", Message: "x-amz-security-token:hunter2"}, false, "InvalidSignatureException"},
	} {
		if got := secrets.Why(c.err, c.held); got.Error() != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
	if secrets.Why(nil, true) != nil {
		t.Error("no error is one")
	}
}

func TestParserThatPanicsIsAFailedRead(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.create(t, "keys", "hunter2")
	r := secrets.NewReader([]string{"keys"}, func(text []byte) (map[string]string, []error) { panic(string(text)) },
		secrets.Options{Clients: s.clients, Now: s.Now, OnRead: s.events.add})
	_, _, err := r.Get(t.Context(), "a")
	if !unavailable(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Get: %v", err)
	}
}

func TestSecretOfBytesIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	_, err := s.client.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: aws.String("keys"), SecretBinary: []byte("a=1")})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.reader("keys").Get(t.Context(), "a")
	if !unavailable(err) || !strings.Contains(err.Error(), "bytes, not a string") {
		t.Errorf("Get: %v", err)
	}
}

// Whatever an answer looks like, its body is in no error and no event.
func TestBrokenAnswerIsInNoError(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	for what, body := range map[string]string{
		"not JSON":       secret,
		"cut off":        `{"SecretString":"` + secret,
		"wrong type":     `{"SecretString":["` + secret + `"]}`,
		"no version":     `{"SecretString":"` + secret + `"}`,
		"date as string": `{"SecretString":"` + secret + `","VersionId":"v","CreatedDate":"` + secret + `"}`,
		"not parsed":     `{"SecretString":"broken ` + secret + `","VersionId":"v","CreatedDate":1}`,
		"binary":         `{"SecretBinary":"` + secret + `","VersionId":"v","CreatedDate":1}`,
	} {
		s := newService(t)
		s.answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		r := s.readerWith(secrets.Options{PreviousGrace: time.Hour}, "keys")
		_, _, err := r.Get(t.Context(), "a")
		if !unavailable(err) {
			t.Errorf("%s: %v", what, err)
			continue
		}
		for _, text := range []string{err.Error(), s.events.last(t).Err.Error()} {
			if strings.Contains(text, "hunter") || strings.Contains(text, "aHVudGVy") {
				t.Errorf("%s: the error quotes it: %s", what, text)
			}
		}
	}
}

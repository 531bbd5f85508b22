package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
)

// DefaultMaxBody is the largest body that Lambda can hand over: 6 MB.
const DefaultMaxBody = 6 << 20

// Options of Protect. The zero Options is ready to use.
type Options struct {
	// MaxBody is the largest body accepted, in bytes; a larger one is answered
	// with 413. Default DefaultMaxBody.
	MaxBody int64
	// Log takes the alarm about a route without authorizer. Default
	// slog.Default().
	Log *slog.Logger
}

// Protect serves next only to callers that the authorizer let in. next finds
// the Caller with From and the body whole.
//
// A request without the authorizer's context is answered with 500 and an error
// in the log: no client can cause it, the route was deployed without the
// authorizer. A body that differs from the digest its sender signed is
// answered with 400, and so is a signed request whose body no digest covers.
func Protect(next http.Handler, o Options) http.Handler {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := readCaller(r.Context())
		if err != nil {
			alarm(o.Log, r, err)
			untrusted(err).Write(w, r)
			return
		}
		noteCaller(r.Context(), caller)
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, o.MaxBody))
		if err != nil {
			unreadable(err).Write(w, r)
			return
		}
		if p := caller.checkBody(body); p != nil {
			p.Write(w, r)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), callerKey{}, caller))
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// RequireScope serves next to callers that hold scope. The authorizer has
// checked it already, if its route table asks for it: this is the second lock.
// It stands inside Protect.
func RequireScope(scope string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, ok := From(r.Context())
		if !ok {
			untrusted(errNoContext).Write(w, r)
			return
		}
		if !caller.HasScope(scope) {
			Problem{
				Code: "scope_insufficient", Status: http.StatusForbidden,
				Detail: fmt.Sprintf("This needs the scope %s.", scope),
			}.Write(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkBody holds the body against what the caller signed.
func (c *Caller) checkBody(body []byte) *Problem {
	switch {
	case c.ContentDigest != "":
		if err := checkDigest(c.ContentDigest, body); err != nil {
			return &Problem{
				Code: "digest_mismatch", Status: http.StatusBadRequest,
				Detail: "The body does not fit its signature: " + err.Error() + ".",
				Errors: []FieldError{{Header: "Content-Digest", Detail: err.Error()}},
			}
		}
	case len(body) > 0 && slices.Contains(c.AuthMethods, "signature"):
		return &Problem{
			Code: "digest_missing", Status: http.StatusBadRequest,
			Detail: "The request is signed, and no digest covers its body: sign content-digest.",
			Errors: []FieldError{{Header: "Content-Digest", Detail: "must be sent and signed"}},
		}
	}
	return nil
}

func alarm(log *slog.Logger, r *http.Request, err error) {
	e := EventOf(r.Context())
	log.ErrorContext(r.Context(), "refused a request that the authorizer did not let in: check that the route has the authorizer and that no resource policy allows beside it",
		"cause", err.Error(), "request_id", e.RequestID, "api_id", e.APIID, "stage", e.Stage, "route", e.Route)
}

func untrusted(err error) Problem {
	code := "context_missing"
	if errors.Is(err, errRefused) {
		code = "context_refused"
	}
	return Problem{
		Code: code, Status: http.StatusInternalServerError,
		Detail: "This route is not set up correctly. The operators have been told.",
	}
}

func unreadable(err error) Problem {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return Problem{
			Code: "body_too_large", Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("The body may have at most %d bytes.", tooLarge.Limit),
		}
	}
	return Problem{Code: "body_unreadable", Status: http.StatusBadRequest, Detail: "The body ended early."}
}

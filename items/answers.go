package items

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"

	"lambda-authorizer/backend"
)

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	w.Write(body)
	return nil
}

// answerItem writes an item with its entity tag.
func answerItem(w http.ResponseWriter, status int, i Item) error {
	w.Header().Set("ETag", i.etag())
	return answer(w, status, i.wire())
}

// fail answers with what err means to the caller, and tells the log of what it
// does not.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var problem backend.Problem
	switch {
	case errors.As(err, &problem):
		problem.Write(w, r)
	case errors.Is(err, ErrNotFound):
		notFound.Write(w, r)
	case errors.Is(err, ErrPrecondition):
		backend.Problem{
			Code: "precondition_failed", Status: http.StatusPreconditionFailed,
			Detail: "The item has changed: read it again and decide anew.",
		}.Write(w, r)
	case errors.Is(err, ErrConflict):
		backend.Problem{
			Code: "edit_conflict", Status: http.StatusConflict,
			Detail: "Others change this item at the same time: try again, or send If-Match.",
		}.Write(w, r)
	case errors.Is(err, ErrKeyReused):
		backend.Problem{
			Code: "idempotency_key_reused", Status: http.StatusUnprocessableEntity,
			Detail: "This Idempotency-Key was used with another body: make a new one for each new item.",
			Errors: []backend.FieldError{{Header: idempotencyHeader, Detail: "was used with another body"}},
		}.Write(w, r)
	case errors.Is(err, ErrBusy), errors.Is(err, context.DeadlineExceeded):
		h.log.WarnContext(r.Context(), "answered 503", "error", err, "request_id", backend.EventOf(r.Context()).RequestID)
		w.Header().Set("Retry-After", "1")
		backend.Problem{
			Code: "busy", Status: http.StatusServiceUnavailable,
			Detail: "The service is busy: try again in a second.",
		}.Write(w, r)
	default:
		h.log.ErrorContext(r.Context(), "answered 500", "error", err, "request_id", backend.EventOf(r.Context()).RequestID)
		backend.Internal.Write(w, r)
	}
}

// notFound is the same for an item that is not there and one that is another
// principal's: the answer tells nothing.
var notFound = backend.Problem{Code: "item_not_found", Status: http.StatusNotFound, Detail: "There is no such item."}

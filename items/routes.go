package items

import (
	"net/http"
	"path"

	"github.com/oklog/ulid/v2"

	"lambda-authorizer/backend"
)

// owner is the principal, whose partition the request works in. RequireScope
// has made sure of the caller.
func owner(r *http.Request) string {
	caller, _ := backend.From(r.Context())
	return caller.Principal
}

// create answers POST /items.
func (h *handler) create(w http.ResponseWriter, r *http.Request) error {
	content, err := readContent(w, r)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return badHeader(idempotencyHeader, err)
	}
	var item Item
	if key == "" {
		item, err = h.store.Create(r.Context(), owner(r), content)
	} else {
		item, err = h.store.CreateOnce(r.Context(), owner(r), key, content)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", location(r, item.ID))
	return answerItem(w, http.StatusCreated, item)
}

// location is where the new item is, relative to the URL that the client sent
// the request to (RFC 9110 section 10.2.2). An absolute path would need what
// stands before the API's own, and payload 2.0 does not tell an API mapping:
// see backend.Event.
func location(r *http.Request, id ulid.ULID) string {
	return path.Base(r.URL.Path) + "/" + id.String()
}

// get answers GET /items/{id}.
func (h *handler) get(w http.ResponseWriter, r *http.Request) error {
	if err := checkMedia(w, r); err != nil {
		return err
	}
	id, conditions, err := readTarget(r)
	if err != nil {
		return err
	}
	item, err := h.store.Get(r.Context(), owner(r), id)
	switch {
	case err != nil:
		return err
	case !conditions.matches(item.Version):
		return ErrPrecondition
	case conditions.noneMatch.has(item.Version):
		w.Header().Set("ETag", item.etag())
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return answerItem(w, http.StatusOK, item)
}

// replace answers PUT /items/{id}. It does not create: ids are the service's.
func (h *handler) replace(w http.ResponseWriter, r *http.Request) error {
	id, conditions, err := readTarget(r)
	if err != nil {
		return err
	}
	content, err := readContent(w, r)
	if err != nil {
		return err
	}
	item, err := h.store.Replace(r.Context(), owner(r), id, content, conditions)
	if err != nil {
		return err
	}
	return answerItem(w, http.StatusOK, item)
}

// patch answers PATCH /items/{id}: JSON Merge Patch, RFC 7396.
func (h *handler) patch(w http.ResponseWriter, r *http.Request) error {
	id, conditions, err := readTarget(r)
	if err != nil {
		return err
	}
	m, err := readPatch(w, r)
	if err != nil {
		return err
	}
	item, err := h.store.Patch(r.Context(), owner(r), id, conditions, func(c Content) (Content, error) {
		return c.merge(m, true)
	})
	if err != nil {
		return err
	}
	return answerItem(w, http.StatusOK, item)
}

// delete answers DELETE /items/{id}.
func (h *handler) delete(w http.ResponseWriter, r *http.Request) error {
	id, conditions, err := readTarget(r)
	if err != nil {
		return err
	}
	if err := h.store.Delete(r.Context(), owner(r), id, conditions); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

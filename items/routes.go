package items

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

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
func (h *handler) create(w http.ResponseWriter, r *http.Request) {
	content, p := readContent(w, r)
	if p != nil {
		p.Write(w, r)
		return
	}
	item, err := h.store.Create(r.Context(), owner(r), content)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Location", location(r, item.ID))
	answerItem(w, r, http.StatusCreated, item)
}

// location is the new item's path as the client knows this API: with the stage
// or base path that it used.
func location(r *http.Request, id ulid.ULID) string {
	base := backend.EventOf(r.Context()).Path
	if base == "" {
		base = r.URL.EscapedPath()
	}
	return base + "/" + id.String()
}

// get answers GET /items/{id}.
func (h *handler) get(w http.ResponseWriter, r *http.Request) {
	if p := checkMedia(w, r); p != nil {
		p.Write(w, r)
		return
	}
	id, ok := parseID(r.PathValue("id"))
	if !ok {
		notFound.Write(w, r)
		return
	}
	noneMatch, err := parseTags(r.Header.Values("If-None-Match"), false)
	if err != nil {
		badHeader("If-None-Match", err).Write(w, r)
		return
	}
	item, err := h.store.Get(r.Context(), owner(r), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if noneMatch.has(item.Version) {
		w.Header().Set("ETag", item.etag())
		w.WriteHeader(http.StatusNotModified)
		return
	}
	answerItem(w, r, http.StatusOK, item)
}

// delete answers DELETE /items/{id}.
func (h *handler) delete(w http.ResponseWriter, r *http.Request) {
	id, ok := parseID(r.PathValue("id"))
	if !ok {
		notFound.Write(w, r)
		return
	}
	conditions, p := readConditions(r)
	if p != nil {
		p.Write(w, r)
		return
	}
	if err := h.store.Delete(r.Context(), owner(r), id, conditions); err != nil {
		h.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// page is the answer to GET /items.
type page struct {
	Items      []wireItem `json:"items"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// list answers GET /items.
func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	if p := checkMedia(w, r); p != nil {
		p.Write(w, r)
		return
	}
	limit, cursor, p := readQuery(r.URL.RawQuery)
	if p != nil {
		p.Write(w, r)
		return
	}
	var after ulid.ULID
	if cursor != "" {
		keys, err := h.cursors.CursorKeys(r.Context())
		if err != nil {
			h.fail(w, r, err)
			return
		}
		if after, err = parseCursor(keys, owner(r), cursor); err != nil {
			badQuery(backend.FieldError{Parameter: "cursor", Detail: "must be a next_cursor of this list"}).Write(w, r)
			return
		}
	}
	items, more, err := h.store.List(r.Context(), owner(r), after, limit)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	out := page{Items: make([]wireItem, 0, len(items))}
	for _, i := range items {
		out.Items = append(out.Items, i.wire())
	}
	if more {
		keys, err := h.cursors.CursorKeys(r.Context())
		if err != nil {
			h.fail(w, r, err)
			return
		}
		out.NextCursor = makeCursor(keys[0], owner(r), items[len(items)-1].ID)
	}
	answer(w, r, http.StatusOK, out)
}

// The bounds of a page.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

func readQuery(raw string) (limit int, cursor string, p *backend.Problem) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return 0, "", badQuery(backend.FieldError{Detail: "the query is not validly encoded"})
	}
	limit = DefaultLimit
	if values, ok := query["limit"]; ok {
		limit, err = strconv.Atoi(values[0])
		if err != nil || len(values) > 1 || limit < 1 || limit > MaxLimit || strconv.Itoa(limit) != values[0] {
			return 0, "", badQuery(backend.FieldError{Parameter: "limit", Detail: fmt.Sprintf("must be one whole number from 1 to %d", MaxLimit)})
		}
	}
	if values, ok := query["cursor"]; ok {
		if len(values) > 1 || values[0] == "" {
			return 0, "", badQuery(backend.FieldError{Parameter: "cursor", Detail: "must be one next_cursor of this list; leave it out for the first page"})
		}
		cursor = values[0]
	}
	return limit, cursor, nil
}

func badQuery(e backend.FieldError) *backend.Problem {
	return &backend.Problem{Code: "query_invalid", Status: http.StatusBadRequest, Detail: "The query is not valid: see errors.", Errors: []backend.FieldError{e}}
}

func badHeader(name string, err error) *backend.Problem {
	return &backend.Problem{
		Code: "header_invalid", Status: http.StatusBadRequest, Detail: name + " " + err.Error() + ".",
		Errors: []backend.FieldError{{Header: name, Detail: err.Error()}},
	}
}

// readContent reads a request's whole item.
func readContent(w http.ResponseWriter, r *http.Request) (Content, *backend.Problem) {
	if p := checkMedia(w, r, jsonType); p != nil {
		return Content{}, p
	}
	body, p := readBody(r)
	if p != nil {
		return Content{}, p
	}
	return parseContent(body)
}

// readBody reads what Protect has bounded.
func readBody(r *http.Request) ([]byte, *backend.Problem) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, &backend.Internal
	}
	return body, nil
}

// readConditions reads If-Match and If-None-Match of a write.
func readConditions(r *http.Request) (c Conditions, p *backend.Problem) {
	var err error
	if c.match, err = parseTags(r.Header.Values("If-Match"), true); err != nil {
		return c, badHeader("If-Match", err)
	}
	if c.noneMatch, err = parseTags(r.Header.Values("If-None-Match"), false); err != nil {
		return c, badHeader("If-None-Match", err)
	}
	return c, nil
}

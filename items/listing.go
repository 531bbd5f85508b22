package items

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/oklog/ulid/v2"

	"lambda-authorizer/backend"
)

// page is the answer to GET /items.
type page struct {
	Items      []wireItem `json:"items"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// list answers GET /items.
func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	if err := checkMedia(w, r); err != nil {
		return err
	}
	limit, cursor, err := readQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	after, err := h.after(r, cursor)
	if err != nil {
		return err
	}
	items, more, err := h.store.List(r.Context(), owner(r), after, limit)
	if err != nil {
		return err
	}
	out := page{Items: make([]wireItem, 0, len(items))}
	for _, i := range items {
		out.Items = append(out.Items, i.wire())
	}
	if more {
		keys, err := h.cursors.CursorKeys(r.Context())
		if err != nil {
			return err
		}
		out.NextCursor = makeCursor(keys[0], owner(r), items[len(items)-1].ID)
	}
	return answer(w, http.StatusOK, out)
}

// after is the id that a cursor points to; zero without a cursor.
func (h *handler) after(r *http.Request, cursor string) (ulid.ULID, error) {
	if cursor == "" {
		return ulid.ULID{}, nil
	}
	keys, err := h.cursors.CursorKeys(r.Context())
	if err != nil {
		return ulid.ULID{}, err
	}
	after, err := parseCursor(keys, owner(r), cursor)
	if err != nil {
		return ulid.ULID{}, badParameter("cursor", "must be a next_cursor of this list")
	}
	return after, nil
}

// The bounds of a page.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// readQuery reads what a page may ask for. Other parameters are not its
// business: one may carry the credential.
func readQuery(raw string) (limit int, cursor string, err error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return 0, "", badParameter("", "the query is not validly encoded")
	}
	limit = DefaultLimit
	if values, ok := query["limit"]; ok {
		limit, err = strconv.Atoi(values[0])
		if err != nil || len(values) > 1 || limit < 1 || limit > MaxLimit || strconv.Itoa(limit) != values[0] {
			return 0, "", badParameter("limit", fmt.Sprintf("must be one whole number from 1 to %d", MaxLimit))
		}
	}
	if values, ok := query["cursor"]; ok {
		if len(values) > 1 || values[0] == "" {
			return 0, "", badParameter("cursor", "must be one next_cursor of this list; leave it out for the first page")
		}
		cursor = values[0]
	}
	return limit, cursor, nil
}

func badParameter(name, detail string) backend.Problem {
	return backend.Problem{
		Code: "query_invalid", Status: http.StatusBadRequest, Detail: "The query is not valid: see errors.",
		Errors: []backend.FieldError{{Parameter: name, Detail: detail}},
	}
}

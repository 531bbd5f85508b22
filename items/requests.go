package items

import (
	"io"
	"net/http"

	"github.com/oklog/ulid/v2"

	"lambda-authorizer/backend"
)

// readTarget reads which item a write is for and on which conditions.
func readTarget(r *http.Request) (id ulid.ULID, c Conditions, err error) {
	id, ok := parseID(r.PathValue("id"))
	if !ok {
		return id, c, notFound
	}
	if c.match, err = parseTags(r.Header.Values("If-Match"), true); err != nil {
		return id, c, badHeader("If-Match", err)
	}
	if c.noneMatch, err = parseTags(r.Header.Values("If-None-Match"), false); err != nil {
		return id, c, badHeader("If-None-Match", err)
	}
	return id, c, nil
}

// readContent reads a whole item from the body.
func readContent(w http.ResponseWriter, r *http.Request) (Content, error) {
	if err := checkMedia(w, r, jsonType); err != nil {
		return Content{}, err
	}
	body, err := io.ReadAll(r.Body) // bounded by Protect
	if err != nil {
		return Content{}, err
	}
	return parseContent(body)
}

// readPatch reads a merge patch. Many clients send one as application/json;
// here that can mean nothing else.
func readPatch(w http.ResponseWriter, r *http.Request) (members, error) {
	if err := checkMedia(w, r, patchType, jsonType); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body) // bounded by Protect
	if err != nil {
		return nil, err
	}
	return decodeObject(body)
}

func badHeader(name string, err error) backend.Problem {
	return backend.Problem{
		Code: "header_invalid", Status: http.StatusBadRequest, Detail: name + " " + err.Error() + ".",
		Errors: []backend.FieldError{{Header: name, Detail: err.Error()}},
	}
}

package items

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/backend"
)

// maxFieldErrors bounds how many findings one answer lists.
const maxFieldErrors = 20

// members are the raw members of a JSON object.
type members map[string]jsontext.Value

// decodeObject reads body strictly: one JSON object, valid UTF-8, no member
// twice at any depth.
func decodeObject(body []byte) (members, error) {
	var value jsontext.Value
	if err := json.Unmarshal(body, &value); err != nil {
		return nil, malformed(err)
	}
	if value.Kind() != '{' {
		return nil, invalid([]backend.FieldError{{Pointer: "#", Detail: "must be an object"}})
	}
	var m members
	if err := json.Unmarshal(value, &m); err != nil {
		return nil, malformed(err)
	}
	return m, nil
}

// parseContent reads the whole content of an item.
func parseContent(body []byte) (Content, error) {
	m, err := decodeObject(body)
	if err != nil {
		return Content{}, err
	}
	if _, ok := m["name"]; !ok {
		return Content{}, invalid(append(unknown(m), backend.FieldError{Pointer: "#/name", Detail: "is required"}))
	}
	// A member that is null asks a patch to remove it. Here it is no value.
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name].Kind() == 'n' {
			return Content{}, invalid([]backend.FieldError{{Pointer: pointer(name), Detail: "must not be null: leave it out"}})
		}
	}
	return Content{}.merge(m, false)
}

// merge applies m to c as RFC 7396 says: what m leaves out stays, null
// removes, and metadata is merged member by member. c itself stays as it is.
func (c Content) merge(m members, patch bool) (Content, error) {
	errs := unknown(m)
	if raw, ok := m["name"]; ok {
		errs = append(errs, mergeString(&c.Name, raw, "#/name", false)...)
	}
	if raw, ok := m["description"]; ok {
		errs = append(errs, mergeString(&c.Description, raw, "#/description", true)...)
	}
	if raw, ok := m["metadata"]; ok {
		var more []backend.FieldError
		c.Metadata, more = mergeMetadata(c.Metadata, raw, patch)
		errs = append(errs, more...)
	}
	if len(errs) == 0 {
		errs = c.check()
	}
	if len(errs) > 0 {
		return Content{}, invalid(errs)
	}
	return c, nil
}

func mergeString(to *string, raw jsontext.Value, at string, removable bool) []backend.FieldError {
	switch {
	case raw.Kind() == '"':
		if err := json.Unmarshal(raw, to); err == nil {
			return nil
		}
	case raw.Kind() == 'n' && removable:
		*to = ""
		return nil
	case raw.Kind() == 'n':
		return []backend.FieldError{{Pointer: at, Detail: "cannot be removed"}}
	}
	return []backend.FieldError{{Pointer: at, Detail: "must be a string"}}
}

func mergeMetadata(old map[string]string, raw jsontext.Value, patch bool) (map[string]string, []backend.FieldError) {
	if raw.Kind() == 'n' {
		return nil, nil
	}
	var m members
	if raw.Kind() != '{' || json.Unmarshal(raw, &m) != nil {
		return nil, []backend.FieldError{{Pointer: "#/metadata", Detail: "must be an object"}}
	}
	merged := maps.Clone(old)
	if merged == nil {
		merged = map[string]string{}
	}
	var errs []backend.FieldError
	for _, name := range slices.Sorted(maps.Keys(m)) {
		var s string
		switch {
		case patch && m[name].Kind() == 'n':
			delete(merged, name)
			continue
		case m[name].Kind() != '"' || json.Unmarshal(m[name], &s) != nil:
			errs = append(errs, backend.FieldError{Pointer: pointer("metadata", name), Detail: "must be a string"})
		}
		merged[name] = s
	}
	if len(merged) == 0 {
		merged = nil
	}
	return merged, errs
}

// unknown reports the members that an item does not have, or not from its
// owner.
func unknown(m members) []backend.FieldError {
	var errs []backend.FieldError
	for _, name := range slices.Sorted(maps.Keys(m)) {
		switch name {
		case "name", "description", "metadata":
		case "id", "created_at", "updated_at":
			errs = append(errs, backend.FieldError{Pointer: pointer(name), Detail: "is set by the service: leave it out"})
		default:
			errs = append(errs, backend.FieldError{Pointer: pointer(name), Detail: "is not a field of an item"})
		}
	}
	return errs
}

// pointer is a JSON Pointer as URI fragment, RFC 6901 section 6. A long name
// is cut: it is the sender's own and serves to find the place.
func pointer(names ...string) string {
	var b strings.Builder
	b.WriteByte('#')
	for _, name := range names {
		if r := []rune(name); len(r) > MaxName {
			name = string(r[:MaxName]) + "…"
		}
		b.WriteByte('/')
		b.WriteString(url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name)))
	}
	return b.String()
}

func malformed(err error) backend.Problem {
	p := backend.Problem{Code: "json_malformed", Status: http.StatusBadRequest, Detail: "The body is not valid JSON."}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		p.Detail = fmt.Sprintf("The body is not valid JSON at byte %d: %v.", syntax.ByteOffset, syntax.Err)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			p.Detail = fmt.Sprintf("The body has a member twice, at byte %d.", syntax.ByteOffset)
		}
	}
	return p
}

func invalid(errs []backend.FieldError) backend.Problem {
	detail := "The item is not valid: see errors."
	if len(errs) > maxFieldErrors {
		errs = errs[:maxFieldErrors]
		detail = fmt.Sprintf("The item is not valid: see errors, the first %d of them.", maxFieldErrors)
	}
	return backend.Problem{Code: "item_invalid", Status: http.StatusUnprocessableEntity, Detail: detail, Errors: errs}
}

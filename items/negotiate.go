package items

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"lambda-authorizer/backend"
)

const (
	jsonType  = "application/json"
	patchType = "application/merge-patch+json"
)

// acceptsJSON says whether a JSON answer suits the request's Accept field,
// RFC 9110 section 12.5.1. Ranges that cannot be read do not count.
func acceptsJSON(values []string) bool {
	readable, best, accepted := false, -1, false
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		mediaRange, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		readable = true
		precision := slices.Index([]string{"*/*", "application/*", jsonType}, mediaRange)
		if precision > best {
			q, err := strconv.ParseFloat(parameters["q"], 64)
			best, accepted = precision, err != nil || q > 0
		}
	}
	return accepted || !readable
}

// checkMedia holds the request's body type and accepted types against what
// this service speaks. types are the body types allowed; none where the
// request has no body to read.
func checkMedia(w http.ResponseWriter, r *http.Request, types ...string) error {
	if !acceptsJSON(r.Header.Values("Accept")) {
		return backend.Problem{
			Code: "not_acceptable", Status: http.StatusNotAcceptable,
			Detail: "This service answers in application/json.",
			Errors: []backend.FieldError{{Header: "Accept", Detail: "must allow " + jsonType}},
		}
	}
	if len(types) == 0 {
		return nil
	}
	unsupported := func(header, detail string) error {
		return backend.Problem{
			Code: "media_type_unsupported", Status: http.StatusUnsupportedMediaType,
			Detail: "The body's " + header + " " + detail + ".",
			Errors: []backend.FieldError{{Header: header, Detail: detail}},
		}
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return unsupported("Content-Encoding", "must be identity")
	}
	values := r.Header.Values("Content-Type")
	if len(values) == 1 {
		media, parameters, err := mime.ParseMediaType(values[0])
		charset, ok := parameters["charset"]
		if err == nil && slices.Contains(types, media) && (!ok || strings.EqualFold(charset, "utf-8")) {
			return nil
		}
	}
	if r.Method == http.MethodPatch {
		w.Header().Set("Accept-Patch", strings.Join(types, ", "))
	}
	return unsupported("Content-Type", "must be "+strings.Join(types, " or ")+", in UTF-8")
}

package httpsig

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// canonicalPath writes a path the way both ends can compute. decoded says that
// it has been percent-decoded already.
//
// A final slash is signed as it stands: /prod/ is the root of a stage. Whether
// it leads anywhere else is the route table's decision.
func canonicalPath(path string, decoded bool) (string, error) {
	if !strings.HasPrefix(path, "/") {
		return "", errors.New("the request has no path that begins with a slash")
	}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		text, err := segmentText(segment, decoded)
		if err != nil {
			return "", err
		}
		if text == "" && !last {
			return "", errors.New("the path has an empty segment")
		}
		segments[i] = escape(text, unreserved)
	}
	return "/" + strings.Join(segments, "/"), nil
}

// segmentText decodes one segment and refuses what another reader might take
// for a different path.
func segmentText(segment string, decoded bool) (string, error) {
	text := segment
	if !decoded {
		var err error
		if text, err = url.PathUnescape(segment); err != nil {
			return "", errors.New("the path has an invalid percent escape")
		}
	}
	switch {
	case text == "." || text == "..":
		return "", errors.New("the path has a dot segment")
	case strings.ContainsAny(text, `/\`):
		return "", errors.New("the path has an encoded slash or a backslash")
	case !utf8.ValidString(text):
		return "", errors.New("the path is not UTF-8")
	}
	return text, nil
}

// parameter is one decoded name and value of a query.
type parameter struct{ name, value string }

// parseParameters reads a query string as HTML forms are read (WHATWG URL
// standard, application/x-www-form-urlencoded parsing), which is also how API
// Gateway reads it into its maps: "+" is a blank.
func parseParameters(raw string) ([]parameter, error) {
	if strings.Contains(raw, ";") {
		// Some readers take it for "&".
		return nil, errors.New("the query has a raw semicolon: send %3B")
	}
	var out []parameter
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		var p parameter
		var err error
		if p.name, err = url.QueryUnescape(name); err == nil {
			p.value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return nil, errors.New("the query has an invalid percent escape")
		}
		out = append(out, p)
	}
	return out, validParameters(out)
}

// sortedParameters puts decoded parameters in the order of their names. The
// values of one name keep theirs: it means something to many backends.
func sortedParameters(params map[string][]string) ([]parameter, error) {
	var out []parameter
	for _, name := range slices.Sorted(maps.Keys(params)) {
		values := params[name]
		if len(values) == 0 {
			// The name was sent; left out, it could be added unnoticed.
			values = []string{""}
		}
		for _, value := range values {
			out = append(out, parameter{name, value})
		}
	}
	return out, validParameters(out)
}

func validParameters(params []parameter) error {
	for _, p := range params {
		if p.name == "" {
			return errors.New("the query has a parameter without a name")
		}
		if !utf8.ValidString(p.name) || !utf8.ValidString(p.value) {
			return errors.New("the query is not UTF-8")
		}
	}
	return nil
}

// canonicalQuery is the value of @query.
func canonicalQuery(params []parameter) string {
	var b strings.Builder
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(p.name, unreserved))
		b.WriteByte('=')
		b.WriteString(escape(p.value, unreserved))
	}
	return "?" + b.String()
}

// The characters besides letters and digits that are not encoded.
const (
	unreserved = "-._~" // RFC 3986 section 2.3
	formSet    = "*-._" // WHATWG URL, application/x-www-form-urlencoded percent-encode set
)

// escape percent-encodes every byte but letters, digits and those in keep.
func escape(s, keep string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

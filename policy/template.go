package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A template is a parsed route: a verb and segments. $default matches every
// path, $connect is no path at all.
type template struct {
	verb     verb
	segments []segment
	fallback bool // $default
}

// segment is one part of a template between slashes.
type segment struct {
	kind kind
	text string // of a static segment, decoded
}

type kind uint8

const (
	static kind = iota
	param       // {x}: one segment
	greedy      // {x+}: one or more, always last
)

const (
	// maxSegments bounds the work of the compiler; API Gateway's own paths
	// end far below.
	maxSegments = 30
	// maxTail bounds METHOD/path as a Resource writes it. A Resource holds 512
	// characters; this leaves 128 for what stands before the method.
	maxTail = 384
)

// parseTemplate reads "METHOD /template", $connect or $default. The error is
// for the route's author: what is wrong and what to write.
func parseTemplate(route string) (template, error) {
	switch route {
	case "":
		return template{}, errors.New(`missing; write "METHOD /path", "$default" or "$connect"`)
	case "$default":
		return template{verb: anyVerb, fallback: true}, nil
	case connectPath:
		return template{verb: connectVerb}, nil
	case "$disconnect":
		return template{}, errors.New("$disconnect: API Gateway asks an authorizer on $connect alone")
	}
	method, path, ok := strings.Cut(route, " ")
	if !ok || path == "" {
		return template{}, fmt.Errorf(`%q: write "METHOD /path", "$default" or "$connect"`, route)
	}
	v, err := parseMethod(method)
	if err != nil {
		return template{}, err
	}
	segments, err := parsePath(path)
	if err != nil {
		return template{}, err
	}
	return template{verb: v, segments: segments}, nil
}

func parseMethod(method string) (verb, error) {
	if method == "ANY" {
		return anyVerb, nil
	}
	if v, ok := verbOf(method); ok {
		return v, nil
	}
	upper := strings.ToUpper(method)
	if _, ok := verbOf(upper); ok || upper == "ANY" {
		return 0, fmt.Errorf("method %q: write it in upper case, %s", method, upper)
	}
	if method == "*" {
		return 0, fmt.Errorf("method %q: write ANY", method)
	}
	return 0, fmt.Errorf("method %q: one of %s or ANY", method, strings.Join(verbs[:], ", "))
}

func parsePath(path string) ([]segment, error) {
	if path[0] != '/' {
		return nil, fmt.Errorf("path %q: must begin with a slash", path)
	}
	if path == "/" {
		return nil, nil
	}
	parts := strings.Split(path[1:], "/")
	if len(parts) > maxSegments {
		return nil, fmt.Errorf("path has %d segments, at most %d are supported", len(parts), maxSegments)
	}
	out := make([]segment, len(parts))
	names := map[string]bool{}
	for i, part := range parts {
		s, name, err := parseSegment(part)
		switch {
		case err != nil && part == "" && i == len(parts)-1:
			return nil, fmt.Errorf("path %q ends in a slash, and no request that does matches a route: leave it out", path)
		case err != nil:
			return nil, fmt.Errorf("path %q: %w", path, err)
		case s.kind == greedy && i < len(parts)-1:
			return nil, fmt.Errorf("path %q: %s takes the rest of the path and must be last", path, part)
		case name != "" && names[name]:
			return nil, fmt.Errorf("path %q: parameter %q stands in it twice", path, name)
		}
		names[name] = true
		out[i] = s
	}
	return out, nil
}

func parseSegment(part string) (s segment, name string, err error) {
	if part == "" {
		return s, "", errors.New("empty segment")
	}
	if !strings.ContainsAny(part, "{}") {
		return segment{kind: static, text: part}, "", checkStatic(part)
	}
	inner, okOpen := strings.CutPrefix(part, "{")
	inner, okClose := strings.CutSuffix(inner, "}")
	name, plus := strings.CutSuffix(inner, "+")
	if !okOpen || !okClose || strings.ContainsAny(inner, "{}") {
		return s, "", fmt.Errorf("segment %q: a parameter is a whole segment, {name} or {name+}", part)
	}
	if !wordOf(name, func(c byte) bool { return isName(c) || c == '.' || c == ':' }) {
		return s, "", fmt.Errorf("segment %q: only letters, digits and . _ - : may name a parameter", part)
	}
	if plus {
		return segment{kind: greedy}, name, nil
	}
	return segment{kind: param}, name, nil
}

// checkStatic refuses what a Resource cannot say. * and ? are wildcards
// there, and neither IAM's escapes for them (${*}, ${?}) nor any others are
// documented for what an authorizer returns. Segments are written as text,
// so a percent sign is taken for an encoding that should not be there.
func checkStatic(part string) error {
	if part == "." || part == ".." {
		return fmt.Errorf("segment %q matches no request", part)
	}
	if !utf8.ValidString(part) {
		return fmt.Errorf("segment %q is not valid UTF-8", part)
	}
	for _, r := range part {
		switch {
		case r == '*' || r == '?':
			return fmt.Errorf("segment %q: %c is a wildcard in a policy and cannot be escaped there; use a {parameter}", part, r)
		case r == '%':
			return fmt.Errorf("segment %q: write the character itself, not its percent-encoding", part)
		case r < utf8.RuneSelf && !isPlain(byte(r)), r == utf8.RuneError, !unicode.IsPrint(r):
			return fmt.Errorf("segment %q: %q cannot stand in a path segment", part, r)
		}
	}
	return nil
}

// key is the same for two templates that are equal but for parameter names.
func (t template) key() string {
	var b strings.Builder
	switch {
	case t.fallback:
		return "$default"
	case t.verb == connectVerb:
		return connectPath
	case t.verb == anyVerb:
		b.WriteString("ANY /")
	default:
		b.WriteString(verbs[t.verb] + " /")
	}
	for i, s := range t.segments {
		if i > 0 {
			b.WriteByte('/')
		}
		switch s.kind {
		case static:
			b.WriteString(s.text)
		case param:
			b.WriteString("{}")
		case greedy:
			b.WriteString("{+}")
		}
	}
	return b.String()
}

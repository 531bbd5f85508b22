package policy_test

// The other opinion. Nothing here calls the package under test: paths are
// read, routes chosen and documents evaluated by other code, written from the
// descriptions and in another way.

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// iamDocument is the JSON that API Gateway gets.
type iamDocument struct {
	Version   string
	Statement []struct {
		Action   string
		Effect   string
		Resource []string
	}
}

func readDocument(raw []byte) (iamDocument, error) {
	var d iamDocument
	err := json.Unmarshal(raw, &d)
	return d, err
}

// evaluate is IAM's answer for an ARN: "allow", "deny" or "silent".
func (d iamDocument) evaluate(arn string) string {
	answer := "silent"
	for _, s := range d.Statement {
		for _, r := range s.Resource {
			if !globs(r, arn) {
				continue
			}
			if s.Effect == "Deny" {
				return "deny"
			}
			answer = "allow"
		}
	}
	return answer
}

func (d iamDocument) allows(arn string) bool { return d.evaluate(arn) == "allow" }

// globs lays the pieces between stars into s, each as far left as it goes;
// the first must stand at the beginning and the last at the end.
func globs(pattern, s string) bool {
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return len(s) == len(pattern) && fits(pattern, s)
	}
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(s) < len(first)+len(last) || !fits(first, s[:len(first)]) || !fits(last, s[len(s)-len(last):]) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		at := 0
		for at+len(piece) <= len(s) && !fits(piece, s[at:at+len(piece)]) {
			at++
		}
		if at+len(piece) > len(s) {
			return false
		}
		s = s[at+len(piece):]
	}
	return true
}

func fits(piece, s string) bool {
	for i := range len(piece) {
		if piece[i] != '?' && piece[i] != s[i] {
			return false
		}
	}
	return true
}

// A tableOpinion chooses routes by trying all of them.
type tableOpinion []string

var (
	anyMethods  = []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
	badEscape   = regexp.MustCompile(`%($|.$|[^0-9A-Fa-f].|.[^0-9A-Fa-f])`)
	idleEscape  = regexp.MustCompile(`(?i)%(2d|2e|2f|5f|7e|3[0-9]|[46][1-9a-f]|[57][0-9a])`)
	secondLayer = regexp.MustCompile(`(?i)%(2f|5c|2e)`)
	control     = regexp.MustCompile(`[\x00-\x1f\x7f\x{80}-\x{9f}\\]`)
)

// text is what a segment says, if it may say anything.
func text(encoded bool, raw string) (string, bool) {
	said := raw
	if encoded {
		if badEscape.MatchString(raw) || idleEscape.MatchString(raw) || strings.ContainsAny(raw, "?#") {
			return "", false
		}
		var err error
		if said, err = url.PathUnescape(raw); err != nil {
			return "", false
		}
	} else if strings.Contains(raw, "?") {
		return "", false
	}
	if said == "" || said == "." || said == ".." || !utf8.ValidString(said) || control.MatchString(said) || secondLayer.MatchString(said) {
		return "", false
	}
	return said, true
}

// canonical is the spelling of a static segment in an encoded path.
func canonical(said string) string {
	var b strings.Builder
	for _, c := range []byte(said) {
		if c < 0x80 && strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@", rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// choose gives the index of the route for a request, or -1.
func (routes tableOpinion) choose(encoded bool, method, path string) int {
	var raws, said []string
	if path != "" {
		raws = strings.Split(path, "/")
	}
	for _, raw := range raws {
		s, ok := text(encoded, raw)
		if !ok {
			return -1
		}
		said = append(said, s)
	}
	known := false
	for _, m := range anyMethods {
		known = known || m == method
	}
	if !known {
		return -1
	}
	best, rank := -1, ""
	for i, route := range routes {
		if r, ok := rankOf(route, method, said); ok && r > rank {
			best, rank = i, r
		}
	}
	if best >= 0 && encoded && best < len(routes) {
		for i, part := range parts(routes[best]) {
			if !strings.HasPrefix(part, "{") && raws[i] != canonical(part) {
				return -1
			}
		}
	}
	return best
}

func parts(route string) []string {
	_, template, _ := strings.Cut(route, " ")
	if template = strings.TrimPrefix(template, "/"); template == "" {
		return nil
	}
	return strings.Split(template, "/")
}

// rankOf writes how specific a route is, so that the greater string wins.
func rankOf(route, method string, said []string) (string, bool) {
	if route == "$default" {
		return "0", true
	}
	verb, _, ok := strings.Cut(route, " ")
	if !ok || verb != method && verb != "ANY" {
		return "", false
	}
	rank := "1"
	want := parts(route)
	for i, part := range want {
		switch {
		case strings.HasSuffix(part, "+}"):
			if len(said) < i+1 {
				return "", false
			}
			return rank + "1" + suffix(verb), true
		case i >= len(said):
			return "", false
		case strings.HasPrefix(part, "{"):
			rank += "2"
		case part == said[i]:
			rank += "3"
		default:
			return "", false
		}
	}
	return rank + suffix(verb), len(want) == len(said)
}

// suffix ranks methods after all segments: it is less than any segment's
// rank, so that it only tells apart what is otherwise equal.
func suffix(verb string) string {
	if verb == "ANY" {
		return ""
	}
	return "0"
}

package policy

import (
	"strings"
)

// This file alone knows how IAM writes a wildcard: * is any run of
// characters, slashes and nothing at all included, and ? is one character.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
const (
	anyText  = "*"
	someText = "?*" // at least one character
	oneChar  = "?"

	// anyStage is what a console test may send for a stage. A Resource says it
	// with the wildcard for one character: the one for any run would take in
	// the method and a part of the path.
	anyStage = "*"

	longestVerb = "OPTIONS/"
)

// text writes a pattern for paths of the given form. In an Allow a run is at
// least one character. In a Deny it may be none: a path with an empty segment
// matches no route, so that closes more and nothing that is open. The root is
// the one path that ends in a slash.
func (t *Table) text(form PathForm, p pattern, run string) string {
	if len(p) == 1 {
		return t.tokenText(form, p[0], run) + "/"
	}
	if len(p) == 2 && p[1] == some {
		return t.tokenText(form, p[0], run) + "/" + someText
	}
	var b strings.Builder
	for i, tok := range p {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(t.tokenText(form, tok, run))
	}
	return b.String()
}

func (t *Table) tokenText(form PathForm, tok token, run string) string {
	switch {
	case tok == some:
		return run
	case tok == rest:
		return anyText
	case form == Encoded:
		return t.spelling[tok]
	}
	return t.texts[tok]
}

// tailLength is the most that METHOD/path takes in a Resource.
func tailLength(tpl template) int {
	n := len(longestVerb)
	for _, s := range tpl.segments {
		n += 1 + len(someText)
		if s.kind == static {
			n += max(len(s.text), len(encodeSegment(s.text)))
		}
	}
	return n
}

// resourceStage is the part of every Resource before the method.
func (a ARN) resourceStage() string {
	if a.Stage == anyStage {
		a.Stage = oneChar
	}
	return a.stage()
}

// matchText says whether a Resource takes in an ARN, as IAM has it. It goes
// back to the last * alone, which is enough: an earlier one can take nothing
// that the last cannot.
func matchText(resource, arn string) bool {
	r, a := 0, 0
	star, mark := -1, 0
	for a < len(arn) {
		switch {
		case r < len(resource) && resource[r] == anyText[0]:
			star, mark = r, a
			r++
		case r < len(resource) && (resource[r] == oneChar[0] || resource[r] == arn[a]):
			r++
			a++
		case star >= 0:
			mark++
			r, a = star+1, mark
		default:
			return false
		}
	}
	for r < len(resource) && resource[r] == anyText[0] {
		r++
	}
	return r == len(resource)
}

package policy

import (
	"strings"
	"unicode/utf8"
)

// This file and the data of escape.go alone know how IAM writes a wildcard:
// * is any run of characters, slashes and nothing at all included, and ? is
// one character.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
const (
	anyText  = "*"
	someText = "?*" // at least one character
	oneChar  = "?"

	// probe stands for a text that no Resource names. What takes it takes any.
	probe = "\x01"

	// anyStage is what a console test may send for a stage. A Resource says it
	// with the wildcard for one character: the one for any run would take in
	// the method and a part of the path.
	anyStage = "*"

	longestVerb = "OPTIONS/"
)

// allowText writes a pattern as an Allow: a run is at least one character.
func (t *Table) allowText(form PathForm, p pattern) string { return t.text(form, p, someText) }

// denyText writes a pattern as a Deny, where a run may also be nothing: a
// path with an empty segment matches no route, so that closes more and takes
// nothing away. The root alone is a path that ends in a slash.
func (t *Table) denyText(form PathForm, p pattern) string {
	if len(p) == 2 && p[1] == some {
		return t.text(form, p, anyText) + oneChar
	}
	return t.text(form, p, anyText)
}

// probeText writes the shortest word of a pattern, with what no template
// names in the place of every run. A Resource that takes it takes the pattern.
func (t *Table) probeText(form PathForm, p pattern) string { return t.text(form, p, probe) }

func (t *Table) text(form PathForm, p pattern, run string) string {
	var b strings.Builder
	for i, tok := range p {
		if i > 0 {
			b.WriteByte('/')
		}
		switch {
		case tok == some:
			b.WriteString(run)
		case tok == rest:
			b.WriteString(anyText)
		case tok < 0:
			b.WriteString(t.spellings[-tok-1].text)
		case form == Encoded:
			b.WriteString(t.encoded[tok])
		default:
			b.WriteString(t.texts[tok])
		}
	}
	if len(p) == 1 {
		b.WriteByte('/') // the root
	}
	return b.String()
}

// literal is what a Resource begins with before its first wildcard.
func literal(text string) string {
	for i := range len(text) {
		if text[i] == anyText[0] || text[i] == oneChar[0] {
			return text[:i]
		}
	}
	return text
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

// leastText is a Deny with the least that it takes: a Resource that takes runs
// of none and of one unnamed character takes runs of every length.
type leastText struct{ deny, short, none string }

func leastOf(deny string) leastText {
	short := strings.ReplaceAll(deny, anyText+oneChar, probe)
	return leastText{deny, strings.ReplaceAll(short, anyText, probe), strings.ReplaceAll(short, anyText, "")}
}

// coveredBy says whether another Deny takes all that this one takes.
func (l leastText) coveredBy(wide string) bool {
	return matchText(wide, l.short) && matchText(wide, l.none)
}

func takenByAny(resources []string, text string) bool {
	for _, r := range resources {
		if matchText(r, text) {
			return true
		}
	}
	return false
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// runeEnd moves a cut in s up to the end of a character, runeStart down to
// the beginning of one.
func runeEnd(s string, n int) int {
	for n < len(s) && !utf8.RuneStart(s[n]) {
		n++
	}
	return n
}

func runeStart(s string, n int) int {
	if r, size := utf8.DecodeLastRuneInString(s[:n]); r == utf8.RuneError && size == 1 {
		return runeStart(s, n-1)
	}
	return n
}

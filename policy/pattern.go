package policy

// A pattern is what a Resource says after the stage, as a word: the method,
// then the path's segments. Over paths that a template can match, which have
// no empty segments, a wildcard between two slashes is a run of segments, so
// words are all that the compiler needs to look at.
type pattern []token

// token is the symbol of one segment, or a run.
type token int32

const (
	// some is a run of one segment or more.
	some token = -1 << 30
	// rest is a run of any length, none included. It stands last, behind a
	// method alone, and is what $default takes.
	rest token = some + 1
)

// widened is the least pattern that IAM can write for a template: {x} takes
// a run there, as {x+} does.
func (t *Table) widened(v verb, tpl template) pattern {
	p := pattern{token(t.symbols[verbs[v]])}
	if tpl.fallback {
		return append(p, rest)
	}
	for _, s := range tpl.segments {
		if s.kind == static {
			p = append(p, token(t.symbols[s.text]))
		} else {
			p = append(p, some)
		}
	}
	return p
}

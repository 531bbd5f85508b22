package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lambda-authorizer/problem"
)

// Problem is one line of complaint about a configuration file.
type Problem struct {
	// File is the path as it was given to Load.
	File string
	// Line counts from 1; 0 where the file could not be read at all, and for
	// the last problem of too many, which counts the rest.
	Line int
	// Key is the path of the key, as in "issuers[0].jwks_uri". It is empty
	// where the file as a whole is at fault. A key that is missing has the
	// line of the section it is missing from.
	Key string
	// Text says what is wrong and the way out.
	Text string
}

// String is "file:line: key: text" without what is absent.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems is the error that Load returns: all that is wrong with a file, in
// the order of its lines.
type Problems []Problem

// Error holds one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems is as many as anyone reads: one wrong indentation can make
// thousands.
const maxProblems = 50

// report collects problems and knows on which line each key stands.
type report struct {
	file     string
	lines    map[string]int
	problems Problems
	more     int // problems beyond maxProblems
	// distrusted holds the paths whose values could not be read as written.
	// What validation finds there would only repeat it in other words.
	distrusted []string
}

func newReport(file string) *report {
	return &report{file: file, lines: map[string]int{}}
}

func (r *report) add(line int, key, format string, args ...any) {
	if len(r.problems) == maxProblems {
		r.more++
		return
	}
	r.problems = append(r.problems, Problem{
		File: r.file, Line: line, Key: printable(key), Text: printable(fmt.Sprintf(format, args...)),
	})
}

// unreadable reports a value that was not understood.
func (r *report) unreadable(line int, path, format string, args ...any) {
	r.distrusted = append(r.distrusted, path)
	r.add(line, path, format, args...)
}

// find reports what a section's own validation found.
func (r *report) find(prefix string, found []problem.Problem) {
	for _, p := range problem.Under(prefix, found) {
		if r.more > 0 || r.trusts(p.Path) {
			r.add(r.line(p.Path), p.Path, "%s", p.Text)
		}
	}
}

// trusts tells whether the values at and below each path, and the sections
// above it, were read as written.
func (r *report) trusts(paths ...string) bool {
	for _, path := range paths {
		for _, bad := range r.distrusted {
			if within(path, bad) || within(bad, path) {
				return false
			}
		}
	}
	return true
}

// line is where path stands, or else the nearest section above it.
func (r *report) line(path string) int {
	for path != "" {
		if line, ok := r.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

// err is nil where nothing is wrong.
func (r *report) err() error {
	switch {
	case len(r.problems) == 0:
		return nil
	case r.more > 0:
		return append(r.problems, Problem{File: r.file, Text: fmt.Sprintf("has %d more problems", r.more)})
	}
	return r.problems
}

func (r *report) sort() {
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	r.problems = slices.Compact(r.problems)
}

// within tells whether path is section or lies below it. Everything lies
// below the empty path.
func within(path, section string) bool {
	rest, ok := strings.CutPrefix(path, section)
	return ok && (section == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// pasted matches what is more likely a pasted secret than a name: 40
// characters of a key's alphabet in a row. An API key's secret has 43, a
// SHA-256 in hex 64, a UUID 36. The slash is left out for the sake of URLs.
var pasted = regexp.MustCompile(`[A-Za-z0-9+_=-]{40,}`)

// printable keeps a problem on one line and a pasted secret out of it. No text
// here quotes a value that may be secret; this is the net below.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '\u0085' || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, s)
	return pasted.ReplaceAllString(s, "…")
}

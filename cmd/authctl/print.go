package main

import (
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"
)

// table aligns rows of cells for people.
func (t *tool) table(rows [][]string) {
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = shown(cell)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	w.Flush()
}

// printf prints a line or more for people.
func (t *tool) printf(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = shown(text)
		}
	}
	fmt.Fprintf(t.out, format, args...)
}

// secrets matches what must not be shown whole, wherever it turns up: JSON
// objects in base64url with what follows them (tokens), API keys, and the
// binary items of a Signature header.
var secrets = regexp.MustCompile(`(eyJ[A-Za-z0-9_-]{5})[A-Za-z0-9_.-]{8,}|(ak_[a-z0-9]{1,32}_)[0-9A-Za-z]{8,}|(:[A-Za-z0-9+/]{4})[A-Za-z0-9+/]{16,}=*:`)

// shortened leaves enough of each secret in a text to tell it from others.
func shortened(text string) string {
	return secrets.ReplaceAllStringFunc(text, func(secret string) string {
		found := secrets.FindStringSubmatch(secret)
		return fmt.Sprintf("%s… (%d characters)", found[1]+found[2]+found[3], len(secret))
	})
}

// shown is a text as it may go to a terminal: secrets are shortened, and line
// by line it is clean. A request is a stranger's text.
func shown(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return shortened(strings.Join(lines, "\n"))
}

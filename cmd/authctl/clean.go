package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clean makes text that others wrote safe to show: what a terminal might act
// upon, or not show at all, is written as an escape.
func clean(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			fmt.Fprintf(&b, "<%U>", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden tells control characters, formatting characters such as those that
// turn the direction of text, blanks that are not the blank, and bytes that
// are not UTF-8.
func hidden(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_%+=:,./@][A-Za-z0-9_%+=:,./@-]*$`)

// quote writes text as one word of a shell command.
func quote(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// writeJSON writes one document. JSON leaves DEL, C1 controls and formatting
// characters as they are; here they are escaped, for it may go to a terminal.
// Whole tokens and keys are cut.
func writeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", indent)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escapeHidden(wholeSecret.ReplaceAll(b.Bytes(), []byte("$1$2…"))))
	return err
}

// wholeSecret is a token or an API key that somebody has put where it does not
// belong, such as an item written by hand. No id is shaped like that.
var wholeSecret = regexp.MustCompile(`(eyJ[A-Za-z0-9_-]{5})[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|(ak_[a-z0-9]{1,32}_)[0-9A-Za-z]{43,}`)

// escapeHidden rewrites JSON text: outside of strings it is ASCII.
func escapeHidden(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r < 0x7f || !hidden(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// moment writes a time as every message does.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// tellable is t, or a time of the year 9999: JSON tells no later one, and exp
// in milliseconds is of the year 58000.
func tellable(t time.Time) time.Time {
	if last := time.Date(9999, 12, 1, 0, 0, 0, 0, time.UTC); t.After(last) {
		return last
	}
	return t
}

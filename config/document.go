package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile holds 100,000 networks, and many times the largest route table that
// API Gateway's own quotas leave room for (300 routes).
const maxFile = 4 << 20

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case len(data) > maxFile:
		return nil, fmt.Errorf("is larger than %d bytes", maxFile)
	}
	return data, nil
}

// cause leaves the path out of an error, which the report names already.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// document parses the one YAML document that data holds. It returns nil where
// it has reported a problem.
func document(data []byte, r *report) *yaml.Node {
	// Windows editors write a byte order mark and CRLF. Both are harmless,
	// and positions are right without them.
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if line, what := notText(data); what != "" {
		r.add(line, "", "%s", what)
		return nil
	}
	return parse(data, r)
}

// notText says what in data is no text and on which line.
func notText(data []byte) (line int, what string) {
	line = 1
	for rest := data; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		switch {
		case c == utf8.RuneError && size == 1:
			return line, "is not UTF-8"
		case c == '\n':
			line++
		case c < ' ' && c != '\t', c == 0x7f, c == '\u0085', c == '\u2028', c == '\u2029', c == '\ufeff':
			// The three line breaks beyond \n would make the lines that an
			// editor counts differ from ours.
			return line, fmt.Sprintf("holds the character %U, which has no place in a configuration", c)
		}
		rest = rest[size:]
	}
	return line, ""
}

// parse uses go.yaml.in/yaml/v4, not the friendlier goccy/go-yaml, because
// the latter reads `{scopes: [items:read]}` as a list that holds a mapping.
// YAML 1.2 (section 7.3.3) says that it holds the string items:read.
func parse(data []byte, r *report) *yaml.Node {
	var docs [2]yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err == nil {
		err = loader.Load(&docs[0])
	}
	switch {
	case errors.Is(err, io.EOF):
		r.add(1, "", "is empty")
		return nil
	case err != nil:
		syntaxError(err, r)
		return nil
	}
	switch err := loader.Load(&docs[1]); {
	case err == nil:
		r.add(docs[1].Line, "", "holds a second document, which would be ignored: remove this --- and what follows")
		return nil
	case !errors.Is(err, io.EOF):
		syntaxError(err, r)
		return nil
	}
	if body := docs[0].Content; len(body) == 1 && body[0].ShortTag() != "!!null" {
		return body[0]
	}
	r.add(1, "", "is empty")
	return nil
}

// syntaxError reports what the parser expected and where, and nothing of what
// it found: Error() is not used, for it could quote the source one day.
func syntaxError(err error, r *report) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		r.add(1, "", "is not valid YAML")
		return
	}
	message := load.Message
	if strings.HasPrefix(message, "unknown anchor") {
		message = aliases
	}
	if start := load.ContextMark.Line; load.ContextMsg != "" && start > 0 && start < load.Mark.Line {
		message += fmt.Sprintf(", %s that begins on line %d", load.ContextMsg, start)
	}
	r.add(max(load.Mark.Line, 1), "", "is not valid YAML: %s", message)
}

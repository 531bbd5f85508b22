// Package problem is how every part of the configuration reports what is
// wrong with its own section. It knows nothing of files and lines: package
// config maps a path to them.
package problem

import "fmt"

// Problem is one finding about the configuration.
type Problem struct {
	// Path names the key from the section that reports it, in the form
	// "issuers[0].jwks_uri" or "routes[2].require[0].jwt.scopes".
	// Empty means the section itself.
	Path string
	// Text says what is wrong and the way out. It never quotes a secret.
	Text string
}

// At makes a Problem at path.
func At(path, format string, args ...any) Problem {
	return Problem{Path: path, Text: fmt.Sprintf(format, args...)}
}

// Under puts prefix before the path of each problem.
func Under(prefix string, problems []Problem) []Problem {
	out := make([]Problem, len(problems))
	for i, p := range problems {
		out[i] = Problem{Path: join(prefix, p.Path), Text: p.Text}
	}
	return out
}

func join(prefix, path string) string {
	switch {
	case prefix == "":
		return path
	case path == "":
		return prefix
	case path[0] == '[':
		return prefix + path
	}
	return prefix + "." + path
}

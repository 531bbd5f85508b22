package config

import (
	"fmt"
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`^\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces ${NAME} from the environment. It runs on string values after
// parsing, once: what a variable holds is never read as YAML and never
// expanded again, so it cannot add keys. $${ stands for a literal ${; any
// other $ is itself, as in $context.routeKey and $default.
func expand(s string, getenv func(string) (string, bool)) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "$")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		switch {
		case strings.HasPrefix(after, "${"):
			out.WriteString("${")
			s = after[len("${"):]
		case strings.HasPrefix(after, "{"):
			m := variable.FindStringSubmatch(after)
			if m == nil {
				return "", fmt.Errorf("has a ${ that does not begin a ${NAME}; write $${ for the characters ${")
			}
			value, ok := getenv(m[1])
			if !ok {
				return "", fmt.Errorf("environment variable %s is not set", m[1])
			}
			out.WriteString(value)
			s = after[len(m[0]):]
		default:
			out.WriteString("$")
			s = after
		}
	}
}

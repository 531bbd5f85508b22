package local

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// configFile is the name of a stage's configuration.
const configFile = "authorizer.yaml"

// baseConfig is the user's configuration, with what the stack has to know of
// it. Whether it is valid is the authorizer's to say: what cannot be read here
// is handed on as it is.
type baseConfig struct {
	path      string
	lines     []string
	root      *ast.MappingNode // nil: not a mapping; then nothing is overlaid
	variables []string         // ${NAME}
	routes    []string
	// bearerHeader is the header that bearer tokens come in.
	bearerHeader string
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// readConfig reads the base. Only a file that cannot be opened is an error.
func readConfig(path string) (*baseConfig, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("AUTHORIZER_CONFIG: %w", err)
	}
	b := &baseConfig{path: path, lines: strings.Split(string(raw), "\n"), bearerHeader: "Authorization"}
	for _, found := range variable.FindAllStringSubmatch(string(raw), -1) {
		b.variables = append(b.variables, found[1])
	}
	if !safely(func() { b.parse(raw) }) {
		b.root = nil
	}
	return b, nil
}

// safely reports whether f ended well. The YAML library panics on some
// malformed input, such as a tag without a value.
func safely(f func()) (ok bool) {
	defer func() { ok = recover() == nil }()
	f()
	return
}

func (b *baseConfig) parse(raw []byte) {
	file, err := parser.ParseBytes(raw, 0)
	if err != nil || len(file.Docs) != 1 {
		return
	}
	if root, ok := file.Docs[0].Body.(*ast.MappingNode); ok && !root.IsFlowStyle {
		b.root = root
	}
	var known struct {
		Routes []struct{ Route string }
		Bearer struct{ Header string }
	}
	if yaml.Unmarshal(raw, &known) == nil {
		for _, r := range known.Routes {
			b.routes = append(b.routes, r.Route)
		}
		if known.Bearer.Header != "" {
			b.bearerHeader = known.Bearer.Header
		}
	}
}

// overlay is what a stage says instead of the base.
type overlay struct {
	ttl     time.Duration
	sources []string
	apis    string
	httpAPI string
}

// write writes the stage's configuration into dir and returns its path. Every
// line that is not replaced keeps its number, so that the authorizer's
// complaints point into the user's file.
func (b *baseConfig) write(dir string, o overlay) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, configFile)
	text := strings.Join(b.lines, "\n")
	if b.root != nil {
		safely(func() { text = b.overlaid(o) })
	}
	return path, os.WriteFile(path, []byte(text), 0o644)
}

func (b *baseConfig) overlaid(o overlay) string {
	lines := append([]string(nil), b.lines...)
	response := yaml.MapSlice{{Key: "http_api", Value: o.httpAPI}}
	for n, entry := range b.root.Values {
		switch entry.Key.GetToken().Value {
		case "response":
			response = append(response, without(entry.Value, "http_api")...)
			fallthrough
		case "gateway":
			b.blank(lines, n)
		case "issuers":
			b.absolute(lines, entry.Value)
		}
	}
	sections, err := yaml.Marshal(yaml.MapSlice{
		{Key: "gateway", Value: yaml.MapSlice{
			{Key: "cache_ttl", Value: o.ttl.String()},
			{Key: "identity_sources", Value: append([]string{}, o.sources...)},
			{Key: "apis", Value: []string{o.apis}},
		}},
		{Key: "response", Value: response},
	})
	if err != nil { // strings and what was YAML before always render
		panic(err)
	}
	return strings.Join(lines, "\n") + "\n" + string(sections)
}

// blank empties the lines of the nth section.
func (b *baseConfig) blank(lines []string, n int) {
	end := len(lines)
	if n+1 < len(b.root.Values) {
		end = line(b.root.Values[n+1].Key) - 1
	}
	for i := line(b.root.Values[n].Key) - 1; i < end; i++ {
		lines[i] = ""
	}
}

// absolute makes the key files of issuers absolute: the stage's configuration
// stands in another directory.
func (b *baseConfig) absolute(lines []string, issuers ast.Node) {
	base, err := filepath.Abs(filepath.Dir(b.path))
	if err != nil {
		return // the authorizer will say that the file is missing
	}
	list, ok := issuers.(*ast.SequenceNode)
	if !ok {
		return
	}
	for _, issuer := range list.Values {
		file := member(issuer, "jwks_file")
		if file == nil {
			continue
		}
		token := file.GetToken()
		if token.Value == "" || filepath.IsAbs(token.Value) || strings.HasPrefix(token.Value, "$") {
			continue
		}
		at := token.Position.Line - 1
		written := strings.TrimSpace(token.Origin)
		key, value, ok := strings.Cut(lines[at], "jwks_file:")
		if ok {
			value = strings.Replace(value, written, strconv.Quote(filepath.Join(base, token.Value)), 1)
			lines[at] = key + "jwks_file:" + value
		}
	}
}

// without renders a section as data, less one key.
func without(section ast.Node, key string) (out yaml.MapSlice) {
	var all yaml.MapSlice
	if yaml.NodeToValue(section, &all) != nil {
		return nil
	}
	for _, item := range all {
		if item.Key != key {
			out = append(out, item)
		}
	}
	return out
}

func member(node ast.Node, key string) ast.Node {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return nil
	}
	for _, entry := range mapping.Values {
		if entry.Key.GetToken().Value == key {
			return entry.Value
		}
	}
	return nil
}

func line(node ast.MapKeyNode) int { return node.GetToken().Position.Line }

// inWordsOf rewrites the places in a complaint about a stage's file: a line
// that the base has is the base's, any other is what the stage sets itself.
func inWordsOf(base, staged, complaint string) string {
	raw, err := os.ReadFile(base)
	if err != nil {
		return complaint
	}
	lines := strings.Count(string(raw), "\n") + 1
	place := regexp.MustCompile(regexp.QuoteMeta(staged) + `(?::(\d+))?`)
	return place.ReplaceAllStringFunc(complaint, func(found string) string {
		number, err := strconv.Atoi(place.FindStringSubmatch(found)[1])
		switch {
		case err != nil:
			return base
		case number <= lines:
			return fmt.Sprintf("%s:%d", base, number)
		}
		return base + " (as this stage sets it)"
	})
}

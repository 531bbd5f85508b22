package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// configFile is the name of a stage's configuration.
const configFile = "authorizer.yaml"

// baseConfig is the user's configuration, with what the stack has to know of
// it. Whether it is valid is the authorizer's to say: what cannot be read here
// is handed on as it is.
type baseConfig struct {
	path      string
	lines     []string
	root      *yaml.Node // nil: not a mapping; then nothing is overlaid
	variables []string   // ${NAME}
	known
}

// known is what the stack reads of a configuration.
type known struct {
	Tables      struct{ Revocations, Nonces string }
	Bearer      struct{ Header string }
	Routes      []route
	keySections `yaml:",inline"`
}

type route struct {
	Route   string
	Require []entry
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// readConfig reads the base. Only a file that cannot be opened is an error.
func readConfig(path string) (*baseConfig, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("AUTHORIZER_CONFIG: %w", err)
	}
	b := &baseConfig{path: path, lines: strings.Split(string(raw), "\n")}
	for _, found := range variable.FindAllStringSubmatch(string(raw), -1) {
		b.variables = append(b.variables, found[1])
	}
	b.parse(raw)
	return b, nil
}

// parse uses the library that the authorizer uses: others differ about what
// [items:read] is.
func (b *baseConfig) parse(raw []byte) {
	loader, err := yaml.NewLoader(bytes.NewReader(raw))
	if err != nil {
		return
	}
	var document, second yaml.Node
	if loader.Load(&document) != nil || !errors.Is(loader.Load(&second), io.EOF) || len(document.Content) != 1 {
		return
	}
	if root := document.Content[0]; root.Kind == yaml.MappingNode && root.Style&yaml.FlowStyle == 0 {
		b.root = root
	}
	// What is of the wrong type is left out, and complained about later.
	_ = document.Decode(&b.known)
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
		var err error
		if text, err = b.overlaid(o); err != nil {
			return "", err
		}
	}
	return path, os.WriteFile(path, []byte(text), 0o644)
}

func (b *baseConfig) overlaid(o overlay) (string, error) {
	lines := append([]string(nil), b.lines...)
	response := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("http_api"), scalar(o.httpAPI)}}
	for n := 0; n+1 < len(b.root.Content); n += 2 {
		value := b.root.Content[n+1]
		switch b.root.Content[n].Value {
		case "response":
			response.Content = append(response.Content, without(value, "http_api")...)
			fallthrough
		case "gateway":
			b.blank(lines, n)
		case "issuers":
			b.absolute(lines, value)
		}
	}
	gateway := yaml.Node{}
	if err := gateway.Encode(struct {
		TTL     string   `yaml:"cache_ttl"`
		Sources []string `yaml:"identity_sources"`
		APIs    []string `yaml:"apis"`
	}{o.ttl.String(), append([]string{}, o.sources...), []string{o.apis}}); err != nil {
		return "", err
	}
	sections, err := yaml.Marshal(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		scalar("gateway"), &gateway, scalar("response"), response,
	}})
	return strings.Join(lines, "\n") + "\n" + string(sections), err
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// blank empties the lines of the section whose key is the nth node.
func (b *baseConfig) blank(lines []string, n int) {
	end := len(lines)
	if n+2 < len(b.root.Content) {
		end = b.root.Content[n+2].Line - 1
	}
	for i := b.root.Content[n].Line - 1; i < end; i++ {
		lines[i] = ""
	}
}

// absolute makes the key files of issuers absolute: the stage's configuration
// stands in another directory.
func (b *baseConfig) absolute(lines []string, issuers *yaml.Node) {
	base, err := filepath.Abs(filepath.Dir(b.path))
	if err != nil || issuers.Kind != yaml.SequenceNode {
		return // the authorizer will say that the file is missing
	}
	for _, issuer := range issuers.Content {
		file := member(issuer, "jwks_file")
		if file == nil || file.Value == "" || filepath.IsAbs(file.Value) || strings.HasPrefix(file.Value, "$") {
			continue
		}
		at := file.Line - 1
		key, value, ok := strings.Cut(lines[at], "jwks_file:")
		if ok {
			value = strings.Replace(value, written(file), strconv.Quote(filepath.Join(base, file.Value)), 1)
			lines[at] = key + "jwks_file:" + value
		}
	}
}

// written is a scalar as it stands in the file, unless it has escapes.
func written(n *yaml.Node) string {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return `"` + n.Value + `"`
	case n.Style&yaml.SingleQuotedStyle != 0:
		return "'" + n.Value + "'"
	}
	return n.Value
}

// without is the content of a section, less one key.
func without(section *yaml.Node, key string) (out []*yaml.Node) {
	if section.Kind != yaml.MappingNode {
		return nil
	}
	for n := 0; n+1 < len(section.Content); n += 2 {
		if section.Content[n].Value != key {
			out = append(out, section.Content[n], section.Content[n+1])
		}
	}
	return out
}

func member(node *yaml.Node, key string) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for n := 0; n+1 < len(node.Content); n += 2 {
		if node.Content[n].Value == key && node.Content[n+1].Kind == yaml.ScalarNode {
			return node.Content[n+1]
		}
	}
	return nil
}

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

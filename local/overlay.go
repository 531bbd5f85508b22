package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"go.yaml.in/yaml/v4"
)

// configFile is the name of a stage's configuration.
const configFile = "authorizer.yaml"

// baseConfig is the user's configuration, with what the stack has to know of
// it. Whether it is valid is the authorizer's to say: what cannot be read here
// is handed on as it is.
type baseConfig struct {
	path      string
	raw       []byte
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
	b := &baseConfig{path: path, raw: raw}
	for _, found := range variable.FindAllStringSubmatch(string(raw), -1) {
		b.variables = append(b.variables, found[1])
	}
	b.parse(raw)
	return b, nil
}

// parse reads the one document of a file, or nothing.
func (b *baseConfig) parse(raw []byte) {
	root := mapping(raw)
	if root == nil {
		return
	}
	b.root = root
	// What is of the wrong type is left out, and complained about later.
	_ = root.Decode(&b.known)
}

// mapping is the root of the one document that raw holds. It uses the library
// that the authorizer uses: others differ about what [items:read] is.
func mapping(raw []byte) *yaml.Node {
	loader, err := yaml.NewLoader(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	var document, second yaml.Node
	if loader.Load(&document) != nil || !errors.Is(loader.Load(&second), io.EOF) || len(document.Content) != 1 {
		return nil
	}
	if root := document.Content[0]; root.Kind == yaml.MappingNode {
		return root
	}
	return nil
}

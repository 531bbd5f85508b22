package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The configurations in the zip. A function's AUTHORIZER_CONFIG chooses.
const (
	standard = "authorizer.yaml"
	simple   = "authorizer-simple.yaml"
)

// configuration is what the file at path, and what it names, become in the
// zip.
func configuration(path string) ([]file, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	document, err := read(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	files := []file{{name: standard, mode: 0o644, data: raw}}
	names := keyFiles(document)
	simplify(document)
	forSimple, err := yaml.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	notice := "# Made from authorizer.yaml by cmd/package, for an HTTP API with simple responses.\n"
	files = append(files, file{name: simple, mode: 0o644, data: append([]byte(notice), forSimple...)})
	for _, name := range names {
		keys, err := keyFile(filepath.Dir(path), name)
		if err != nil {
			return nil, fmt.Errorf("%s: jwks_file: %w", path, err)
		}
		files = append(files, keys)
	}
	return files, nil
}

// read parses one YAML mapping.
func read(raw []byte) (*yaml.Node, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("is empty")
	case err != nil:
		return nil, errors.New("is not valid YAML: authctl validate says where")
	}
	if err := loader.Load(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds more than one document")
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("is not a mapping of sections")
	}
	return document.Content[0], nil
}

// routeKey is the route as an identity source of an HTTP API.
const routeKey = "$context.routeKey"

// simplify says what an HTTP API with simple responses needs. API Gateway
// gives a cached simple answer to every request with the same identity
// sources, so with caching the route is one of them.
func simplify(document *yaml.Node) {
	gateway := section(document, "gateway")
	sources := member(gateway, "identity_sources")
	if sources == nil {
		sources = sequence("$request.header.Authorization")
		set(gateway, "identity_sources", sources)
	}
	cached := true
	if ttl := member(gateway, "cache_ttl"); ttl != nil {
		cached = strings.Trim(ttl.Value, "0hms") != ""
	}
	for _, source := range sources.Content {
		source.Value = asHTTP(source.Value)
		cached = cached && source.Value != routeKey
	}
	if cached {
		sources.Content = append(sources.Content, scalar(routeKey))
	}
	set(section(document, "response"), "http_api", scalar("simple"))
}

// asHTTP spells an identity source as an HTTP API does.
func asHTTP(source string) string {
	for _, form := range [][2]string{
		{"method.request.", "$request."}, {"context.", "$context."}, {"stageVariables.", "$stageVariables."},
	} {
		if name, ok := strings.CutPrefix(source, form[0]); ok {
			return form[1] + name
		}
	}
	return source
}

// keyFiles are the jwks_file entries of the issuers.
func keyFiles(document *yaml.Node) (names []string) {
	issuers := member(document, "issuers")
	if issuers == nil {
		return nil
	}
	for _, issuer := range issuers.Content {
		if name := member(issuer, "jwks_file"); name != nil && !slices.Contains(names, name.Value) {
			names = append(names, name.Value)
		}
	}
	return names
}

// keyFile reads a file of public keys that stands beside the configuration.
func keyFile(dir, name string) (file, error) {
	if !filepath.IsLocal(name) {
		return file{}, fmt.Errorf("%q must be a path below the configuration's directory: the function finds nothing else", name)
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return file{}, err
	}
	return file{name: filepath.ToSlash(filepath.Clean(name)), mode: 0o644, data: data}, nil
}

// member is the value of a mapping's key, nil where it has none.
func member(mapping *yaml.Node, key string) *yaml.Node {
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// section is a mapping of the document, made where there is none.
func section(document *yaml.Node, key string) *yaml.Node {
	if s := member(document, key); s != nil && s.Kind == yaml.MappingNode {
		return s
	}
	s := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	set(document, key, s)
	return s
}

func set(mapping *yaml.Node, key string, value *yaml.Node) {
	if old := member(mapping, key); old != nil {
		*old = *value
		return
	}
	mapping.Content = append(mapping.Content, scalar(key), value)
}

func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

func sequence(values ...string) *yaml.Node {
	s := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, v := range values {
		s.Content = append(s.Content, scalar(v))
	}
	return s
}

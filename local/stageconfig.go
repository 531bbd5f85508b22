package local

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// overlay is what a stage says instead of the base.
type overlay struct {
	ttl     time.Duration
	sources []string
	apis    string
	httpAPI string
}

// staged is a stage's configuration.
type staged struct {
	path string
	// origin has, for each line, the base's line that it is from; 0 where the
	// stage sets it. Nil: the base was handed on as it is.
	origin []int
}

// write writes the stage's configuration into dir. What cannot be overlaid is
// handed on, for the authorizer to complain about.
func (b *baseConfig) write(dir string, o overlay) (staged, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return staged{}, err
	}
	out := staged{path: filepath.Join(dir, configFile)}
	text := b.raw
	if b.root != nil {
		if overlaid, origin, ok := encoded(b.overlaid(o)); ok {
			text, out.origin = overlaid, origin
		}
	}
	return out, os.WriteFile(out.path, text, 0o644)
}

// overlaid is the base's tree with what the stage sets. All else stays, the
// user's own mistakes in these sections too.
func (b *baseConfig) overlaid(o overlay) *yaml.Node {
	root := inBlocks(b.root)
	set(section(root, "gateway"), "cache_ttl", scalar(o.ttl.String()))
	set(section(root, "gateway"), "identity_sources", list(o.sources...))
	set(section(root, "gateway"), "apis", list(o.apis))
	set(section(root, "response"), "http_api", scalar(o.httpAPI))
	b.absolute(root)
	return root
}

// inBlocks is a copy in block style, where hardly two things share a line.
func inBlocks(n *yaml.Node) *yaml.Node {
	out := *n
	out.Style &^= yaml.FlowStyle
	out.Content = nil
	for _, c := range n.Content {
		out.Content = append(out.Content, inBlocks(c))
	}
	return &out
}

// section is the first section of that name. One that is missing or empty is
// made; one that is no mapping is left, and nil.
func section(root *yaml.Node, name string) *yaml.Node {
	for n := 0; n+1 < len(root.Content); n += 2 {
		if root.Content[n].Value != name {
			continue
		}
		switch value := root.Content[n+1]; {
		case value.Kind == yaml.MappingNode:
			return value
		case value.ShortTag() != "!!null":
			return nil
		}
		root.Content[n+1] = &yaml.Node{Kind: yaml.MappingNode}
		return root.Content[n+1]
	}
	made := &yaml.Node{Kind: yaml.MappingNode}
	root.Content = append(root.Content, scalar(name), made)
	return made
}

// set sets the first key of that name.
func set(section *yaml.Node, key string, value *yaml.Node) {
	if section == nil {
		return
	}
	for n := 0; n+1 < len(section.Content); n += 2 {
		if section.Content[n].Value == key {
			section.Content[n], section.Content[n+1] = scalar(key), value
			return
		}
	}
	section.Content = append(section.Content, scalar(key), value)
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func list(texts ...string) *yaml.Node {
	out := &yaml.Node{Kind: yaml.SequenceNode}
	for _, text := range texts {
		out.Content = append(out.Content, scalar(text))
	}
	return out
}

// absolute makes the key files of issuers absolute: the stage's configuration
// stands in another directory.
func (b *baseConfig) absolute(root *yaml.Node) {
	base, err := filepath.Abs(filepath.Dir(b.path))
	if err != nil {
		return // the authorizer will say that the file is missing
	}
	for n := 0; n+1 < len(root.Content); n += 2 {
		if root.Content[n].Value != "issuers" {
			continue
		}
		for _, issuer := range root.Content[n+1].Content {
			if file := member(issuer, "jwks_file"); file != nil && file.Value != "" && !filepath.IsAbs(file.Value) && !strings.HasPrefix(file.Value, "$") {
				file.Value = filepath.Join(base, file.Value)
			}
		}
	}
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

// encoded is the text of a tree and where its lines are from. It fails where
// the text does not read as the tree.
func encoded(tree *yaml.Node) (text []byte, origin []int, ok bool) {
	text, err := yaml.Marshal(tree)
	if err != nil {
		return nil, nil, false
	}
	again := mapping(text)
	if again == nil {
		return nil, nil, false
	}
	origin = make([]int, strings.Count(string(text), "\n")+2)
	return text, origin, trace(tree, again, origin)
}

// trace notes the line of each node by the line that it has in the text. A
// section begins where its first key does: it is noted with that.
func trace(tree, again *yaml.Node, origin []int) bool {
	if tree.Kind != again.Kind || tree.Value != again.Value || len(tree.Content) != len(again.Content) || again.Line >= len(origin) {
		return false
	}
	if len(tree.Content) == 0 && origin[again.Line] == 0 {
		origin[again.Line] = tree.Line
	}
	for i := range tree.Content {
		if !trace(tree.Content[i], again.Content[i], origin) {
			return false
		}
	}
	return true
}

// inWordsOf rewrites the places in a complaint about a stage's file to those
// of the base.
func (s staged) inWordsOf(base, complaint string) string {
	place := regexp.MustCompile(regexp.QuoteMeta(s.path) + `(?::(\d+))?`)
	return place.ReplaceAllStringFunc(complaint, func(found string) string {
		number, err := strconv.Atoi(place.FindStringSubmatch(found)[1])
		switch {
		case err != nil:
			return base
		case s.origin == nil:
			return fmt.Sprintf("%s:%d", base, number)
		case number < len(s.origin) && s.origin[number] > 0:
			return fmt.Sprintf("%s:%d", base, s.origin[number])
		}
		return base + " (as this stage sets it)"
	})
}

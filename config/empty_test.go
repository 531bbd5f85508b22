package config

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// A variable that is set and empty must not turn a requirement into none:
// every text of the catalogue is emptied in turn.
func TestEmptyTextIsRefusedWhereverItWouldReadAsAnAbsentKey(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	emptied := map[string]bool{}
	for path, n := range texts(document.Content[0], "") {
		was := n.Value
		n.Value = "${EMPTY}"
		text, err := yaml.Marshal(&document)
		if err != nil {
			t.Fatal(err)
		}
		n.Value = was
		_, err = Load(write(t, string(text)), everything)
		refused := err != nil && strings.Contains(err.Error(), path+": is empty once")
		if mayBeEmpty.MatchString(path) == refused {
			t.Errorf("%s, emptied: %v", path, err)
		}
		emptied[path[strings.LastIndex(path, ".")+1:]] = true
	}
	for _, name := range []string{"issuer", "token_use", "jwks_uri", "jwks_file", "hmac_secret", "revocations", "header"} {
		if !emptied[name] {
			t.Errorf("%s was never emptied", name)
		}
	}
}

// texts are the string values below n, by their paths.
func texts(n *yaml.Node, path string) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	add := func(more map[string]*yaml.Node) {
		for at, node := range more {
			out[at] = node
		}
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			add(texts(n.Content[i+1], join(path, n.Content[i].Value)))
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			add(texts(item, path+"["+strconv.Itoa(i)+"]"))
		}
	case yaml.ScalarNode:
		if n.ShortTag() == "!!str" {
			out[path] = n
		}
	}
	return out
}

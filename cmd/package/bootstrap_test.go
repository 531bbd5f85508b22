//go:build deploy

package main

import (
	"bytes"
	"debug/elf"
	"os"
	"testing"
)

// make lint-zip runs this.
func TestBootstrapBuiltAndPackedTwiceIsTheSameZip(t *testing.T) {
	t.Parallel()
	var zips [2][]byte
	for i := range zips {
		binary := build(t, "lambda-authorizer/cmd/authorizer", "arm64")
		zips[i] = zipOf(t, "-config", "../../deploy/authorizer.yaml", binary)
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("two runs made different zips")
	}

	files := open(t, zips[0])
	for name, f := range files {
		mode := map[string]os.FileMode{"bootstrap": 0o755, "authorizer.yaml": 0o644, "authorizer-simple.yaml": 0o644}
		want, ok := mode[name]
		if !ok {
			t.Errorf("the zip holds %s: only bootstrap and configuration belong into it", name)
		}
		if f.Mode() != want || !f.Modified.Equal(epoch) {
			t.Errorf("%s has mode %v and time %v", name, f.Mode(), f.Modified)
		}
		delete(mode, name)
	}
	if len(files) != 3 {
		t.Errorf("the zip holds %d files", len(files))
	}
	given, err := os.ReadFile("../../deploy/authorizer.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, files["authorizer.yaml"]), given) {
		t.Error("authorizer.yaml is not the file that was given")
	}

	binary := content(t, files["bootstrap"])
	parsed, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	libraries, err := parsed.ImportedLibraries()
	if parsed.Machine != elf.EM_AARCH64 || err != nil || len(libraries) > 0 || parsed.Section(".interp") != nil {
		t.Errorf("bootstrap: machine %v, libraries %v (%v)", parsed.Machine, libraries, err)
	}
	if len(binary) >= 12<<20 {
		t.Errorf("bootstrap has %d bytes", len(binary))
	}
}

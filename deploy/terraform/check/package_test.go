//go:build terraform

package check

import (
	"archive/zip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSimpleResponsesAreThoseOfThePackage: `simple_responses` runs the function
// with the authorizer-simple.yaml that cmd/package makes of a configuration, so
// what the module makes of the configuration must be the same.
func TestSimpleResponsesAreThoseOfThePackage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bootstrap := filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-o", bootstrap, "lambda-authorizer/cmd/package/testdata/nothing")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cases := map[string]asked{}
	for name, path := range map[string]string{
		"cached":           "deploy/authorizer.yaml",
		"uncached":         "deploy/authorizer-uncached.yaml",
		"without gateway":  module + "/tests/configurations/hashed-principal.yaml",
		"with the address": module + "/tests/configurations/network-with-address.yaml",
	} {
		original := filepath.Join(repository, path)
		archive := filepath.Join(dir, name+".zip")
		pack := exec.Command("go", "run", "lambda-authorizer/cmd/package", "-o", archive, "-config", original, bootstrap)
		if out, err := pack.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		simple := filepath.Join(dir, name+".yaml")
		extract(t, archive, "authorizer-simple.yaml", simple)
		cases[name] = asked{Configuration: original, Kind: "HTTP", Simple: true}
		cases[name+", packaged"] = asked{Configuration: simple, Kind: "HTTP"}
	}
	said := ask(t, cases)
	for name := range cases {
		packaged, ok := said[name+", packaged"]
		if !ok {
			continue
		}
		if diff := cmp.Diff(packaged, said[name]); diff != "" {
			t.Errorf("%s (-package +module):\n%s", name, diff)
		}
		if len(packaged.Problems) > 0 || !packaged.Simple {
			t.Errorf("%s: %+v", name, packaged)
		}
	}
}

func extract(t *testing.T, archive, name, to string) {
	t.Helper()
	r, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := r.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"lambda-authorizer/config"
)

// build makes a Lambda binary as the Makefile does.
func build(t *testing.T, pkg, arch string, env ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	c := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, pkg)
	c.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch), env...)
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, said)
	}
	return out
}

func zipOf(t *testing.T, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "function.zip")
	var said bytes.Buffer
	if err := run(append([]string{"-o", out}, args...), &said, &said); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(t *testing.T, data []byte) map[string]*zip.File {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*zip.File{}
	for _, f := range r.File {
		files[f.Name] = f
	}
	return files
}

func content(t *testing.T, f *zip.File) []byte {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// What an HTTP API with simple responses needs is made from the one file that
// an operator writes, and the function starts with it.
func TestSimpleConfigurationIsValidAndOpensTheSameRoutes(t *testing.T) {
	t.Parallel()
	files, err := configuration("../../deploy/authorizer.yaml")
	if err != nil {
		t.Fatal(err)
	}
	load := func(f file) *config.Config {
		cfg, err := config.Load(write(t, filepath.Join(t.TempDir(), f.name), string(f.data)), func(name string) (string, bool) {
			v, ok := map[string]string{
				"REVOCATIONS_TABLE": "revocations", "ISSUER": "https://idp.example.com/", "AUDIENCE": "https://api.example.com",
			}[name]
			return v, ok
		})
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		return cfg
	}
	base, simple := load(files[0]), load(files[1])
	if diff := cmp.Diff(base.Routes, simple.Routes); diff != "" {
		t.Errorf("routes differ:\n%s", diff)
	}
	if simple.Response.HTTPAPI != "simple" || simple.Gateway.CacheTTL != base.Gateway.CacheTTL {
		t.Errorf("response %+v, gateway %+v", simple.Response, simple.Gateway)
	}
	if diff := cmp.Diff([]string{"$request.header.Authorization", "$context.routeKey"}, simple.Gateway.IdentitySources); diff != "" {
		t.Error(diff)
	}
}

func TestSimpleConfigurationKeepsWhatTheOperatorWrote(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ given, want string }{
		"nothing said": {
			"routes: []\n",
			`{"routes":[],"gateway":{"identity_sources":["$request.header.Authorization","$context.routeKey"]},"response":{"http_api":"simple"}}`,
		},
		"other spellings and keys": {
			"gateway:\n  identity_sources: [method.request.header.X-Key, context.identity.sourceIp]\n  apis: [\"a/*\"]\nresponse: {claims: [custom:tenant], http_api: iam}\n",
			`{"gateway":{"identity_sources":["$request.header.X-Key","$context.identity.sourceIp","$context.routeKey"],"apis":["a/*"]},"response":{"claims":["custom:tenant"],"http_api":"simple"}}`,
		},
		"without caching the route need not be a source": {
			"gateway:\n  cache_ttl: 0s\n  identity_sources: []\n",
			`{"gateway":{"cache_ttl":"0s","identity_sources":[]},"response":{"http_api":"simple"}}`,
		},
		"already simple": {
			"gateway:\n  identity_sources: [$context.routeKey, $request.header.Authorization]\nresponse:\n  http_api: simple\n",
			`{"gateway":{"identity_sources":["$context.routeKey","$request.header.Authorization"]},"response":{"http_api":"simple"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := configuration(write(t, filepath.Join(t.TempDir(), "a.yaml"), c.given))
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := errors.Join(yaml.Unmarshal(files[1].data, &got), yaml.Unmarshal([]byte(c.want), &want)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestKeyFilesGoInBesideTheConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "keys", "main.json"), `{"keys":[]}`)
	path := write(t, filepath.Join(dir, "my.yaml"), "issuers:\n- {name: a, jwks_file: keys/main.json}\n- {name: b, jwks_file: ./keys/main.json}\n")
	if _, err := configuration(path); err != nil {
		t.Fatal(err)
	}
	files, err := gather(build(t, "./testdata/nothing", "arm64"), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pack(files); err == nil || !strings.Contains(err.Error(), "keys/main.json is there twice") {
		t.Errorf("two spellings of one file: %v", err)
	}
	for name, text := range map[string]string{
		"outside": "issuers: [{jwks_file: ../keys.json}]", "absolute": "issuers: [{jwks_file: /etc/keys.json}]",
		"missing": "issuers: [{jwks_file: nowhere.json}]",
	} {
		if _, err := configuration(write(t, filepath.Join(dir, name+".yaml"), text)); err == nil || !strings.Contains(err.Error(), "jwks_file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatLambdaCouldNotStartIsRefused(t *testing.T) {
	t.Parallel()
	arm := build(t, "./testdata/nothing", "arm64")
	linked := filepath.Join(t.TempDir(), "linked")
	raw, err := os.ReadFile(arm)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(linked, interpreted(t, raw), 0o755); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, append(raw, make([]byte, maxBinary)...), 0o755); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"for another machine":     {[]string{build(t, "./testdata/nothing", "amd64")}, "is for EM_X86_64: build it with GOOS=linux GOARCH=arm64"},
		"dynamically linked":      {[]string{linked}, "needs a dynamic linker"},
		"too large":               {[]string{large}, "cold start"},
		"a script":                {[]string{write(t, filepath.Join(dir, "script"), "#!/bin/sh\n")}, "is no Linux binary"},
		"not there":               {[]string{filepath.Join(dir, "nowhere")}, "nowhere"},
		"no bootstrap":            {nil, "one bootstrap"},
		"two bootstraps":          {[]string{arm, arm}, "one bootstrap"},
		"empty configuration":     {[]string{"-config", write(t, filepath.Join(dir, "empty.yaml"), "# nothing\n"), arm}, "empty.yaml: is "},
		"a list":                  {[]string{"-config", write(t, filepath.Join(dir, "list.yaml"), "- a\n"), arm}, "not a mapping of sections"},
		"two documents":           {[]string{"-config", write(t, filepath.Join(dir, "two.yaml"), "a: 1\n---\nb: 2\n"), arm}, "more than one document"},
		"no YAML":                 {[]string{"-config", write(t, filepath.Join(dir, "no.yaml"), "a: [\n"), arm}, "is not valid YAML"},
		"a configuration missing": {[]string{"-config", filepath.Join(dir, "missing.yaml"), arm}, "missing.yaml"},
	} {
		out := filepath.Join(t.TempDir(), "f.zip")
		err := run(append([]string{"-o", out}, c.args...), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: a zip was written", name)
		}
	}
}

// interpreted turns the first program header of a static arm64 binary into one
// that asks for a dynamic linker.
func interpreted(t *testing.T, raw []byte) []byte {
	t.Helper()
	parsed, err := elf.NewFile(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Progs) == 0 {
		t.Fatal("no program headers")
	}
	const headers = 64 // where a 64-bit file's program headers begin: e_phoff
	out := bytes.Clone(raw)
	parsed.ByteOrder.PutUint32(out[headers:], uint32(elf.PT_INTERP))
	return out
}

func TestZipIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "nowhere")
	if err := replace(filepath.Join(dir, "f.zip"), []byte("x")); err == nil {
		t.Error("wrote into a directory that is not there")
	}
}

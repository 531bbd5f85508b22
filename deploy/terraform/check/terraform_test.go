//go:build terraform

package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// repository is a copy of what the module is made of: Terraform writes beside
// the configuration that it is given.
var repository string

// mirror holds the AWS provider, "" where Terraform's registry does.
var mirror string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	if _, err := exec.LookPath("terraform"); err != nil {
		return 1, errors.New("terraform is missing: deploy/terraform/README.md, \"Check it\", says where it comes from")
	}
	dir, err := os.MkdirTemp("", "terraform-check-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if repository, err = filepath.EvalSymlinks(dir); err != nil {
		return 1, err
	}
	if err := copyRepository(); err != nil {
		return 1, err
	}
	mirror = os.Getenv("TF_PLUGIN_DIR")
	if mirror == "" {
		mirror = findMirror("/", 6)
	}
	return m.Run(), nil
}

// copyRepository copies the module and the files beside it that it reads, and
// puts something in the place of the packages that `make package` builds: only
// their hash matters here.
func copyRepository() error {
	root := filepath.Join("..", "..", "..")
	for _, part := range []string{"deploy/terraform", "deploy/authorizer.yaml", "deploy/authorizer-uncached.yaml", "items/openapi.yaml"} {
		if err := copyTree(filepath.Join(root, part), filepath.Join(repository, part)); err != nil {
			return err
		}
	}
	for _, zip := range []string{"authorizer", "items", "rotate"} {
		name := filepath.Join(repository, "build", zip+".zip")
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(zip), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".terraform" {
			return fs.SkipDir
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return os.WriteFile(name, data, 0o644)
	})
}

// findMirror looks for a directory that holds registry.terraform.io/hashicorp/aws,
// as `terraform providers mirror` lays it out.
func findMirror(dir string, depth int) string {
	entries, err := os.ReadDir(dir)
	if err != nil || depth == 0 {
		return ""
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if e.Name() == "registry.terraform.io" {
			if _, err := os.Stat(filepath.Join(name, "hashicorp", "aws")); err == nil {
				return dir
			}
		}
		if !e.IsDir() || slices.Contains([]string{"/proc", "/sys", "/dev", repository}, name) || slices.Contains([]string{"node_modules", ".git", ".terraform"}, e.Name()) {
			continue
		}
		if found := findMirror(name, depth-1); found != "" {
			return found
		}
	}
	return ""
}

// environment is Terraform's: nothing of this machine's AWS or Terraform
// settings, so that no real account can be reached.
func environment() []string {
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "AWS_") && !strings.HasPrefix(pair, "TF_") {
			env = append(env, pair)
		}
	}
	env = append(env, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=made-up", "AWS_SECRET_ACCESS_KEY=made-up", "AWS_REGION=eu-central-1",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	if mirror != "" {
		env = append(env, "TF_CLI_CONFIG_FILE="+os.DevNull)
	}
	return env
}

// terraform runs a command in a directory of the copy and returns its standard
// output.
func terraform(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	out, err := try(dir, args...)
	if err != nil {
		t.Fatalf("terraform %s in %s: %v", strings.Join(args, " "), dir, err)
	}
	return out
}

func try(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = filepath.Join(repository, dir), environment()
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("%w\n%s%s", err, &out, &said)
	}
	return out.Bytes(), nil
}

// initialise makes a directory ready, with the provider of the mirror where
// there is one.
func initialise(t *testing.T, dir string) {
	t.Helper()
	args := []string{"init", "-no-color", "-input=false", "-backend=false"}
	if mirror != "" {
		args = append(args, "-plugin-dir="+mirror)
	}
	terraform(t, dir, args...)
}

// withMadeUpCredentials makes a root's provider ask nobody who it is.
func withMadeUpCredentials(t *testing.T, dir, more string) {
	t.Helper()
	text := `provider "aws" {
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
` + more + "}\n"
	if err := os.WriteFile(filepath.Join(repository, dir, "check_override.tf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// planned is one resource of a plan.
type planned struct {
	Address string         `json:"address"`
	Type    string         `json:"type"`
	Index   any            `json:"index"`
	Values  map[string]any `json:"values"`
}

type plannedModule struct {
	Resources []planned       `json:"resources"`
	Children  []plannedModule `json:"child_modules"`
}

func (m plannedModule) all() []planned {
	out := slices.Clone(m.Resources)
	for _, child := range m.Children {
		out = append(out, child.all()...)
	}
	return out
}

// planArguments plan a root without asking anybody.
func planArguments(vars []string) []string {
	args := []string{"plan", "-no-color", "-input=false", "-refresh=false", "-lock=false", "-out=plan"}
	for _, v := range vars {
		args = append(args, "-var="+v)
	}
	return args
}

// plan returns what would be made.
func plan(t *testing.T, dir string, vars ...string) []planned {
	t.Helper()
	terraform(t, dir, planArguments(vars)...)
	var shown struct {
		Planned struct {
			Root plannedModule `json:"root_module"`
		} `json:"planned_values"`
	}
	decode(t, terraform(t, dir, "show", "-json", "plan"), &shown)
	return shown.Planned.Root.all()
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v in %.300s", err, data)
	}
}

// one returns the only resource of a type whose address ends so.
func one(t *testing.T, resources []planned, kind, end string) map[string]any {
	t.Helper()
	var found []planned
	for _, r := range resources {
		if r.Type == kind && strings.HasSuffix(r.Address, end) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d resources %s that end in %q", len(found), kind, end)
	}
	return found[0].Values
}

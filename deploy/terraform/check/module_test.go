//go:build terraform

package check

import (
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
)

const module = "deploy/terraform"

// examples are the roots that a reader may copy, with the variables that they
// ask for.
var examples = map[string][]string{
	"attach-to-existing-rest-api": {
		"region=eu-central-1", "issuer=https://idp.example.com/", "audience=orders", "orders_resource_id=abc123",
		`rest_api={"id":"a1b2c3d4e5","name":"orders","stage":"prod","execution_arn":"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"}`,
	},
	"attach-to-existing-http-api": {
		"region=eu-central-1", "issuer=https://idp.example.com/", "audience=orders", "orders_integration_id=abc123",
		`http_api={"id":"a1b2c3d4e5","execution_arn":"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"}`,
	},
	"complete": {
		"region=eu-central-1", "issuer=https://idp.example.com/", "audience=items", "pager=arn:aws:sns:eu-central-1:123456789012:pager",
	},
	"websocket": {"region=eu-central-1", "issuer=https://idp.example.com/", "audience=talk"},
}

func TestFilesAreFormatted(t *testing.T) {
	t.Parallel()
	if out, err := try(module, "fmt", "-check", "-recursive", "-no-color"); err != nil {
		t.Errorf("not formatted: terraform fmt -recursive deploy/terraform\n%s", out)
	}
}

func TestTheModulesOwnTestsPass(t *testing.T) {
	t.Parallel()
	initialise(t, module)
	terraform(t, module, "validate", "-no-color")
	out := terraform(t, module, "test", "-no-color")
	// A run that was skipped is no run that passed.
	if !regexp.MustCompile(`Success! \d{2,} passed, 0 failed\.`).Match(out) {
		t.Errorf("not every run passed:\n%s", out)
	}
}

func TestExamplesPlanWithMadeUpCredentials(t *testing.T) {
	t.Parallel()
	for name, vars := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "complete" {
				planComplete(t)
				return
			}
			dir := filepath.Join(module, "examples", name)
			withMadeUpCredentials(t, dir, "")
			initialise(t, dir)
			terraform(t, dir, planArguments(vars)...)
		})
	}
}

func TestFunctionsAreBuiltForWhatThePackagesHold(t *testing.T) {
	t.Parallel()
	functions := 0
	for _, r := range planComplete(t) {
		if r.Type == "aws_lambda_function" {
			assertFunction(t, r.Values)
			functions++
		}
	}
	if functions != 3 {
		t.Errorf("%d functions, want two authorizers and items", functions)
	}
}

// complete is the plan of the example `complete`, made by the first test that
// looks at it.
var complete struct {
	sync.Mutex
	made []planned
}

func planComplete(t *testing.T) []planned {
	t.Helper()
	complete.Lock()
	defer complete.Unlock()
	if complete.made == nil {
		const dir = module + "/examples/complete"
		withMadeUpCredentials(t, dir, "")
		initialise(t, dir)
		complete.made = plan(t, dir, examples["complete"]...)
	}
	if len(complete.made) == 0 {
		t.Fatal("the example complete makes nothing")
	}
	return slices.Clip(complete.made)
}

// assertFunction: what every function of this project is.
func assertFunction(t *testing.T, f map[string]any) {
	t.Helper()
	name := f["function_name"]
	if f["runtime"] != "provided.al2023" || f["handler"] != "bootstrap" || f["publish"] != true {
		t.Errorf("function %v: runtime %v, handler %v, publish %v", name, f["runtime"], f["handler"], f["publish"])
	}
	if arch, _ := f["architectures"].([]any); len(arch) != 1 || arch[0] != "arm64" {
		t.Errorf("function %v: architectures %v: the packages are built for arm64", name, f["architectures"])
	}
	if tracing, _ := f["tracing_config"].([]any); len(tracing) != 1 || tracing[0].(map[string]any)["mode"] != "Active" {
		t.Errorf("function %v: tracing %v", name, f["tracing_config"])
	}
}

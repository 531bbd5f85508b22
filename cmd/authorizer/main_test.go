package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asMain makes the test binary the function itself.
const asMain = "RUN_AUTHORIZER"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// startWith runs the function with a configuration and no Runtime API: it ends
// where it would ask for its first event.
func startWith(t *testing.T, config string, env ...string) (stderr string, status int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authorizer.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append([]string{asMain + "=1", "AUTHORIZER_CONFIG=" + path}, env...)
	var b strings.Builder
	c.Stderr = &b
	_ = c.Run()
	return strings.ReplaceAll(b.String(), path, "authorizer.yaml"), c.ProcessState.ExitCode()
}

func TestABrokenConfigurationStopsWithOneLineForEachProblem(t *testing.T) {
	t.Parallel()
	stderr, status := startWith(t, "tables: {revocations: none}\nissuer: []\nroutes:\n  - route: get /items\n    require: [{jwt: {}}]\n")
	if status != 1 {
		t.Errorf("exit status is %d", status)
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	for _, want := range []string{"authorizer.yaml:2: issuer: ", "authorizer.yaml:4: routes[0].route: "} {
		found := 0
		for _, line := range lines {
			if strings.HasPrefix(line, want) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%d lines begin with %q in:\n%s", found, want, stderr)
		}
	}
}

func TestAConfigurationThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = []string{asMain + "=1", "LAMBDA_TASK_ROOT=/nowhere"}
	out, _ := c.CombinedOutput()
	if c.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "/nowhere/authorizer.yaml") {
		t.Errorf("exit status %d: %s", c.ProcessState.ExitCode(), out)
	}
}

func TestALogLevelThatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	stderr, status := startWith(t, "{}", "LOG_LEVEL=loud")
	if want := fmt.Sprintln(`LOG_LEVEL: "loud" is not debug, info, warn or error`); status != 1 || stderr != want {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

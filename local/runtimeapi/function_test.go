package runtimeapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lambda-authorizer/local/runtimeapi"
)

// bootstrap is the executable of testdata/bootstrap.
var bootstrap string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "runtimeapi")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bootstrap = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", bootstrap, "./testdata/bootstrap")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func function(t *testing.T, o runtimeapi.Options) *runtimeapi.Function {
	t.Helper()
	o.Name = "test"
	o.Bootstrap = bootstrap
	f := runtimeapi.New(o)
	t.Cleanup(f.Close)
	return f
}

func invoke(t *testing.T, f *runtimeapi.Function, do, text string) (string, error) {
	t.Helper()
	payload, err := json.Marshal(map[string]string{"do": do, "text": text})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := f.Invoke(t.Context(), payload)
	return string(answer), err
}

func TestFunctionAnswersInvocations(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{})
	for _, text := range []string{"one", "two"} {
		got, err := invoke(t, f, "echo", text)
		if err != nil || got != `"`+text+`"` {
			t.Errorf("Invoke = %s, %v", got, err)
		}
	}
}

// description is what the bootstrap says of its environment.
type description struct {
	PID         int      `json:"pid"`
	Environ     []string `json:"environ"`
	Directory   string   `json:"directory"`
	RemainingMS int      `json:"remaining_ms"`
	RequestID   string   `json:"request_id"`
	ARN         string   `json:"arn"`
	Trace       string   `json:"trace"`
}

func describe(t *testing.T, f *runtimeapi.Function) description {
	t.Helper()
	answer, err := invoke(t, f, "describe", "")
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal([]byte(answer), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFunctionSeesALambdaEnvironmentAndNothingOfOurs(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	f := function(t, runtimeapi.Options{Env: []string{"TABLE=items"}, MemoryMB: 512, Timeout: time.Minute})
	got := describe(t, f)
	for _, want := range []string{
		"AWS_LAMBDA_FUNCTION_NAME=test", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "_HANDLER=bootstrap",
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=" + runtimeapi.AccessKeyID,
		"LAMBDA_TASK_ROOT=" + filepath.Dir(bootstrap), "TABLE=items",
	} {
		if !slices.Contains(got.Environ, want) {
			t.Errorf("environment lacks %s", want)
		}
	}
	for _, pair := range got.Environ {
		if strings.HasPrefix(pair, "AWS_PROFILE=") || strings.HasPrefix(pair, "HOME=") {
			t.Errorf("environment has our %s", pair)
		}
	}
	if got.Directory != filepath.Dir(bootstrap) {
		t.Errorf("working directory %s", got.Directory)
	}
}

func TestInvocationCarriesIdDeadlineARNAndTrace(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{Timeout: time.Minute})
	one, two := describe(t, f), describe(t, f)
	if one.RemainingMS > 60_000 || one.RemainingMS < 30_000 {
		t.Errorf("%d ms remain of a minute", one.RemainingMS)
	}
	if len(one.RequestID) != 36 || one.RequestID == two.RequestID {
		t.Errorf("request ids %q, %q", one.RequestID, two.RequestID)
	}
	if one.ARN != "arn:aws:lambda:eu-central-1:123456789012:function:test" {
		t.Errorf("function ARN %q", one.ARN)
	}
	if !strings.HasPrefix(one.Trace, "Root=1-") || one.Trace == two.Trace {
		t.Errorf("trace ids %q, %q", one.Trace, two.Trace)
	}
}

func TestOutputIsHandedOnLineByLine(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var lines []string
	written := make(chan struct{}, 10)
	f := function(t, runtimeapi.Options{Stdout: func(line []byte) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, string(line))
		written <- struct{}{}
	}})
	for _, text := range []string{"one", "two"} {
		if _, err := invoke(t, f, "echo", text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := invoke(t, f, "exit", ""); err == nil {
		t.Fatal("Invoke = nil after exit")
	}
	for range 3 {
		<-written
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"echo one", "echo two", "no line end"}; !slices.Equal(lines, want) {
		t.Errorf("lines %q, want %q", lines, want)
	}
}

func TestOneProcessMeetsTwoInvocationsWithConcurrency(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{Concurrency: 2, Timeout: time.Minute})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if got, err := invoke(t, f, "meet", ""); err != nil || got != `"met"` {
				t.Errorf("Invoke = %s, %v", got, err)
			}
		})
	}
	wg.Wait()
}

func TestEnvironmentsAreProcessesOfTheirOwn(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{Environments: 3})
	if err := f.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	pids := make(map[int]bool)
	for range 3 {
		pids[describe(t, f).PID] = true
	}
	if len(pids) != 3 {
		t.Errorf("%d processes, want 3", len(pids))
	}
}

func TestCallerWhoGivesUpWaitsForNoEnvironment(t *testing.T) {
	t.Parallel()
	asleep := make(chan struct{})
	f := function(t, runtimeapi.Options{Timeout: time.Minute, Stdout: func([]byte) { close(asleep) }})
	busy := make(chan struct{})
	go func() {
		defer close(busy)
		if _, err := invoke(t, f, "sleep", ""); err == nil {
			t.Error("Invoke = nil for an hour's sleep")
		}
	}()
	<-asleep
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Invoke(ctx, []byte(`{"do":"echo"}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke = %v", err)
	}
	f.Close() // and with it the sleeper
	<-busy
}

func TestCloseLeavesNoProcess(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{Environments: 2})
	pids := []int{describe(t, f).PID, describe(t, f).PID}
	f.Close()
	for _, pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d still runs", pid)
		}
	}
	if _, err := invoke(t, f, "echo", ""); !errors.Is(err, runtimeapi.ErrClosed) {
		t.Errorf("Invoke = %v", err)
	}
	f.Close() // twice does no harm
}

package runtimeapi_test

import (
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"lambda-authorizer/local/runtimeapi"
)

func TestErrorTextComesBackUnchanged(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{})
	_, err := invoke(t, f, "fail", "Unauthorized")
	var failed *runtimeapi.FunctionError
	if !errors.As(err, &failed) || failed.ErrorMessage() != "Unauthorized" || failed.Type != "errorString" {
		t.Fatalf("Invoke = %#v", err)
	}
	if got, err := invoke(t, f, "echo", "still here"); err != nil {
		t.Errorf("after an error: %s, %v", got, err)
	}
}

func TestCrashedProcessIsReplacedByTheNextInvocation(t *testing.T) {
	t.Parallel()
	for do, want := range map[string]string{
		"exit":  "Runtime exited: exit status 3",
		"panic": "no such luck", // reported before the process ends
	} {
		t.Run(do, func(t *testing.T) {
			t.Parallel()
			f := function(t, runtimeapi.Options{})
			before := describe(t, f).PID
			_, err := invoke(t, f, do, "no such luck")
			var failed *runtimeapi.FunctionError
			if !errors.As(err, &failed) || !strings.Contains(failed.Message, want) {
				t.Fatalf("Invoke = %v, want %q", err, want)
			}
			for describePID := before; describePID == before; {
				answer, err := invoke(t, f, "describe", "")
				if err != nil {
					continue // the process that panicked was still ending
				}
				var d description
				if err := json.Unmarshal([]byte(answer), &d); err != nil {
					t.Fatal(err)
				}
				if describePID = d.PID; describePID == before {
					t.Fatal("the crashed process answered")
				}
			}
		})
	}
}

func TestLateInvocationIsEndedWithItsProcess(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{Timeout: 300 * time.Millisecond})
	before := describe(t, f).PID
	_, err := invoke(t, f, "sleep", "")
	var failed *runtimeapi.FunctionError
	if !errors.As(err, &failed) || failed.Type != "Sandbox.Timedout" || !strings.Contains(failed.Message, "0.30 seconds") {
		t.Fatalf("Invoke = %v", err)
	}
	if syscall.Kill(before, 0) == nil {
		t.Errorf("process %d still runs", before)
	}
}

func TestStartUpFailureSaysWhatTheProcessSaid(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{Env: []string{"START=fail"}})
	var failed *runtimeapi.InitError
	if err := f.Warm(t.Context()); !errors.As(err, &failed) || failed.Why != "authorizer.yaml:3: gateway: no such luck" {
		t.Errorf("Warm = %v", err)
	}
	if _, err := invoke(t, f, "echo", ""); !errors.As(err, &failed) {
		t.Errorf("Invoke = %v", err)
	}
}

func TestProcessThatNeverPollsIsEnded(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{Env: []string{"START=hang"}, InitTimeout: 500 * time.Millisecond})
	var failed *runtimeapi.InitError
	if err := f.Warm(t.Context()); !errors.As(err, &failed) || failed.Why != "no poll within 500ms: thinking" {
		t.Errorf("Warm = %v", err)
	}
}

func TestMissingBootstrapIsNamed(t *testing.T) {
	t.Parallel()
	f := runtimeapi.New(runtimeapi.Options{Name: "test", Bootstrap: "/no/such/bootstrap", TaskRoot: t.TempDir()})
	defer f.Close()
	if err := f.Warm(t.Context()); err == nil || !strings.Contains(err.Error(), "/no/such/bootstrap") {
		t.Errorf("Warm = %v", err)
	}
}

func TestAnswerOverSixMegabytesIsAnError(t *testing.T) {
	t.Parallel()
	f := function(t, runtimeapi.Options{Timeout: time.Minute})
	_, err := invoke(t, f, "large", "")
	var failed *runtimeapi.FunctionError
	if !errors.As(err, &failed) || failed.Type != "Function.ResponseSizeTooLarge" {
		t.Errorf("Invoke = %v", err)
	}
}

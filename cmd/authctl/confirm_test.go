package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// silent is a terminal at which nobody types.
type silent struct {
	io.Reader
	io.Writer
}

func TestStopAtTheConfirmationChangesNothing(t *testing.T) {
	t.Parallel()
	typed, _ := io.Pipe()
	t.Cleanup(func() { _ = typed.Close() })
	stopped := make(chan struct{})
	close(stopped)
	var shown bytes.Buffer
	err := (&tool{stopped: stopped}).ask(silent{typed, &shown}, "this refuses every token")
	var e exit
	if !errors.As(err, &e) || e.status != exitRefused || !strings.Contains(e.message, "not confirmed: nothing was changed") {
		t.Errorf("%v", err)
	}
	if !strings.HasPrefix(shown.String(), "this refuses every token\ntype yes") {
		t.Errorf("shown: %s", &shown)
	}
}

func TestConfirmationIsTheWordYes(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{"yes\n": true, " yes \n": true, "y\n": false, "\n": false, "no\n": false, "yes": false} {
		err := new(tool).ask(silent{strings.NewReader(typed), io.Discard}, "what")
		if (err == nil) != want {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

func TestStopWhileATokenIsReadChangesNothing(t *testing.T) {
	t.Parallel()
	typed, _ := io.Pipe()
	t.Cleanup(func() { _ = typed.Close() })
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out, errs bytes.Buffer
	tool := &tool{in: typed, out: &out, err: &errs, now: time.Now, env: func(string) (string, bool) { return "", false }}
	status := tool.run(ctx, []string{"revoke", "token", "--table", "revocations", "--issuer-url", "https://idp.example.com/"})
	if status != exitRefused || !strings.Contains(errs.String(), "stopped before the token was read: nothing was changed") {
		t.Errorf("status %d: %s%s", status, &out, &errs)
	}
}

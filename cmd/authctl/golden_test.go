package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const recordings = "../../testdata"

// golden is what the function answered to an event under one configuration.
type golden struct {
	Reason string          `json:"reason"`
	Error  string          `json:"error"`
	Answer json.RawMessage `json:"answer"`
}

// What explain shows of an event is what the function answered to it: the
// files in testdata/responses are the function's own, through Lambda's
// handler.
func TestExplainShowsWhatTheFunctionAnswered(t *testing.T) {
	t.Parallel()
	at := recordedAt(t).Format(time.RFC3339)
	events, err := filepath.Glob(filepath.Join(recordings, "events", "*.json"))
	if err != nil || len(events) < 300 {
		t.Fatalf("%d events: %v", len(events), err)
	}
	for _, path := range events {
		name := filepath.Base(path)
		var want map[string]golden
		decode(t, file(t, filepath.Join(recordings, "responses", name)), &want)
		if len(want) == 0 {
			t.Errorf("%s: no configuration has a golden answer", name)
		}
		for cfg, g := range want {
			t.Run(strings.TrimSuffix(name, ".json")+"/"+cfg, func(t *testing.T) {
				t.Parallel()
				var out, errs bytes.Buffer
				tool := &tool{in: bytes.NewReader(recordedEvent(t, path)), out: &out, err: &errs, env: os.LookupEnv, now: time.Now}
				status := tool.run(t.Context(), []string{"explain", "--event", "-", "--at", at, "--offline", "--output", "json",
					"--config", filepath.Join(recordings, "configs", cfg+".yaml")})
				var x explained
				decode(t, out.Bytes(), &x)
				compareGolden(t, &x, g)
				if status != statusOf(x) {
					t.Errorf("exit status %d after %s (%s): %s", status, x.Outcome, x.Reason, errs.String())
				}
			})
		}
	}
}

func compareGolden(t *testing.T, x *explained, want golden) {
	t.Helper()
	if x.Reason != want.Reason || x.Error != want.Error {
		t.Errorf("reason %q, error %q; the function's: %q, %q", x.Reason, x.Error, want.Reason, want.Error)
	}
	if diff := cmp.Diff(compacted(t, want.Answer), compacted(t, x.Answer)); diff != "" {
		t.Errorf("answers differ (-function +explain):\n%s", diff)
	}
	last := x.Steps[len(x.Steps)-1]
	switch {
	case last.Step != "answer":
		t.Errorf("the last step is %s", last.Step)
	case last.Verdict == "failed" && x.Outcome != "fault":
		t.Errorf("outcome %s after a failed answer", x.Outcome)
	}
	for i, s := range x.Steps[:len(x.Steps)-1] {
		if s.Verdict != "passed" && i != len(x.Steps)-2 {
			t.Errorf("%s is %s, and %s ran after it", s.Step, s.Verdict, x.Steps[i+1].Step)
		}
	}
}

// statusOf is the exit status that goes with an explanation.
func statusOf(x explained) int {
	switch {
	case x.Outcome == "allow":
		return 0
	case strings.HasSuffix(x.Reason, "_unavailable") || x.Reason == "deadline_exceeded":
		return exitDependency
	}
	return exitRefused
}

// A sketch of a request is answered as the event that it stands for.
func TestSketchIsAnsweredAsTheEventItStandsFor(t *testing.T) {
	t.Parallel()
	bearer := "Authorization: Bearer " + recordedToken(t, "valid")
	for _, c := range []struct {
		event, config string
		args          []string
	}{
		{"rest-token-valid", "cached", []string{"--kind", "rest-token", "--api", "a1b2c3d4e5", "--path", "/items", "-H", bearer}},
		{"rest-token-valid-item", "cached", []string{"--kind", "rest-token", "--api", "a1b2c3d4e5", "--path", "/items/42", "-H", bearer}},
		{"rest-request-valid", "cached", []string{"--api", "a1b2c3d4e5", "--path", "/items", "-H", bearer}},
		{"rest-request-valid-post", "uncached", []string{"--kind", "rest", "-X", "POST", "--path", "/items", "-H", bearer}},
		{"rest-request-query-token", "uncached", []string{"--path", "/items?access_token=" + recordedToken(t, "valid")}},
		{"rest-request-cookie", "uncached", []string{"--path", "/items", "-H", "Cookie: session=" + recordedToken(t, "valid")}},
		{"rest-request-slash-encoded-in-path", "cached", []string{"--api", "a1b2c3d4e5", "--path", "/items/a%2Fb", "-H", bearer}},
		{"http1-valid", "cached", []string{"--kind", "http1", "--api", "h1b2c3d4e5", "--stage", "prod", "--path", "/items", "-H", bearer}},
		{"http2-valid", "cached", []string{"--kind", "http2", "--api", "h1b2c3d4e5", "--path", "/items", "-H", bearer}},
		{"http2-valid", "simple-deny", []string{"--api", "h1b2c3d4e5", "--path", "/items", "-H", bearer}},
		{"http2-route-key-at-declared-index", "simple-cached", []string{"--path", "/items", "-H", bearer}},
		{"http2-cookie", "uncached", []string{"--kind", "http2", "--api", "h1b2c3d4e5", "--path", "/items", "-H", "cookie: session=" + recordedToken(t, "valid")}},
		{"http2-expired", "simple-deny", []string{"--path", "/items", "-H", "Authorization: Bearer " + recordedToken(t, "expired")}},
		{"websocket-header-token", "cached", []string{"--kind", "websocket", "--api", "w1b2c3d4e5", "-H", bearer}},
		{"websocket-query-token", "uncached", []string{"--kind", "websocket", "--api", "w1b2c3d4e5", "--path", "/?access_token=" + recordedToken(t, "valid")}},
	} {
		t.Run(c.event+"/"+c.config, func(t *testing.T) {
			t.Parallel()
			var want map[string]golden
			decode(t, file(t, filepath.Join(recordings, "responses", c.event+".json")), &want)
			x := explainJSON(t, append([]string{"--config", filepath.Join(recordings, "configs", c.config+".yaml")}, c.args...)...)
			compareGolden(t, x, want[c.config])
			// The configurations declare the Authorization header.
			if has := slices.ContainsFunc(c.args, func(a string) bool { return strings.HasPrefix(a, "Authorization: ") }); has == (len(x.Missing) > 0) {
				t.Errorf("the request lacks %v", x.Missing)
			}
		})
	}
}

// explainJSON runs explain offline at the time of recording.
func explainJSON(t *testing.T, args ...string) *explained {
	t.Helper()
	var out, errs bytes.Buffer
	tool := &tool{in: strings.NewReader(""), out: &out, err: io.Writer(&errs), env: os.LookupEnv, now: time.Now}
	tool.run(t.Context(), append([]string{"explain", "--offline", "--output", "json", "--at", recordedAt(t).Format(time.RFC3339)}, args...))
	if errs.Len() > 0 {
		t.Fatalf("%v: %s", args, errs.String())
	}
	var x explained
	decode(t, out.Bytes(), &x)
	return &x
}

func recordedAt(t *testing.T) time.Time {
	t.Helper()
	var recorded struct {
		At time.Time `json:"recorded_at"`
	}
	decode(t, file(t, filepath.Join(recordings, "recorded", "recorded.json")), &recorded)
	return recorded.At
}

func recordedToken(t *testing.T, name string) string {
	t.Helper()
	return string(bytes.TrimSpace(file(t, filepath.Join(recordings, "tokens", name+".jwt"))))
}

var placeholder = regexp.MustCompile(`\{\{token:([a-z0-9-]+)\}\}`)

// recordedEvent is an event with the recorded tokens in it.
func recordedEvent(t *testing.T, path string) []byte {
	t.Helper()
	return placeholder.ReplaceAllFunc(file(t, path), func(match []byte) []byte {
		return []byte(recordedToken(t, string(placeholder.FindSubmatch(match)[1])))
	})
}

func file(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func compacted(t *testing.T, text json.RawMessage) string {
	t.Helper()
	if len(text) == 0 {
		return ""
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return b.String()
}

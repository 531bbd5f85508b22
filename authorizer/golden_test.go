package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
	"lambda-authorizer/jwks"
)

var update = flag.Bool("update", false, "write testdata/responses anew")

const testdata = "../testdata"

// golden is what one configuration answers to one event.
type golden struct {
	// Reason is what the decision line says.
	Reason string `json:"reason,omitempty"`
	// Error is the function's error, Answer what it returned otherwise.
	Error  string          `json:"error,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
}

// Every event in testdata/events is answered under every configuration in
// testdata/configs; what comes out stands under the event's name in
// testdata/responses. Tokens and keys are those of a real provider, the clock
// stands at the time of recording.
//
//	go test ./authorizer -run Golden -update
func TestGoldenEventsGetTheirGoldenAnswers(t *testing.T) {
	t.Parallel()
	configs := glob(t, "configs/*.yaml")
	lines := map[string]*bytes.Buffer{}
	functions := map[string]*authorizer.Authorizer{}
	for _, path := range configs {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		lines[name] = &bytes.Buffer{}
		functions[name] = recordedAuthorizer(t, path, lines[name])
	}
	for _, path := range glob(t, "events/*.json") {
		name := filepath.Base(path)
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			got := map[string]golden{}
			for config, function := range functions {
				if strings.HasPrefix(config, "simple") && !strings.HasPrefix(name, "http2") {
					continue // simple responses exist for HTTP API 2.0 alone
				}
				lines[config].Reset()
				got[config] = invoke(t, function, event(t, path), lines[config])
			}
			compare(t, filepath.Join(testdata, "responses", name), got)
		})
	}
}

// recordedAuthorizer answers with the recorded key set at the recorded time.
func recordedAuthorizer(t *testing.T, path string, lines *bytes.Buffer) *authorizer.Authorizer {
	t.Helper()
	cfg, err := config.Load(path, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	now := recordedAt(t)
	clock := func() time.Time { return now }
	tokens, err := jwks.New(cfg.Issuers, jwks.Options{Now: clock, Dir: filepath.Dir(path)})
	if err != nil {
		t.Fatal(err)
	}
	a, err := authorizer.New(cfg, authorizer.Options{Tokens: tokens, Now: clock, Decisions: lines})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func recordedAt(t *testing.T) time.Time {
	t.Helper()
	var recorded struct {
		At time.Time `json:"recorded_at"`
	}
	if err := json.Unmarshal(file(t, filepath.Join(testdata, "recorded", "recorded.json")), &recorded); err != nil {
		t.Fatal(err)
	}
	return recorded.At
}

func invoke(t *testing.T, function *authorizer.Authorizer, payload []byte, line *bytes.Buffer) golden {
	t.Helper()
	var got golden
	answer, err := function.Invoke(context.Background(), payload)
	if err != nil {
		got.Error = err.Error()
	}
	got.Answer = answer
	var said struct {
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(line.Bytes(), &said); err != nil {
		t.Fatalf("the decision line is not JSON: %v: %s", err, line)
	}
	got.Reason = said.Reason
	return got
}

var placeholder = regexp.MustCompile(`\{\{token:([a-z0-9-]+)\}\}`)

// event reads an event and puts the recorded tokens in.
func event(t *testing.T, path string) []byte {
	t.Helper()
	return placeholder.ReplaceAllFunc(file(t, path), func(match []byte) []byte {
		name := string(placeholder.FindSubmatch(match)[1])
		return bytes.TrimSpace(file(t, filepath.Join(testdata, "tokens", name+".jwt")))
	})
}

func compare(t *testing.T, path string, got map[string]golden) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(file(t, path)), string(text)); diff != "" {
		t.Errorf("answers differ (-golden +got):\n%s", diff)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(testdata, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return paths
}

func file(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

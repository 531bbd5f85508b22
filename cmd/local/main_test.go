package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// build is the directory of the bootstraps, as `make build` leaves it.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "build")
	if err != nil {
		return "", err
	}
	for name, out := range map[string]string{"authorizer": "authorizer/bootstrap", "items": "items/bootstrap", "authctl": "authctl"} {
		cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, out), "lambda-authorizer/cmd/"+name)
		if said, err := cmd.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("go build %s: %w\n%s", name, err, said)
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := build(); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// output is what a run wrote; safe to read while it writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// await waits until the output matches, and returns the match's groups.
func (o *output) await(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for range 3000 {
		if found := re.FindStringSubmatch(o.String()); found != nil {
			return found
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("output never matches %s:\n%s", pattern, o)
	return nil
}

// session is a run under way.
type session struct {
	stdout, stderr output
	url            string
	stop           func() int // and wait for the exit status
}

// launch runs the command with the shipped configuration on a free port.
func launch(t *testing.T, env map[string]string, args ...string) *session {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{
		"LOCAL_ADDR": "127.0.0.1:0", "AUTHORIZER_CONFIG": "../../deploy/authorizer.yaml",
		"DYNAMODB_ENDPOINT": os.Getenv("DYNAMODB_ENDPOINT"),
	}
	getenv := func(name string) (string, bool) {
		if value, ok := env[name]; ok {
			return value, true
		}
		value, ok := defaults[name]
		return value, ok
	}
	s := &session{}
	ctx, cancel := context.WithCancel(context.Background())
	exit := make(chan int, 1)
	go func() { exit <- run(ctx, append([]string{"-dir", dir}, args...), getenv, &s.stdout, &s.stderr) }()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-exit
	})
	t.Cleanup(func() { s.stop() })
	s.url = s.stdout.await(t, `running on (http://\S+)`)[1]
	s.stdout.await(t, `Ctrl-C stops everything`)
	return s
}

func TestExamplesAnswerWhatTheySay(t *testing.T) {
	s := launch(t, nil)
	minted := map[string]string{}
	for _, v := range tokens {
		line := tokenLine(s.url, v.name, v.scope)
		if !strings.Contains(s.stdout.String(), line) {
			t.Errorf("the banner lacks %s", line)
		}
		_, url, _ := strings.Cut(line, "'")
		minted[v.name] = "Bearer " + strings.TrimSpace(fetch(t, strings.TrimSuffix(url, "')")))
	}
	for _, e := range examples {
		token := minted[e.token]
		r, err := http.NewRequest(e.method, s.url+e.path, strings.NewReader(e.body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		if e.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != e.status {
			t.Errorf("%s: %d %s, want %d", e.says, response.StatusCode, body, e.status)
		}
		if line := e.curl(s.url, "Authorization"); !strings.Contains(s.stdout.String(), line) {
			t.Errorf("the banner lacks %s", line)
		}
	}
	if said := s.stdout.String(); !strings.Contains(said, "authctl revoke token --config ") || !strings.Contains(said, "--flush rest:$REST_TOKEN_API_ID/rest-token") {
		t.Errorf("the banner shows no revocation:\n%s", said)
	}
	if strings.Contains(s.stdout.String(), "\x1b") {
		t.Errorf("colours without a terminal:\n%s", &s.stdout)
	}
}

// The lines about keys work when pasted as a whole, and those of closed stages
// are not there.
func TestKeyLinesOfTheUncachedConfigurationWorkWhenPasted(t *testing.T) {
	s := launch(t, map[string]string{"AUTHORIZER_CONFIG": "../../deploy/authorizer-uncached.yaml"})
	banner := s.stdout.String()
	if strings.Contains(banner, "curl -i "+s.url+"/rest-token/") || !strings.Contains(banner, "more lines like this)") {
		t.Errorf("closed stages:\n%s", banner)
	}
	_, lines, _ := strings.Cut(banner, "  API_KEY=")
	lines, _, _ = strings.Cut("API_KEY="+lines, "AWS CLI")
	said, err := exec.Command("sh", "-c", lines).Output()
	if err != nil || strings.Count(string(said), `{"items":[]}`) != 2 {
		t.Errorf("%s\nanswer %s, %v", lines, said, err)
	}
}

// Without the file they would use whatever AWS account the user's own shell has.
func TestPastedLinesRunNothingWhereTheEnvironmentFileIsMissing(t *testing.T) {
	bash, err := exec.LookPath("bash") // sh may be dash, which ends there anyway
	if err != nil {
		bash = "sh"
	}
	for _, config := range []string{"authorizer.yaml", "authorizer-uncached.yaml"} {
		s := launch(t, map[string]string{"AUTHORIZER_CONFIG": "../../deploy/" + config})
		s.stop() // which removes the file
		sourcing := regexp.MustCompile(`(?m)^  \(\. .*\)$`).FindAllString(s.stdout.String(), -1)
		if len(sourcing) == 0 {
			t.Errorf("%s: no line sources local.env:\n%s", config, &s.stdout)
		}
		for _, line := range sourcing {
			ran := filepath.Join(t.TempDir(), "ran")
			line = regexp.MustCompile(`\S+/authctl `).ReplaceAllString(line, "touch "+ran+" ")
			if said, err := exec.Command(bash, "-c", line).CombinedOutput(); err == nil {
				t.Errorf("%s\nsucceeds: %s", line, said)
			}
			if _, err := os.Stat(ran); err == nil {
				t.Errorf("%s\nran authctl", line)
			}
		}
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestDecisionsAreWatchedWhereAskedFor(t *testing.T) {
	watched := launch(t, nil, "--watch-decisions")
	quiet := launch(t, nil)
	for _, s := range []*session{watched, quiet} {
		token := "Bearer " + strings.TrimSpace(fetch(t, s.url+"/oidc/token?scope=items:read"))
		for _, header := range []string{token, token, "", "Bearer junk"} {
			r, err := http.NewRequest("GET", s.url+"/rest-token/items", nil)
			if err != nil {
				t.Fatal(err)
			}
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
	}
	long := strings.Repeat("x", 2000)
	for path, status := range map[string]int{"/rest-token/nowhere": 403, "/http/nowhere": 404, "/rest/items/" + long: 414} {
		if got := ask(t, "GET", watched.url+path); got != status {
			t.Errorf("%.20s: %d, want %d", path, got, status)
		}
	}
	if got := ask(t, "GET", watched.url+"/http-iam/items", "X-Long", strings.Repeat(long, 6)); got != 431 {
		t.Errorf("long headers: %d", got)
	}
	for _, want := range []string{
		`refused +/rest-token GET +no such route: the authorizer was not asked`,
		`refused +/http +GET +no such route: the authorizer was not asked`,
		`refused +/rest +GET /items/\{id\} +the path is too long: the authorizer was not asked`,
		`refused +/http-iam +GET +the headers are too long: the authorizer was not asked`,
		`\d\d:\d\d:\d\d allow +/rest-token GET /items .*main\|alice`,
		`allow +/rest-token GET /items +from API Gateway's cache`,
		`unauthorized +/rest-token GET /items +no identity source: the authorizer was not asked`,
		`unauthorized +/rest-token .*credential_malformed`,
	} {
		watched.stdout.await(t, want)
	}
	if said := quiet.stdout.String(); strings.Contains(said, "unauthorized") {
		t.Errorf("decisions nobody asked for:\n%s", said)
	}
	for _, s := range []*session{watched, quiet} {
		if said := s.stderr.String(); said != "" {
			t.Errorf("standard error: %s", said)
		}
	}
}

func TestSignalStopsEverythingWithStatusZero(t *testing.T) {
	s := launch(t, nil)
	if status := s.stop(); status != 0 {
		t.Errorf("exit status %d: %s", status, &s.stderr)
	}
	if response, err := http.Get(s.url + "/health"); err == nil {
		response.Body.Close()
		t.Error("it still answers")
	}
}

func TestBusyPortEndsWithOneClearLine(t *testing.T) {
	s := launch(t, nil)
	address := strings.TrimPrefix(s.url, "http://")
	var stdout, stderr output
	getenv := func(name string) (string, bool) {
		value, ok := map[string]string{"LOCAL_ADDR": address, "AUTHORIZER_CONFIG": "../../deploy/authorizer.yaml"}[name]
		return value, ok
	}
	status := run(t.Context(), []string{"-dir", t.TempDir()}, getenv, &stdout, &stderr)
	_, port, _ := strings.Cut(address, ":")
	want := regexp.MustCompile(`^port ` + port + ` is in use: set LOCAL_ADDR=127\.0\.0\.1:\d+\n$`)
	if status != 1 || !want.MatchString(stderr.String()) {
		t.Errorf("exit status %d: %s", status, &stderr)
	}
}

func TestWrongUsageIsStatusTwo(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		says string
	}{
		"no duration":    {map[string]string{"LOCAL_CACHE_TTL": "soon"}, nil, "LOCAL_CACHE_TTL=soon: must be a duration"},
		"too long":       {map[string]string{"LOCAL_CACHE_TTL": "2h"}, nil, "from 0s to 1h"},
		"part of second": {map[string]string{"LOCAL_CACHE_TTL": "1500ms"}, nil, "whole seconds"},
		"argument":       {nil, []string{"now"}, `unexpected argument "now"`},
		"unknown flag":   {nil, []string{"-fast"}, "flag provided but not defined"},
	} {
		var stdout, stderr output
		getenv := func(name string) (string, bool) { value, ok := c.env[name]; return value, ok }
		if status := run(t.Context(), c.args, getenv, &stdout, &stderr); status != 2 || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%s: exit status %d: %s", name, status, &stderr)
		}
	}
}

func TestClosedStageIsInTheBanner(t *testing.T) {
	config := filepath.Join(t.TempDir(), "my.yaml")
	text := `
tables: {revocations: none}
issuers: [{name: main, issuer: "${ISSUER}", audiences: ["${AUDIENCE}"]}]
bearer: {cookie: session}
routes: [{route: GET /items, require: [{jwt: {}}]}]
`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s := launch(t, map[string]string{"AUTHORIZER_CONFIG": config}, "--watch-decisions")
	s.stdout.await(t, `/rest-token/ .*closed: `+regexp.QuoteMeta(config)+`:5: `)
	s.stdout.await(t, `/rest/ .*not cached`)
	fetch(t, s.url+"/rest-token/items") // no identity source
	r, err := http.NewRequest("GET", s.url+"/rest-token/items", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer x")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 500 {
		t.Errorf("status %d", response.StatusCode)
	}
	s.stdout.await(t, `fault +/rest-token GET /items +this stage is closed`)
	if said := s.stderr.String(); said != "" {
		t.Errorf("what the banner says is said again: %s", said)
	}
}

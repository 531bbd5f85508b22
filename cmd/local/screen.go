package main

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"lambda-authorizer/local"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/local/watch"
)

// screen is what the user sees. What functions say while they start is kept
// until it is known which of them did not.
type screen struct {
	stdout, stderr io.Writer
	style          watch.Style
	decisions      bool

	mu      sync.Mutex
	ready   bool
	closed  map[string]bool // functions that do not start: said once
	pending []logLine
}

type logLine struct{ function, text string }

func newScreen(s settings, stdout, stderr io.Writer) *screen {
	return &screen{
		stdout: stdout, stderr: stderr, decisions: s.watch,
		style: watch.Style{Color: s.color, Location: time.Local},
	}
}

func (s *screen) watch() local.Watch {
	w := local.Watch{Log: s.log, Decision: s.fault}
	if s.decisions {
		w.Decision = func(stage string, line []byte) { s.print(s.style.Decision(stage, line)) }
		w.Access = s.access
	}
	return w
}

func (s *screen) print(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.stdout, line)
}

// access shows what the authorizer wrote no line about.
func (s *screen) access(a gateway.Access) {
	why := ""
	switch {
	case a.Stage == "$default":
		return
	case a.Authorizer == gateway.AnsweredCached:
		why = "from API Gateway's cache"
	case a.Authorizer == gateway.SourceMissing:
		why = "no identity source: the authorizer was not asked"
	case a.Authorizer == gateway.NotConsulted:
		s.print(s.style.Refused(a.Time, a.Stage, a.Method, a.Route, unasked(a.Status)+": the authorizer was not asked"))
		return
	case strings.Contains(a.ErrorMessage, "did not start"):
		why = "this stage is closed"
	default:
		return
	}
	s.print(s.style.Gateway(a.Time, a.Stage, a.Method, a.Route, a.Status, why))
}

// unasked is why API Gateway refuses a request by itself.
func unasked(status int) string {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return "the body is too large"
	case http.StatusRequestURITooLong:
		return "the path is too long"
	case http.StatusRequestHeaderFieldsTooLarge:
		return "the headers are too long"
	}
	return "no such route"
}

// fault shows a decision line where only faults are shown. The function's log
// has no word of it: LOG_LEVEL is warn, and the error is reported at info.
func (s *screen) fault(stage string, line []byte) {
	if watch.IsFault(line) {
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintln(s.stderr, s.style.Decision(stage, line))
	}
}

func (s *screen) log(function string, line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := logLine{function, string(line)}
	if !s.ready {
		s.pending = append(s.pending, l)
		return
	}
	s.write(l)
}

// release shows what was kept, less the last words of closed stages: the
// banner has them. Without a stack there was no banner, and the error has the
// words of what did not start.
func (s *screen) release(stack *local.Stack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready, s.closed = true, map[string]bool{"items": stack == nil}
	if stack != nil {
		for _, stage := range stack.Stages() {
			s.closed["authorizer-"+stage.Name] = stage.Closed != ""
		}
	}
	for _, l := range s.pending {
		s.write(l)
	}
	s.pending = nil
}

func (s *screen) write(l logLine) {
	if !s.closed[l.function] {
		fmt.Fprintf(s.stderr, "%s: %s\n", l.function, l.text)
	}
}

// descriptions are what the banner says of each kind of API.
var descriptions = map[gateway.Kind]string{
	gateway.RESTToken:   "REST API, TOKEN authorizer",
	gateway.RESTRequest: "REST API, REQUEST authorizer",
	gateway.HTTP1:       "HTTP API, payload 1.0",
	gateway.HTTP2Simple: "HTTP API 2.0, simple responses",
	gateway.HTTP2IAM:    "HTTP API 2.0, IAM policies",
	gateway.WebSocket:   "WebSocket API, $connect",
}

func (s *screen) banner(stack *local.Stack) {
	var b strings.Builder
	fmt.Fprintf(&b, "running on %s\n\n", stack.URL())
	for _, stage := range stack.Stages() {
		fmt.Fprintf(&b, "  %-13s %-32s %s\n", "/"+stage.Name+"/", descriptions[stage.Kind], state(stage))
	}
	fmt.Fprintf(&b, "  %-13s no authorizer\n  %-13s token issuer\n\npaste these into another shell:\n\n", "/health", "/oidc/")
	for _, t := range tokens {
		fmt.Fprintf(&b, "  %s\n", tokenLine(stack.URL(), t.name, t.scope))
	}
	b.WriteString("\n")
	for _, e := range examples {
		if e.closed(stack) {
			continue
		}
		fmt.Fprintf(&b, "  # %d: %s\n  %s\n\n", e.status, e.about(stack), e.curl(stack.URL(), stack.BearerHeader()))
	}
	b.WriteString(revokeLines(stack))
	b.WriteString(keyLines(stack))
	fmt.Fprintf(&b, "AWS CLI and authctl: . %s\nCtrl-C stops everything\n", quoted(stack.EnvPath()))
	if stack.Exposed() {
		fmt.Fprintf(&b, "\nlistening beyond this machine: whoever reaches it can make any token\n")
	}
	s.print(b.String())
}

// revokeLines revoke a token and show it refused. They are for a subshell:
// made-up AWS credentials must not stay in the user's. Without the file of
// these they run nothing, for the user's own would count.
func revokeLines(stack *local.Stack) string {
	const stage = "rest-token"
	refused := example{method: http.MethodGet, path: "/" + stage + "/items", token: "READ"}
	if !stack.Revocable() || refused.closed(stack) {
		return ""
	}
	dir := filepath.Dir(stack.EnvPath())
	return fmt.Sprintf("  # 401: the same token once it is revoked; this waits until that is in force\n"+
		"  (. %s && echo \"$READ\" | %s revoke token --config %s --reason stolen --flush rest:$REST_TOKEN_API_ID/%s)\n  %s\n\n",
		quoted(stack.EnvPath()), quoted(filepath.Join(dir, "authctl")), quoted(filepath.Join(dir, "stages", stage, "authorizer.yaml")), stage,
		refused.curl(stack.URL(), stack.BearerHeader()))
}

// keyLines are about the keys that a configuration asked for. The default one
// asks for none.
func keyLines(stack *local.Stack) string {
	var b strings.Builder
	k := stack.Keys()
	if k.APIKey != "" {
		fmt.Fprintf(&b, "  API_KEY=%s\n", k.APIKey)
	}
	if k.APIKeyRoute != "" {
		fmt.Fprintf(&b, "  # 200: an API key, made anew at each start\n  curl -i %s -H \"%s: $API_KEY\"\n\n",
			quoted(stack.URL()+"/rest"+strings.TrimPrefix(k.APIKeyRoute, "GET ")), k.APIKeyHeader)
	}
	if k.SigningRoute != "" {
		fmt.Fprintf(&b, "  # 200: a signed request\n  (. %s && echo \"$SIGNING_KEY\" | %s sign --key-id $SIGNING_KEY_ID --url %s 2>/dev/null | sh)\n\n",
			quoted(stack.EnvPath()), quoted(filepath.Join(filepath.Dir(stack.EnvPath()), "authctl")),
			quoted(stack.URL()+"/rest"+strings.TrimPrefix(k.SigningRoute, "GET ")))
	}
	return b.String()
}

func state(stage *local.Stage) string {
	switch {
	case stage.Closed != "":
		first, more, _ := strings.Cut(stage.Closed, "\n")
		if more != "" {
			first += fmt.Sprintf("\n%49s(and %d more lines like this)", "", 1+strings.Count(more, "\n"))
		}
		return "closed: " + first
	case stage.TTL > 0:
		return fmt.Sprintf("results cached %s", stage.TTL)
	case stage.Kind == gateway.WebSocket:
		return "never cached"
	}
	return "not cached"
}

// tokens are what the examples use, in variables of the user's shell.
var tokens = []struct{ name, scope string }{
	{"READ", "items:read"},
	{"WRITE", "items:read items:write"},
}

// example is a request worth trying.
type example struct {
	status       int
	says         string
	method, path string
	token        string // its name; empty: no token
	body         string
}

// examples are shown in this order, which works when pasted as a whole.
var examples = []example{
	{201, "a token that may write", http.MethodPost, "/rest/items", "WRITE", `{"name":"first"}`},
	{200, "one that may read", http.MethodGet, "/rest-token/items", "READ", ""},
	{401, "no token", http.MethodGet, "/http/items", "", ""},
	{403, "a token whose scopes do not reach", http.MethodPost, "/http/items", "READ", `{"name":"second"}`},
}

// closed tells that the example's stage did not start.
func (e example) closed(stack *local.Stack) bool {
	return slices.ContainsFunc(stack.Stages(), func(stage *local.Stage) bool {
		return stage.Closed != "" && strings.HasPrefix(e.path, "/"+stage.Name+"/")
	})
}

func tokenLine(url, name, scope string) string {
	return fmt.Sprintf("%s=$(curl -s '%s/oidc/token?scope=%s')", name, url, strings.ReplaceAll(scope, " ", "+"))
}

// about says what the example shows on this stack.
func (e example) about(stack *local.Stack) string {
	for _, stage := range stack.Stages() {
		if stage.TTL > 0 && strings.HasPrefix(e.path, "/"+stage.Name+"/") {
			return e.says + "; the second time API Gateway answers from its cache"
		}
	}
	return e.says
}

// quoted is a word that a shell takes as it is.
func quoted(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_/.:=@%+,-]+$`)

// curl sends the token in the header that the configuration reads.
func (e example) curl(url, header string) string {
	line := "curl -i"
	if e.method != http.MethodGet {
		line += " -X " + e.method
	}
	line += " " + url + e.path
	if e.token != "" {
		line += fmt.Sprintf(` -H "%s: Bearer $%s"`, header, e.token)
	}
	if e.body != "" {
		line += fmt.Sprintf(" -H 'Content-Type: application/json' -d '%s'", e.body)
	}
	return line
}

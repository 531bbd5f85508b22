package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/revocation"
)

const bulkConfig = `
tables: {revocations: "${TABLE}"}
issuers: [{name: main, issuer: https://idp.example.com/, audiences: [https://api.example.com]}]
routes: [{route: GET /items, require: [{jwt: {}}]}]
`

// operator runs authctl as a process in a directory of its own.
type operator struct {
	t     *testing.T
	dir   string
	stand *stand
}

func newOperator(t *testing.T, s *stand, config string) *operator {
	t.Helper()
	t.Cleanup(s.aws.Close)
	if err := s.createTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := &operator{t: t, dir: t.TempDir(), stand: s}
	o.write("authorizer.yaml", config)
	return o
}

func (o *operator) write(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *operator) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(o.t.Context(), "authctl", args...)
	cmd.Dir = o.dir
	cmd.Env = os.Environ()
	for name, value := range o.stand.environment() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// runs runs authctl and returns what it said, and fails unless it ends with
// that status.
func (o *operator) runs(status int, stdin string, args ...string) (stdout, stderr string) {
	o.t.Helper()
	var out, errs bytes.Buffer
	cmd := o.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if ended := new(exec.ExitError); err != nil && !errors.As(err, &ended) {
		o.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		o.t.Fatalf("authctl %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// says fails unless every pattern matches a line of text.
func says(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(`(?m)` + p).MatchString(text) {
			t.Errorf("nothing matches %q in\n%s", p, text)
		}
	}
}

// inTable are the values of all entries.
func (o *operator) inTable() map[string]bool {
	o.t.Helper()
	store, err := revocation.NewStore(o.stand.server.Client(), o.stand.table, revocation.Options{})
	if err != nil {
		o.t.Fatal(err)
	}
	have := make(map[string]bool)
	for e, err := range store.List(o.t.Context(), revocation.Filter{}) {
		if err != nil {
			o.t.Fatal(err)
		}
		have[e.Value] = true
	}
	return have
}

// killed starts a command and kills it once its state file says that so many
// entries are settled.
func (o *operator) killed(after int, args ...string) {
	o.t.Helper()
	cmd := o.command(args...)
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	next := regexp.MustCompile(`"next":(\d+)`)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		state, _ := os.ReadFile(filepath.Join(o.dir, "leaked.csv.authctl-state"))
		done := next.FindAllSubmatch(state, -1)
		if len(done) > 0 && len(done[len(done)-1][1]) >= len(fmt.Sprint(after)) {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		o.t.Fatalf("it had ended before it could be killed: %v", err)
	}
	_ = cmd.Wait() // ends with the kill
	if cmd.ProcessState.Exited() {
		o.t.Fatalf("it had ended with status %d before it could be killed", cmd.ProcessState.ExitCode())
	}
}

// bulkLines is more in make soak.
var bulkLines = flag.Int("bulk-lines", 10_000, "lines of the large bulk, at least 10,000")

func TestBulkOfManySurvivesAKillAndResumes(t *testing.T) {
	t.Parallel()
	all := *bulkLines
	o := newOperator(t, newStand(startDynamo(t)), bulkConfig)
	var input strings.Builder
	input.WriteString("token,kind\n")
	for i := range all {
		kind := "token"
		if i == 10 || i == all-1 {
			kind = "tokens"
		}
		fmt.Fprintf(&input, "%s,%s\n", tokenOf([]string{fmt.Sprintf("jti=t%d", i)}), kind)
	}
	o.write("leaked.csv", input.String())
	revoke := []string{"revoke", "--file", "leaked.csv", "--rate", "4000", "--reason", "incident 42"}
	o.killed(1000, revoke...)
	state, err := os.ReadFile(filepath.Join(o.dir, "leaked.csv.authctl-state"))
	if err != nil || strings.Contains(string(state), "eyJ") {
		t.Errorf("%v: the state file is %s", err, state)
	}
	before := len(o.inTable())
	if before < 1000 || before > all-1000 {
		t.Fatalf("%d entries in the table after the kill: it was not in the middle", before)
	}

	// It goes on only where it was.
	_, stderr := o.runs(2, "", "revoke", "--file", "leaked.csv", "--reason", "another")
	says(t, stderr, "was left by another run, authctl revoke with other flags or another table")
	_, stderr = o.runs(2, "", "restore", "--file", "leaked.csv")
	says(t, stderr, "was left by another run")
	o.write("leaked.csv", strings.Replace(input.String(), ",token\n", ",subject\n", 1))
	_, stderr = o.runs(2, "", revoke...)
	says(t, stderr, `the input has changed since the run that stopped after line \d+: to begin anew, give --restart`)
	o.write("leaked.csv", input.String())

	stdout, stderr := o.runs(1, "", revoke...)
	if strings.Contains(stdout+stderr, "eyJ") {
		t.Errorf("a token was printed:\n%s%s", stdout, stderr)
	}
	says(t, stderr, `^going on after line \d{4,}, where an earlier run stopped$`, "^authctl: 2 entries failed")
	says(t, stdout, fmt.Sprintf(`^input +leaked.csv: %d,%03d entries$`, all/1000, all%1000), fmt.Sprintf(`^failed +lines 12, %d: kind is missing`, all+1))
	have := o.inTable()
	for i := range all {
		if name := fmt.Sprintf("t%d", i); have[name] == (i == 10 || i == all-1) {
			t.Errorf("%s in the table: %v", name, have[name])
		}
	}
	if _, err := os.Stat(filepath.Join(o.dir, "leaked.csv.authctl-state")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state file is still there: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(o.dir, "*")); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBulkFromStandardInputGoesOnAtALine(t *testing.T) {
	t.Parallel()
	o := newOperator(t, newStand(startDynamo(t)), bulkConfig)
	const input = "value\n\"two\nlines\"\nb\nc\n"
	bulk := []string{"revoke", "subject", "--file", "-", "--format", "csv"}
	stdout, _ := o.runs(0, input, append(bulk, "--resume-from", "4")...)
	says(t, stdout, "^revoked +2$")
	if diff := cmp.Diff(map[string]bool{"b": true, "c": true}, o.inTable()); diff != "" {
		t.Errorf("in the table (-want +got):\n%s", diff)
	}
	_, stderr := o.runs(2, input, append(bulk, "--resume-from", "9")...)
	says(t, stderr, "the input ends before line 9")

	// A state file of one's own, and an empty one says nothing.
	o.write("go.state", "")
	stdout, _ = o.runs(0, input, append(bulk, "--state", "go.state")...)
	says(t, stdout, "^revoked +1$", "^revoked already +2$")
	if _, err := os.Stat(filepath.Join(o.dir, "go.state")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state file is still there: %v", err)
	}
}

func TestBulkKeepsToItsRate(t *testing.T) {
	t.Parallel()
	o := newOperator(t, newStand(startDynamo(t)), bulkConfig)
	o.write("some.csv", "value\n"+strings.Repeat("x\n", 3)+"a\nb\nc\n")
	began := time.Now()
	o.runs(0, "", "revoke", "subject", "--file", "some.csv", "--rate", "5")
	// Six writes or conditions that fail, the first at once.
	if took := time.Since(began); took < 600*time.Millisecond {
		t.Errorf("took %s at 5 writes a second", took)
	}
}

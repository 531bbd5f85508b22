package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/revocation"
)

const bulkConfig = `
tables: {revocations: none}
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
	cmd := exec.CommandContext(o.t.Context(), "authctl", append(args, "--table", o.stand.table)...)
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

func TestBulkOfTenThousandSurvivesAKillAndResumes(t *testing.T) {
	t.Parallel()
	const all = 10_000
	o := newOperator(t, newStand(startDynamo(t)), bulkConfig)
	var input strings.Builder
	input.WriteString("kind,value,issuer\n")
	for i := range all {
		kind := "token"
		if i == 10 || i == all-1 {
			kind = "tokens"
		}
		fmt.Fprintf(&input, "%s,t%d,main\n", kind, i)
	}
	o.write("leaked.csv", input.String())
	revoke := []string{"revoke", "--file", "leaked.csv", "--rate", "4000", "--reason", "incident 42"}
	o.killed(1000, revoke...)
	before := len(o.inTable())
	if before < 1000 || before > all-1000 {
		t.Fatalf("%d entries in the table after the kill: it was not in the middle", before)
	}

	// It goes on only where it was.
	_, stderr := o.runs(2, "", "revoke", "--file", "leaked.csv", "--reason", "another")
	says(t, stderr, "was left by another run, authctl revoke with other flags or another table")
	_, stderr = o.runs(2, "", "restore", "--file", "leaked.csv")
	says(t, stderr, "was left by another run")
	o.write("leaked.csv", strings.Replace(input.String(), "t5,", "t5x,", 1))
	_, stderr = o.runs(2, "", revoke...)
	says(t, stderr, `the input has changed since the run that stopped after line \d+: to begin anew, give --restart`)
	o.write("leaked.csv", input.String())

	stdout, stderr := o.runs(1, "", revoke...)
	says(t, stderr, `^going on after line \d{4}, where an earlier run stopped$`, "^authctl: 2 entries failed")
	says(t, stdout, `^input +leaked.csv: 10,000 entries$`, `^failed +lines 12, 10001: kind is missing`)
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

func TestJournalForgetsWhatAKillCutOff(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.state")
	o := origin{Command: "revoke", Table: "t", Flags: "f", Started: time.Unix(1_800_000_000, 0).UTC()}
	j, err := openJournal(path, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	first := point{Next: 7, Line: 8, Sum: "s", counts: counts{Created: 6, Failed: 1}}
	j.settled(first, &failure{8, "no good"}, now, true)
	j.pending.WriteString(`{"failed":{"line":9,"error":"written, and its entry not yet settled"}}` + "\n" + `{"done":{"next":9`)
	_, _ = j.file.Write(j.pending.Bytes())
	j.close(false)

	for range 2 { // what is rewritten reads the same
		l, err := readJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		want := left{origin: o, point: first, failures: []failure{{8, "no good"}}}
		if diff := cmp.Diff(want, *l, cmp.AllowUnexported(left{}, point{})); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		again, err := openJournal(path, o, l)
		if err != nil {
			t.Fatal(err)
		}
		again.close(false)
	}
}

func TestStateFileThatIsNoneIsNotTouched(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(path, []byte("Dear Bob,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readJournal(path); err == nil || !strings.Contains(err.Error(), "is no state file") {
		t.Errorf("readJournal = %v", err)
	}
}

func TestProgressFitsTheTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	began := time.Unix(1_800_000_000, 0)
	p := &progress{tool: &tool{err: &out}, width: 50, total: 10_000, began: began, from: 1000}
	p.show(point{Next: 4213, Line: 4214, counts: counts{Failed: 3}}, began.Add(10*time.Second))
	const want = "\r\x1b[K[########............]  42% 4,213 of 10,000 done,"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	p.width = 0
	p.show(point{Next: 9000, Line: 9001, counts: counts{Failed: 3}}, began.Add(20*time.Second))
	if got := out.String(); got != "9,000 of 10,000 done, up to line 9001, 400/s, 3s left, 3 failed\n" {
		t.Errorf("%q", got)
	}
}

func TestRangesOfLines(t *testing.T) {
	t.Parallel()
	for want, numbers := range map[string][]int{
		"": nil, "3": {3}, "3-4": {3, 4}, "3, 7-9, 11": {3, 7, 8, 9, 11},
	} {
		if got := ranges(numbers); got != want {
			t.Errorf("ranges(%v) = %q, want %q", numbers, got, want)
		}
	}
}

// complaint is all that may be said about a record that cannot be read.
var complaint = regexp.MustCompile(`^(not a row of CSV|\d+ columns, line 1 names \d+|longer than \d+ bytes|` +
	`not a JSON object on one line, or a field twice|a field that is none of [a-z_, ]+|[a-z_]+ is not a string)$`)

// FuzzBulkInput reads anything: lines ascend, sums differ, nothing of the input
// is quoted, and a second reading says the same.
func FuzzBulkInput(f *testing.F) {
	f.Add("value,reason\na,\"b\nc\"\n\"d\n", true)
	f.Add("{\"kind\":\"token\",\"value\":\"x\"}\n\n[1]\n{\"pk\":1,\"value\":2}", false)
	f.Add("\ufeffvalue\r\nx\r\n", true)
	f.Fuzz(func(t *testing.T, text string, table bool) {
		format := "jsonl"
		if table {
			format = "csv"
		}
		read := func() (all []record) {
			r, err := newReader(strings.NewReader(text), format)
			if err != nil {
				return nil
			}
			return slices.Collect(r.records())
		}
		first := read()
		sums := make(map[[32]byte]bool)
		line := 0
		for _, r := range first {
			if r.line < line || r.line > strings.Count(text, "\n")+1 {
				t.Fatalf("line %d after line %d", r.line, line)
			}
			if r.err != nil && !complaint.MatchString(r.err.Error()) {
				t.Fatalf("complains %q", r.err)
			}
			if sums[r.sum] {
				t.Fatalf("line %d: a sum twice", r.line)
			}
			line, sums[r.sum] = r.line, true
		}
		if second := read(); len(second) != len(first) || len(first) > 0 && second[len(first)-1].sum != first[len(first)-1].sum {
			t.Fatal("the second reading differs")
		}
	})
}

// FuzzJournal reads any state file.
func FuzzJournal(f *testing.F) {
	f.Add([]byte("{\"command\":\"revoke\"}\n{\"failed\":{\"line\":1}}\n{\"done\":{\"next\":3}}\n"))
	path := filepath.Join(f.TempDir(), "state")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := readJournal(path); err == nil && l != nil && (l.point.Next < 1 || l.origin.Command == "") {
			t.Fatalf("%+v", l)
		}
	})
}

func TestReaderThatFailsIsNoEndOfTheInput(t *testing.T) {
	t.Parallel()
	broken := errors.New("unplugged")
	for _, format := range []string{"jsonl", "csv"} {
		in := io.MultiReader(strings.NewReader("value\nx\n"), failingReader{broken})
		r, err := newReader(in, format)
		if err != nil {
			t.Fatal(err)
		}
		for range r.records() {
		}
		if !errors.Is(r.err, broken) {
			t.Errorf("%s: %v", format, r.err)
		}
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

package main

import (
	"bytes"
	"errors"
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

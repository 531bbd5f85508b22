package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
)

// failures are the records that could not be done, by what was wrong.
type failures struct {
	count int
	texts []string
	lines map[string][]int
}

func (f *failures) add(one failure) {
	if f.lines == nil {
		f.lines = make(map[string][]int)
	}
	if f.lines[one.Error] == nil {
		f.texts = append(f.texts, one.Error)
	}
	f.lines[one.Error] = append(f.lines[one.Error], one.Line)
	f.count++
}

// failures tells all of them, briefly: lines 3, 7-9: what is wrong.
func (a *answer) failures(f failures) {
	type group struct {
		Lines []int  `json:"lines"`
		Error string `json:"error"`
	}
	groups := []group{}
	for _, text := range f.texts {
		groups = append(groups, group{f.lines[text], text})
		word := "line"
		if len(f.lines[text]) > 1 {
			word = "lines"
		}
		a.row("failed", "%s %s: %s", word, ranges(f.lines[text]), clean(text))
	}
	a.doc["failures"] = groups
}

// ranges writes ascending numbers as in 3, 7-9.
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		part := strconv.Itoa(numbers[i])
		if j > i {
			part += "-" + strconv.Itoa(numbers[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

func (b *bulk) input() string {
	if b.flags.file == "-" {
		return "standard input"
	}
	return clean(b.flags.file)
}

// report is the summary of a bulk that has come to its end.
func (b *bulk) report(ctx context.Context, gates []gate) error {
	s, now := b.lines.settings, b.tool.now()
	if !b.lines.restore {
		s.limits("")
	}
	a := newAnswer(b.command, s.notes)
	a.doc["entries"], a.doc["counts"] = b.at.Next, b.at.counts
	a.row("input", "%s: %s", b.input(), plural(b.at.Next, "entry", "entries"))
	for _, c := range []struct {
		word string
		n    int
	}{
		{"revoked", b.at.Created}, {"extended", b.at.Extended}, {"revoked already", b.at.Kept},
		{"expired already", b.at.Expired}, {"restored", b.at.Deleted}, {"not there", b.at.Absent},
	} {
		if c.n > 0 {
			a.row(c.word, "%s", thousands(c.n))
		}
	}
	a.failures(b.failures)
	until := s.bound(now)
	a.doc["in_force"] = until.document()
	a.row("in force", "%s", until)
	b.tool.show(a)
	err := b.tool.flushAndFinish(ctx, b.account, a, gates, s, until, now)
	if err == nil && b.failures.count > 0 {
		err = refused("%s failed: correct them and run the same command again; what is done already stays", plural(b.failures.count, "entry", "entries"))
	}
	if b.journal.broken {
		fmt.Fprintf(b.tool.err, "note: the state file could not be written all the time\n")
	}
	return err
}

// progress shows how far a bulk has come: a bar on a terminal, else a line now
// and then.
type progress struct {
	tool     *tool
	width    int // of the terminal; 0: none
	total    int // 0: not known
	began    time.Time
	from     int
	shown    time.Time
	anything bool
}

func newProgress(t *tool, sv *survey, from int) *progress {
	p := &progress{tool: t, began: t.now(), from: from}
	p.shown = p.began
	if sv != nil {
		p.total = sv.records
	}
	if f, ok := t.err.(*os.File); ok && onTerminal(f) {
		p.width, _, _ = term.GetSize(int(f.Fd()))
		p.width = max(p.width, 40)
	}
	return p
}

// How often progress is shown.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

func (p *progress) show(at point, now time.Time) {
	wait := lineEvery
	if p.width > 0 {
		wait = barEvery
	}
	if now.Sub(p.shown) < wait {
		return
	}
	p.shown = now
	text := p.text(at, now)
	if p.width == 0 {
		fmt.Fprintln(p.tool.err, text)
		return
	}
	p.anything = true
	text = p.bar(at.Next) + text
	fmt.Fprintf(p.tool.err, "\r\x1b[K%s", text[:min(len(text), p.width-1)])
}

func (p *progress) bar(done int) string {
	const cells = 20
	if p.total == 0 {
		return ""
	}
	full := min(done*cells/p.total, cells)
	return fmt.Sprintf("[%s%s] %3d%% ", strings.Repeat("#", full), strings.Repeat(".", cells-full), min(done*100/p.total, 100))
}

func (p *progress) text(at point, now time.Time) string {
	text := thousands(at.Next)
	if p.total > 0 {
		text += " of " + thousands(p.total)
	}
	text += fmt.Sprintf(" done, up to line %d", at.Line)
	if spent := now.Sub(p.began).Seconds(); spent > 0 {
		rate := float64(at.Next-p.from) / spent
		text += fmt.Sprintf(", %.0f/s", rate)
		if p.total > 0 && rate > 0 {
			text += fmt.Sprintf(", %s left", time.Duration(float64(p.total-at.Next)/rate*float64(time.Second)).Round(time.Second))
		}
	}
	if at.Failed > 0 {
		text += fmt.Sprintf(", %s failed", thousands(at.Failed))
	}
	return text
}

// end clears the bar.
func (p *progress) end() {
	if p.anything {
		fmt.Fprint(p.tool.err, "\r\x1b[K")
	}
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

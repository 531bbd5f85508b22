package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"lambda-authorizer/revocation"
)

// survey is what a file holds, found out before anything is written.
type survey struct {
	records  int
	kinds    map[revocation.Kind]int
	failures failures
}

// survey reads the input once, where it can be read again, and asks about what
// locks out many.
func (b *bulk) survey() error {
	if _, err := os.Stat(b.flags.file); b.flags.file != "-" && err != nil {
		return usage("the input cannot be read: %v", err)
	}
	if !b.rereadable() && !b.flags.dryRun {
		return nil
	}
	in, err := b.open()
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := newReader(in, b.flags.format)
	if err != nil {
		return err
	}
	sv := &survey{kinds: make(map[revocation.Kind]int)}
	all := *b.lines
	all.broad = true
	for rec := range r.records() {
		sv.records++
		e, err := all.entry(rec)
		if err == nil {
			err = all.writable(e)
		}
		if err != nil {
			sv.failures.add(failure{rec.line, shown(err.Error())})
			continue
		}
		sv.kinds[e.Kind]++
	}
	if r.err != nil {
		return failed("the input cannot be read: %v", r.err)
	}
	b.size = sv
	return b.confirm()
}

func (b *bulk) confirm() error {
	if b.lines.restore || b.flags.dryRun {
		return nil
	}
	var many []string
	for _, k := range []revocation.Kind{revocation.KindClient, revocation.KindKey, revocation.KindIssuer} {
		if n := b.size.kinds[k]; n > 0 {
			many = append(many, fmt.Sprintf("%d of kind %s", n, wordOf(k)))
		}
	}
	if many == nil {
		return nil
	}
	if err := b.tool.confirm(b.flags.yes, "the file revokes whole issuers, clients or keys: "+strings.Join(many, ", ")); err != nil {
		return err
	}
	b.lines.broad = true
	return nil
}

func (b *bulk) dryRun() error {
	a := newAnswer(b.command, b.lines.settings.notes)
	a.doc["dry_run"], a.doc["entries"], a.doc["kinds"] = true, b.size.records, b.size.kinds
	a.row("input", "%s: %s", b.input(), plural(b.size.records, "entry", "entries"))
	for _, k := range slices.Sorted(maps.Keys(b.size.kinds)) {
		a.row("would "+b.command, "%s of kind %s", thousands(b.size.kinds[k]), wordOf(k))
	}
	a.failures(b.size.failures)
	if err := b.tool.finish(a); err != nil {
		return err
	}
	if b.size.failures.count > 0 {
		return refused("%s cannot be read: correct the input first", plural(b.size.failures.count, "entry", "entries"))
	}
	return nil
}

// resume skips what an earlier run has settled. It returns the first record to
// do, where it had to look at that one.
func (b *bulk) resume(next func() (record, bool)) (*record, error) {
	o := b.origin()
	var before *left
	if b.flags.state != "" && !b.flags.restart && b.flags.resumeFrom == 0 {
		var err error
		if before, err = readJournal(b.flags.state); err != nil {
			return nil, err
		}
	}
	var first *record
	var err error
	switch {
	case before != nil:
		err = b.goOn(o, before, next)
	case b.flags.resumeFrom > 1:
		first, err = b.skipTo(b.flags.resumeFrom, next)
	}
	if err != nil {
		return nil, err
	}
	b.journal, err = openJournal(b.flags.state, o, before)
	return first, err
}

// goOn takes up where the state file ends, if it is about this very input.
func (b *bulk) goOn(o origin, before *left, next func() (record, bool)) error {
	if !o.same(before.origin) {
		return usage("%s was left by another run, authctl %s with other flags or another table, or for another Region, account, endpoint or issuer: finish that one, or give --restart", b.flags.state, before.origin.Command)
	}
	var sum string
	for range before.point.Next {
		r, ok := next()
		if !ok {
			break
		}
		sum = hex.EncodeToString(r.sum[:])
	}
	if sum != before.point.Sum {
		return usage("the input has changed since the run that stopped after line %d: to begin anew, give --restart; what is done already stays", before.point.Line)
	}
	b.at, b.skipped, b.lines.began = before.point, before.point.Next, before.origin.Started
	for _, f := range before.failures {
		b.failures.add(f)
	}
	if b.skipped > 0 {
		fmt.Fprintf(b.tool.err, "going on after line %d, where an earlier run stopped\n", b.at.Line)
	}
	return nil
}

// skipTo finds the first record that begins on a line or after it.
func (b *bulk) skipTo(line int, next func() (record, bool)) (*record, error) {
	for {
		r, ok := next()
		if !ok {
			return nil, usage("the input ends before line %d", line)
		}
		if r.line >= line {
			return &r, nil
		}
		b.skipped++
		b.at.Next, b.at.Line, b.at.Sum = b.skipped, r.line, hex.EncodeToString(r.sum[:])
	}
}

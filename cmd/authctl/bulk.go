package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"lambda-authorizer/revocation"
)

// bulkFlags are the flags of revoke and restore that go with --file.
type bulkFlags struct {
	file, format, state string
	rate, resumeFrom    int
	restart             bool
}

const (
	// One partition of the table's index takes 1,000 writes a second (package
	// revocation), and the authorizers' traffic must not notice.
	defaultRate = 500
	// DynamoDB's own first limit of a table.
	maxRate = 40_000
)

func (f *bulkFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "file", "", "many, from a `file`; - is standard input")
	c.Flags().StringVar(&f.format, "format", "", "jsonl or csv (default: as the file is called)")
	c.Flags().IntVar(&f.rate, "rate", defaultRate, "at most so many `writes` a second")
	c.Flags().StringVar(&f.state, "state", "", "the `file` that notes progress, or none (default: beside --file)")
	c.Flags().IntVar(&f.resumeFrom, "resume-from", 0, "begin at this `line` of the input")
	c.Flags().BoolVar(&f.restart, "restart", false, "begin anew, whatever the state file says")
}

// unused complains of flags that would do nothing.
func (f *bulkFlags) unused(c *cobra.Command) error {
	for _, name := range []string{"format", "rate", "state", "resume-from", "restart"} {
		if c.Flags().Changed(name) {
			return usage("--%s goes with --file", name)
		}
	}
	return nil
}

// bulk is one run over a file.
type bulk struct {
	tool    *tool
	flags   revokeFlags
	command string
	lines   *lines
	store   *revocation.Store
	account *account
	size    *survey // of a file that can be read twice

	journal  *journal
	progress *progress
	skipped  int // records that an earlier run has settled

	mu    sync.Mutex
	marks map[int]mark // of records under way, by index

	at       point // what is settled
	failures failures
}

// mark is what a record leaves for when it is settled.
type mark struct {
	line int
	sum  string
}

func (t *tool) runBulk(c *cobra.Command, args []string, f revokeFlags, restore bool) error {
	b, gates, err := t.newBulk(c, args, f, restore)
	if err != nil {
		return err
	}
	if f.dryRun {
		return b.dryRun()
	}
	if err := b.reach(c.Context()); err != nil {
		return err
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
	next, stop := iter.Pull(r.records())
	defer stop()
	first, err := b.resume(next)
	if err != nil {
		return err
	}
	ran := b.run(c.Context(), first, next)
	if ran == nil {
		ran = r.err
	}
	b.journal.settled(b.at, nil, t.now(), true)
	b.journal.close(ran == nil)
	b.progress.end()
	if ran != nil {
		return b.stopped(ran)
	}
	return b.report(c.Context(), gates)
}

// newBulk checks everything that can be checked before the first write.
func (t *tool) newBulk(c *cobra.Command, args []string, f revokeFlags, restore bool) (*bulk, []gate, error) {
	b := &bulk{tool: t, flags: f, command: "revoke", marks: make(map[int]mark)}
	if restore {
		b.command = "restore"
	}
	if err := b.checkFlags(c, args); err != nil {
		return nil, nil, err
	}
	s, err := t.settings(c, f.place)
	if err != nil {
		return nil, nil, err
	}
	gates, err := gatesOf(f.flush, s)
	if err != nil {
		return nil, nil, err
	}
	b.lines = &lines{settings: s, flags: f, began: t.now(), now: t.now, restore: restore, broad: f.yes}
	if len(args) == 1 {
		b.lines.kind = args[0]
	}
	if err := b.survey(); err != nil {
		return nil, nil, err
	}
	if b.store, b.account, err = t.store(c.Context(), f.place, s); err != nil {
		return nil, nil, err
	}
	if !restore && !f.dryRun {
		if b.lines.by, err = b.account.revoker(c.Context(), f.by); err != nil {
			return nil, nil, err
		}
	}
	return b, gates, nil
}

func (b *bulk) checkFlags(c *cobra.Command, args []string) error {
	f := &b.flags
	switch {
	case len(args) > 1:
		return usage("with --file the ids are in the file: give no id")
	case f.token != "":
		return usage("with --file the tokens are in the file, in its field token: leave --token out")
	case f.rate < 1 || f.rate > maxRate:
		return usage("--rate is from 1 to %d writes a second", maxRate)
	case f.resumeFrom < 0:
		return usage("--resume-from is a line of the input, from 1")
	case f.resumeFrom > 0 && f.restart:
		return usage("--restart begins with the first line: leave --resume-from out")
	}
	if len(args) == 1 {
		if _, ok := kindOf(args[0]); !ok {
			return usage("the first word is one of %s", strings.Join(kindWords(), ", "))
		}
	}
	// What --before and --ttl say is checked once, not line by line.
	probe := &target{key: revocation.Key{Kind: revocation.KindSubject}}
	if _, err := f.notBefore(probe.key.Kind, probe.issuer, b.tool.now()); err != nil {
		return err
	}
	if _, _, err := f.expiry(probe, b.tool.now()); err != nil {
		return err
	}
	return b.chooseFormat()
}

func (b *bulk) chooseFormat() error {
	f := &b.flags
	if f.format == "" {
		switch strings.ToLower(filepath.Ext(f.file)) {
		case ".csv":
			f.format = "csv"
		case ".jsonl", ".ndjson", ".json":
			f.format = "jsonl"
		}
	}
	if f.format != "jsonl" && f.format != "csv" {
		return usage("the input's format is not known: give --format jsonl or --format csv")
	}
	switch {
	case f.state == "none":
		f.state = ""
	case f.state == "" && b.rereadable():
		f.state = f.file + ".authctl-state"
	}
	return nil
}

// rereadable tells a file from standard input and pipes.
func (b *bulk) rereadable() bool {
	info, err := os.Stat(b.flags.file)
	return b.flags.file != "-" && err == nil && info.Mode().IsRegular()
}

func (b *bulk) open() (io.ReadCloser, error) {
	if b.flags.file == "-" {
		return io.NopCloser(b.tool.in), nil
	}
	in, err := os.Open(b.flags.file)
	if err != nil {
		return nil, usage("the input cannot be read: %v", err)
	}
	return in, nil
}

// origin is this run for the state file, which holds no text of the flags:
// somebody may have pasted a token into a reason.
func (b *bulk) origin() origin {
	f := b.flags
	parts := []string{b.lines.kind, f.issuer, f.issuerURL, f.before, f.ttl, f.reason, b.account.dynamo}
	for _, i := range b.lines.settings.issuers() {
		parts = append(append(parts, i.Name, i.Issuer), i.Aliases...)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return origin{
		Command: b.command, Table: b.lines.settings.table, Flags: hex.EncodeToString(sum[:]),
		Region: b.account.config.Region, Account: b.account.number,
		Started: b.lines.began.UTC().Truncate(time.Second),
	}
}

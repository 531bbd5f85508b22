package main

import (
	"bufio"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lambda-authorizer/revocation"
)

// listFlags are the flags of list.
type listFlags struct {
	place
	kinds                        []string
	issuer, reason, since, until string
	expired                      bool
	limit                        int
}

// tableLimit is how many entries a table shows unless asked for more: a table
// is for looking, JSON for keeping.
const tableLimit = 100

func (t *tool) list() *cobra.Command {
	var f listFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "list what is revoked: who did it, when and why",
		Long: `List shows the entries in force kind by kind, the newest first. With --output
json it prints one entry per line, all of them: the audit export, which
authctl revoke --file and restore --file take as it is.

An item that was written by hand without kind and revoked_at revokes and is not
listed: authctl check finds it.`,
		Example: `  authctl list --kind subject --since 24h
  authctl list --reason "incident 42" --output json
  authctl list --expired --until 2026-11-01T00:00:00Z --limit 0`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.runList(c, f) },
	}
	f.place.flags(c)
	c.Flags().StringSliceVar(&f.kinds, "kind", nil, "only these `kinds`: "+strings.Join(kindWords(), ", "))
	c.Flags().StringVar(&f.issuer, "issuer", "", "only entries of this issuer: a configured `name`, or iss")
	c.Flags().StringVar(&f.reason, "reason", "", "only entries whose reason holds this `text`")
	c.Flags().StringVar(&f.since, "since", "", "only entries revoked since `TIME`: a time, or how long ago")
	c.Flags().StringVar(&f.until, "until", "", "only entries revoked until `TIME`")
	c.Flags().BoolVar(&f.expired, "expired", false, "entries that have ended too, for as long as the table has them")
	c.Flags().IntVar(&f.limit, "limit", tableLimit, "at most so `many`; 0 is all, which is the default for JSON")
	return c
}

func (t *tool) runList(c *cobra.Command, f listFlags) error {
	s, err := t.settings(c, f.place)
	if err != nil {
		return err
	}
	filter, err := f.filter(s, t.now())
	if err != nil {
		return err
	}
	if t.json && !c.Flags().Changed("limit") {
		f.limit = 0
	}
	if f.limit < 0 {
		return usage("--limit is 0 or more")
	}
	store, _, err := t.store(c.Context(), f.place, s)
	if err != nil {
		return err
	}
	out := t.lister(s)
	shown, more := 0, false
	for e, err := range store.List(c.Context(), filter) {
		if err != nil {
			out.close()
			return tableFailure(err)
		}
		if more = f.limit > 0 && shown == f.limit; more {
			break
		}
		shown++
		if err := out.add(e); err != nil {
			return err
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	t.footnotes(s, shown, more)
	return nil
}

func (f listFlags) filter(s *settings, now time.Time) (revocation.Filter, error) {
	filter := revocation.Filter{Reason: f.reason, Expired: f.expired}
	for _, word := range f.kinds {
		k, ok := kindOf(word)
		if !ok {
			return filter, usage("--kind is one of %s, not %s", strings.Join(kindWords(), ", "), clean(word))
		}
		filter.Kinds = append(filter.Kinds, k)
	}
	if f.issuer != "" {
		i, _ := s.byName(f.issuer)
		if i.configured == nil && !strings.Contains(f.issuer, ":") {
			return filter, usage("no issuer is configured as %s: %s", clean(f.issuer), s.known())
		}
		filter.Issuer = i.url
	}
	for flag, at := range map[string]*time.Time{"since": &filter.Since, "until": &filter.Until} {
		text := map[string]string{"since": f.since, "until": f.until}[flag]
		if text == "" {
			continue
		}
		var err error
		if *at, err = pointInTime(flag, text, now); err != nil {
			return filter, err
		}
	}
	return filter, nil
}

// footnotes go to standard error: standard output is the list alone.
func (t *tool) footnotes(s *settings, shown int, more bool) {
	for _, n := range s.notes {
		fmt.Fprintf(t.err, "note: %s\n", n)
	}
	switch {
	case more:
		fmt.Fprintf(t.err, "the first %d are shown, there are more: narrow the list, or give --limit 0\n", shown)
	case shown == 0:
		fmt.Fprintln(t.err, "no entries")
	case shown == 1:
		fmt.Fprintln(t.err, "1 entry")
	default:
		fmt.Fprintf(t.err, "%d entries\n", shown)
	}
	fmt.Fprintln(t.err, "note: items written by hand without kind and revoked_at revoke and are not listed: authctl check finds them")
}

// lister prints entries as they come.
type lister struct {
	settings *settings
	json     bool
	out      *bufio.Writer
	table    *tabwriter.Writer
	rows     int
}

func (t *tool) lister(s *settings) *lister {
	out := bufio.NewWriter(t.out)
	return &lister{settings: s, json: t.json, out: out, table: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
}

// page is how many rows are aligned with one another: a list of a million must
// not wait in memory for its last line.
const page = 500

func (l *lister) add(e revocation.Entry) error {
	if l.json {
		return writeJSON(l.out, e, "")
	}
	if l.rows == 0 {
		l.cells("KIND", "ISSUER", "ID", "REFUSES", "UNTIL", "REVOKED", "BY", "REASON")
	}
	i, _ := l.settings.byURL(e.Issuer)
	name := clean(e.Issuer)
	if i.configured != nil {
		name = i.configured.Name
	}
	refuses := "all"
	if !e.NotBefore.IsZero() {
		refuses = "before " + moment(e.NotBefore)
	}
	until := "restored"
	if !e.ExpiresAt.IsZero() {
		until = moment(e.ExpiresAt)
	}
	kind, id := wordOf(e.Kind), clean(e.Value)
	if e.Kind == "" {
		kind, id, refuses = "?", clean(e.PK), "nothing: not a key that is looked up"
	}
	l.cells(kind, dash(name), dash(id), refuses, until, moment(e.RevokedAt), dash(clean(e.RevokedBy)), clean(e.Reason))
	if l.rows++; l.rows%page == 0 {
		return l.table.Flush()
	}
	return nil
}

func (l *lister) cells(cells ...string) {
	for i, cell := range cells {
		cells[i] = shown(cell)
	}
	// An error stays in the writer until it is flushed.
	_, _ = fmt.Fprintln(l.table, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (l *lister) close() error {
	if err := l.table.Flush(); err != nil {
		return err
	}
	return l.out.Flush()
}

// dash stands for nothing in a column.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

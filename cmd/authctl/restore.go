package main

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"lambda-authorizer/revocation"
)

// restoreFlags are the flags of restore.
type restoreFlags struct {
	selection
	place
	bulkFlags
	flush  []string
	dryRun bool
}

func (t *tool) restore() *cobra.Command {
	var f restoreFlags
	c := &cobra.Command{
		Use:   "restore KIND [ID]",
		Short: "take a revocation back",
		Long: `Restore deletes the entry that revoke wrote, or somebody by hand, shows it, and
says by when that is in force. It takes the same arguments as revoke. What
another entry refuses stays refused: restore names those that it can see.

With --file many are restored. What authctl list --output json prints is such a
file.`,
		Example: `  authctl restore subject alice --issuer main
  authctl restore issuer main
  authctl list --reason "incident 42" --output json >wrong.jsonl
  authctl restore --file wrong.jsonl`,
		RunE: func(c *cobra.Command, args []string) error {
			if f.file != "" {
				bulk := revokeFlags{selection: f.selection, place: f.place, bulkFlags: f.bulkFlags, flush: f.flush, dryRun: f.dryRun}
				return t.runBulk(c, args, bulk, true)
			}
			return t.runRestore(c, args, f)
		},
	}
	targetArgs(c)
	f.selection.flags(c)
	f.place.flags(c)
	f.bulkFlags.flags(c)
	c.Flags().StringArrayVar(&f.flush, "flush", nil, "flush API Gateway's cached answers: rest:`api/stage` or http:api/stage; repeatable")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be deleted, and delete nothing")
	return c
}

func (t *tool) runRestore(c *cobra.Command, args []string, f restoreFlags) error {
	if err := f.bulkFlags.unused(c); err != nil {
		return err
	}
	s, err := t.settings(c, f.place)
	if err != nil {
		return err
	}
	g, err := t.target(args, f.selection, s)
	if err != nil {
		return err
	}
	gates, err := gatesOf(f.flush, s)
	if err != nil {
		return err
	}
	store, acc, err := t.store(c.Context(), f.place, s)
	if err != nil {
		return err
	}
	a := newAnswer("restore", s.notes)
	a.token(g, t.now())
	found, unseen, err := t.takeBack(c.Context(), store, g, f.dryRun, a)
	if err != nil {
		return err
	}
	if !found {
		if err := t.finish(a); err != nil {
			return err
		}
		if unseen != nil {
			return unseen
		}
		return refused("nothing to restore: there is no entry for %s; see authctl check, authctl list", g)
	}
	if f.dryRun {
		return cmp.Or(t.finish(a), unseen)
	}
	b := s.bound(t.now())
	a.doc["in_force"] = b.document()
	a.row("in force", "%s", b)
	t.show(a)
	return cmp.Or(t.flushAndFinish(c.Context(), acc, a, gates, s, b, t.now()), unseen)
}

// takeBack deletes g's entry, or looks at it alone, and tells what still
// refuses g. unseen is why that could not be read: a role may delete and not
// read, and what it has deleted is restored.
func (t *tool) takeBack(ctx context.Context, store *revocation.Store, g *target, dryRun bool, a *answer) (found bool, unseen, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	word, take := "restored", store.Delete
	if dryRun {
		word, take = "would restore", store.Get
	}
	e, found, err := take(ctx, g.key)
	if err != nil {
		return false, nil, tableFailure(err)
	}
	a.doc["found"], a.doc["dry_run"] = found, dryRun
	if found {
		a.doc["entry"] = e
		a.row(word, "%s", g)
		a.entry(e, "")
	}
	others, err := t.find(ctx, store, g)
	if err != nil {
		a.doc["unread"] = tableText(err)
		a.notes = append(a.notes, "what else refuses it could not be read: "+tableText(err))
		done := "it is restored"
		if dryRun {
			done = "nothing was changed"
		}
		if !found {
			done = "there is no entry for it"
		}
		return found, failed("%s, but what else refuses it is not known: see authctl check, with a role that may read the table", done), nil
	}
	var still []string
	for _, o := range others {
		if o.Revokes && o.Entry.PK != e.PK {
			still = append(still, o.Entry.PK)
			a.notes = append(a.notes, "still refused by "+strings.TrimSuffix(clean(o.Entry.PK)+": "+reach(o.Entry), ": "))
		}
	}
	if still != nil {
		a.doc["still_refused_by"] = still
	}
	return found, nil, nil
}

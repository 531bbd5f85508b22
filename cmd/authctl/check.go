package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"lambda-authorizer/revocation"
)

// checkFlags are the flags of check.
type checkFlags struct {
	selection
	place
}

func (t *tool) check() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check KIND [ID]",
		Short: "tell whether something is revoked, by which entry and until when",
		Long: `Check reads the table as the authorizer does and takes the same arguments as
revoke. It sees items that were written by hand, too. A whole token, on standard
input or in --token, is looked up under every name that could revoke it; an id
alone under its own and its issuer's.

The exit status is 0 when nothing revokes it, 1 when something does.`,
		Example: `  authctl check token <token.txt
  authctl check subject alice --issuer main
  authctl check api-key 7f3a9c`,
		RunE: func(c *cobra.Command, args []string) error { return t.runCheck(c, args, f) },
	}
	targetArgs(c)
	f.selection.flags(c)
	f.place.flags(c)
	return c
}

func (t *tool) runCheck(c *cobra.Command, args []string, f checkFlags) error {
	s, err := t.settings(c, f.place)
	if err != nil {
		return err
	}
	g, err := t.target(args, f.selection, s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	store, _, err := t.store(ctx, f.place, s)
	if err != nil {
		return err
	}
	findings, err := t.find(ctx, store, g)
	if err != nil {
		return tableFailure(err)
	}
	a := newAnswer("check", s.notes)
	a.token(g, t.now())
	revoked := a.findings(g, findings, t.now())
	if g.token != nil && g.accepted().Before(t.now()) {
		a.notes = append(a.notes, "the token says that it has expired: "+s.refusedAnyway(g, t.now()))
	}
	if g.token != nil && g.token.KeyID == "" {
		a.notes = append(a.notes, "the token names no key: an entry that revokes the key which signed it was not looked for")
	}
	if g.token == nil && g.key.Kind == revocation.KindToken {
		a.notes = append(a.notes, "only the token's own entry and its issuer's were looked at: give the whole token to look at its session, subject, client and key too")
	}
	if err := t.finish(a); err != nil {
		return err
	}
	if revoked {
		return exit{status: exitRefused}
	}
	return nil
}

// find reads the entries that refuse g, or would if they were in force. Of an
// entry that is for older tokens alone nobody knows here whether it refuses
// the token that is meant, so it does, unless the whole token says otherwise.
func (t *tool) find(ctx context.Context, store *revocation.Store, g *target) ([]revocation.Finding, error) {
	if g.token != nil && g.key.Kind == revocation.KindToken {
		return store.Find(ctx, g.credential())
	}
	keys := []revocation.Key{g.key}
	if ofIssuer(g.key.Kind) && g.key.Kind != revocation.KindIssuer {
		keys = append(keys, revocation.Key{Kind: revocation.KindIssuer, Issuer: g.key.Issuer})
	}
	var out []revocation.Finding
	for _, k := range keys {
		e, found, err := store.Get(ctx, k)
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, revocation.Finding{Entry: e, Revokes: e.InForce(t.now())})
		}
	}
	return out, nil
}

// findings tells what was found, what revokes first.
func (a *answer) findings(g *target, all []revocation.Finding, now time.Time) (revoked bool) {
	for _, f := range all {
		revoked = revoked || f.Revokes
	}
	a.doc["revoked"], a.doc["findings"] = revoked, all
	if all == nil {
		a.doc["findings"] = []revocation.Finding{}
	}
	if revoked {
		a.row("revoked", "%s", g)
	} else {
		a.row("not revoked", "%s", g)
	}
	for _, f := range all {
		if f.Revokes {
			a.entry(f.Entry, "")
		}
	}
	for _, f := range all {
		if f.Revokes {
			continue
		}
		why := "ended at " + moment(f.Entry.ExpiresAt)
		if f.Entry.InForce(now) {
			why = "refuses " + reach(f.Entry)
		}
		a.row("not by", "%s: %s", clean(f.Entry.PK), why)
	}
	return revoked
}

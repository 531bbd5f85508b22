package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lambda-authorizer/revocation"
)

// answer is what revoke, restore and check print: a word and what it is about,
// line by line, and the same as one document for scripts.
type answer struct {
	rows  [][]string
	doc   map[string]any
	notes []string
}

func newAnswer(action string, notes []string) *answer {
	return &answer{doc: map[string]any{"action": action}, notes: notes}
}

func (a *answer) row(name, format string, args ...any) {
	a.rows = append(a.rows, []string{name, fmt.Sprintf(format, args...)})
}

// show prints for people, unless a script gets the document.
func (t *tool) show(a *answer) {
	if t.json {
		return
	}
	t.table(a.rows)
	a.rows = nil
	for _, n := range a.notes {
		t.printf("note: %s\n", n)
	}
	a.notes = nil
}

// finish prints what show has not.
func (t *tool) finish(a *answer) error {
	if !t.json {
		t.show(a)
		return nil
	}
	if a.notes != nil {
		a.doc["notes"] = a.notes
	}
	return writeJSON(t.out, a.doc, "  ")
}

// token tells what was read of a whole token.
func (a *answer) token(g *target, now time.Time) {
	if g.token == nil {
		return
	}
	a.row("read", "%s", saysOf(g.token, now))
	said := map[string]any{
		"issuer": g.token.Issuer, "jti": g.token.ID, "sub": g.token.Subject, "sid": g.token.SessionID,
		"client": g.token.ClientID, "kid": g.token.KeyID, "expires_at": g.token.Expires.UTC(), "signature_checked": false,
	}
	if !g.token.IssuedAt.IsZero() {
		said["issued_at"] = g.token.IssuedAt.UTC()
	}
	a.doc["token"] = said
}

// entry tells an entry. until is why it ends, where somebody knows.
func (a *answer) entry(e revocation.Entry, until string) {
	a.row("entry", "%s", clean(e.PK))
	if r := reach(e); r != "" {
		a.row("refuses", "%s", r)
	}
	switch {
	case e.ExpiresAt.IsZero():
		a.row("until", "restored")
	case until != "":
		a.row("until", "%s: %s", moment(e.ExpiresAt), until)
	default:
		a.row("until", "%s", moment(e.ExpiresAt))
	}
	if e.Reason != "" {
		a.row("reason", "%s", clean(e.Reason))
	}
	if by := byAndAt(e); by != "" {
		a.row("by", "%s", by)
	}
	if e.Unlisted {
		a.row("listed", "no: it was written by hand")
	}
}

// byAndAt is who wrote an entry and when, as far as it says.
func byAndAt(e revocation.Entry) string {
	var parts []string
	if e.RevokedBy != "" {
		parts = append(parts, clean(e.RevokedBy))
	}
	if !e.RevokedAt.IsZero() {
		parts = append(parts, "at "+moment(e.RevokedAt))
	}
	return strings.Join(parts, ", ")
}

// dryRun shows what would be written, and what is there.
func (t *tool) dryRun(ctx context.Context, store *revocation.Store, x *intent, s *settings) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	old, found, err := store.Get(ctx, x.target.key)
	if err != nil {
		return tableFailure(err)
	}
	s.logins(x.entry)
	a := newAnswer("revoke", s.notes)
	a.doc["dry_run"], a.doc["asked"] = true, x.entry
	a.token(x.target, t.now())
	a.row("would revoke", "%s", x.target)
	a.entry(x.entry, x.until)
	if found {
		a.doc["there"] = old
		word := "there now"
		if !old.InForce(t.now()) {
			word = "there, ended"
		}
		a.row(word, "%s", strings.Join(strings.Fields(reach(old)+" "+byAndAt(old)), " "))
	}
	a.row("in force", "nothing was written: run it again without --dry-run")
	return t.finish(a)
}

// words for what Put did.
var outcomeWords = map[revocation.Outcome]string{
	revocation.Created:  "revoked",
	revocation.Extended: "extended",
	revocation.Kept:     "revoked already",
}

// report tells what was written, and flushes.
func (t *tool) report(ctx context.Context, acc *account, r *revoked, gates []gate, s *settings) error {
	x, b := r.intent, s.bound(r.written)
	if r.outcome == revocation.Extended {
		s.note("an entry was there already: what is in force now covers both")
	}
	for _, more := range stronger(x.entry, r.entry) {
		s.note("%s", more)
	}
	s.logins(r.entry)
	a := newAnswer("revoke", s.notes)
	a.doc["outcome"], a.doc["entry"], a.doc["asked"] = r.outcome, r.entry, x.entry
	a.doc["in_force"] = b.document()
	a.token(x.target, t.now())
	a.row(outcomeWords[r.outcome], "%s", x.target)
	until := x.until
	if r.outcome != revocation.Created {
		until = ""
	}
	a.entry(r.entry, until)
	a.row("in force", "%s", b)
	if hint := undo(x.target.key, x.target.issuer, s.given); hint != "" && r.outcome == revocation.Created {
		a.row("undo", "%s", hint)
		a.doc["undo"] = hint
	}
	if len(gates) == 0 && b.Gateway > b.Revocation {
		a.row("sooner", "add --flush rest:<api>/<stage> or --flush http:<api>/<stage>")
	}
	t.show(a)
	return t.flushAndFinish(ctx, acc, a, gates, s, b, r.written)
}

// flushAndFinish flushes what was asked for and prints what is left to print.
func (t *tool) flushAndFinish(ctx context.Context, acc *account, a *answer, gates []gate, s *settings, b bound, written time.Time) error {
	if len(gates) == 0 {
		return t.finish(a)
	}
	done := t.flush(ctx, acc, gates, s, written)
	a.doc["flushed"] = done
	var broken []string
	for _, f := range done {
		if f.Error != "" {
			broken = append(broken, fmt.Sprintf("%s was not flushed (%s)", f.Target, f.Error))
			continue
		}
		a.row("in force", "now, through %s: flushed at %s", f.Target, moment(f.At))
	}
	switch rest, listed := elsewhere(gates, s); {
	case b.Gateway == 0:
	case !listed:
		a.row("elsewhere", "by %s, through any other API that uses the function", moment(b.By))
	case len(rest) > 0:
		a.row("elsewhere", "by %s, through %s", moment(b.By), strings.Join(rest, ", "))
	}
	if err := t.finish(a); err != nil || broken == nil {
		return err
	}
	return failed("%s: the change is in force by %s all the same", strings.Join(broken, "; "), moment(b.By))
}

// stronger tells in which respects the entry in force refuses more than what
// was asked for: an entry that was there before is never weakened.
func stronger(asked, inForce revocation.Entry) []string {
	const narrower = "to narrow it, restore first and revoke again"
	var more []string
	switch {
	case asked.NotBefore.IsZero():
	case inForce.NotBefore.IsZero():
		more = append(more, "a stronger entry was there already: it refuses every token, not only those issued before "+
			moment(asked.NotBefore)+"; "+narrower)
	case inForce.NotBefore.After(asked.NotBefore):
		more = append(more, "a stronger entry was there already: it refuses tokens issued before "+
			moment(inForce.NotBefore)+", not "+moment(asked.NotBefore)+"; "+narrower)
	}
	switch {
	case asked.ExpiresAt.IsZero():
	case inForce.ExpiresAt.IsZero():
		more = append(more, "the entry that was there already has no end, so this one has none, not "+moment(asked.ExpiresAt)+"; "+narrower)
	case inForce.ExpiresAt.After(asked.ExpiresAt):
		more = append(more, "the entry that was there already ends at "+moment(inForce.ExpiresAt)+", not "+moment(asked.ExpiresAt)+"; "+narrower)
	}
	return more
}

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"lambda-authorizer/revocation"
)

// revokeFlags are the flags of revoke.
type revokeFlags struct {
	selection
	place
	terms
	bulkFlags
	reason, by  string
	flush       []string
	dryRun, yes bool
}

func (t *tool) revoke() *cobra.Command {
	var f revokeFlags
	c := &cobra.Command{
		Use:   "revoke KIND [ID]",
		Short: "refuse a token, a user, a client, a key or a whole issuer from now on",
		Long: `Revoke writes an entry into the table that the authorizer looks at, and says by
when it is in force everywhere.

KIND is token, session, subject, client, key (the kid that signs tokens),
issuer, api-key or signing-key. ID is the jti, sid, sub, client id, kid, the
issuer's name, or the key's id. A whole token on standard input or in --token
stands for any of them: its signature is not needed and not checked.

A token is refused until it has expired. Of the others every token is refused
until restored, those of later logins too; --before now refuses only what has
been issued so far, so that users can log in again.

With --file many are revoked, from JSON lines or CSV; KIND and the other flags
then stand for what a line does not say. Run the same command again to go on
after a stop.`,
		Example: `  authctl revoke token --reason "laptop stolen" <token.txt
  authctl revoke subject alice --issuer main --before now --flush rest:a1b2c3d4e5/prod
  authctl revoke issuer main --dry-run
  authctl revoke api-key 7f3a9c
  authctl revoke --file leaked.csv --reason "incident 42"`,
		RunE: func(c *cobra.Command, args []string) error {
			if f.file != "" {
				return t.runBulk(c, args, f, false)
			}
			return t.runRevoke(c, args, f)
		},
	}
	targetArgs(c)
	f.selection.flags(c)
	f.place.flags(c)
	f.bulkFlags.flags(c)
	c.Flags().StringVar(&f.before, "before", "", "refuse only tokens issued before `TIME`: now, a time, or how long ago")
	c.Flags().StringVar(&f.ttl, "ttl", "", "how long the entry lasts, as a `duration` or none (default: a token's until the token has expired, others none)")
	c.Flags().StringVar(&f.reason, "reason", "", "why, for the record")
	c.Flags().StringVar(&f.by, "by", "", "`who` revokes (default: the caller as AWS STS knows it)")
	c.Flags().StringArrayVar(&f.flush, "flush", nil, "flush API Gateway's cached answers: rest:`api/stage` or http:api/stage; repeatable")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be written, and write nothing")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask before an issuer, a client or a key is revoked")
	return c
}

// intent is one revocation before it is written.
type intent struct {
	target *target
	entry  revocation.Entry
	until  string // why the entry ends when it does
}

func (t *tool) runRevoke(c *cobra.Command, args []string, f revokeFlags) error {
	if err := f.bulkFlags.unused(c); err != nil {
		return err
	}
	s, err := t.settings(c, f.place)
	if err != nil {
		return err
	}
	x, err := t.asked(args, f, s)
	if err != nil {
		return err
	}
	gates, err := gatesOf(f.flush, s)
	if err != nil {
		return err
	}
	ctx := c.Context()
	if x.target.token != nil && f.ttl == "" && !x.entry.InForce(t.now()) {
		return t.expired(ctx, x, f, gates, s)
	}
	store, a, err := t.store(ctx, f.place, s)
	if err != nil {
		return err
	}
	if x.entry.RevokedBy, err = a.revoker(ctx, f.by); err != nil {
		return err
	}
	if err := x.entry.Check(t.now()); err != nil {
		return tableFailure(&revocation.InvalidError{Err: err})
	}
	if f.dryRun {
		return t.dryRun(ctx, store, x, s)
	}
	if broad(x.target.key.Kind) {
		if err := t.confirm(f.yes, x.warning()); err != nil {
			return err
		}
	}
	r, err := t.write(ctx, store, x)
	if err != nil {
		return err
	}
	return t.report(ctx, a, r, gates, s)
}

// intent is the entry for g on these terms. began is what --before now means.
func (w terms) intent(g *target, reason string, began, now time.Time) (*intent, error) {
	x := &intent{target: g}
	e := revocation.Entry{Kind: g.key.Kind, Issuer: g.key.Issuer, Value: g.key.Value, Reason: reason}
	var err error
	if e.NotBefore, err = w.notBefore(e.Kind, g.issuer, began); err != nil {
		return nil, err
	}
	if e.ExpiresAt, x.until, err = w.expiry(g, now); err != nil {
		return nil, err
	}
	if e.PK, err = g.key.PK(); err != nil {
		return nil, usage("%v", err)
	}
	x.entry = e
	return x, nil
}

// asked is what the command line asks for.
func (t *tool) asked(args []string, f revokeFlags, s *settings) (*intent, error) {
	g, err := t.target(args, f.selection, s)
	if err != nil {
		return nil, err
	}
	now := t.now()
	x, err := f.terms.intent(g, f.reason, now, now)
	if err != nil {
		return nil, err
	}
	x.remarks(s)
	return x, nil
}

// remarks notes what the operator may not have meant.
func (x *intent) remarks(s *settings) {
	g, e := x.target, x.entry
	if ofIssuer(e.Kind) && g.issuer.configured == nil && s.cfg != nil {
		s.note("issuer %s is not configured: a function with this configuration accepts none of its tokens", g.issuer)
	}
	if g.token != nil && g.token.Issuer != g.issuer.url {
		s.note("the token spells its issuer %s: the entry is written under %s", clean(g.token.Issuer), clean(g.issuer.url))
	}
	if g.token != nil && e.Kind == revocation.KindToken && !e.ExpiresAt.IsZero() && e.ExpiresAt.Before(g.token.Expires) {
		s.note("the entry ends before the token does: the token works again from %s until %s", moment(e.ExpiresAt), moment(g.token.Expires))
	}
	if i := g.issuer.configured; i != nil && e.Kind == revocation.KindSubject {
		if i.PrincipalClaim != "sub" {
			s.note("a subject is the claim sub; the principal that the log shows is the claim %s", clean(i.PrincipalClaim))
		}
		if strings.HasPrefix(e.Value, i.Name+"|") {
			s.note("the subject is taken as given, %s| included; in the log the issuer's name stands before the |", i.Name)
		}
	}
	s.limits(e.Kind)
}

// logins notes what becomes of later ones.
func (s *settings) logins(e revocation.Entry) {
	switch {
	case !e.Kind.Dated():
	case e.NotBefore.IsZero():
		s.note("later logins are refused too, until restored; --before now would let them in")
	default:
		s.note("logins after %s work; refresh tokens must be revoked at the issuer", moment(e.NotBefore))
	}
}

// reach says which tokens an entry refuses.
func reach(e revocation.Entry) string {
	switch {
	case !e.Kind.Dated():
		return ""
	case e.NotBefore.IsZero():
		return "every token, whenever issued"
	}
	return "tokens issued before " + moment(e.NotBefore)
}

func (x *intent) warning() string {
	which := "every token"
	if !x.entry.NotBefore.IsZero() {
		which = reach(x.entry)
	}
	return fmt.Sprintf("this refuses %s of %s, of all its users", which, x.target)
}

// revoked is what revoke did.
type revoked struct {
	intent  *intent
	outcome revocation.Outcome
	entry   revocation.Entry // in force
	written time.Time
}

func (t *tool) write(ctx context.Context, store *revocation.Store, x *intent) (*revoked, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e, outcome, err := store.Put(ctx, x.entry)
	if err != nil {
		return nil, tableFailure(err)
	}
	return &revoked{intent: x, outcome: outcome, entry: e, written: t.now()}, nil
}

// undo is the command that takes a revocation back, empty where the id cannot
// be pasted. It goes to the same place: given are the flags that name it.
func undo(k revocation.Key, i issuer, given string) string {
	id := k.Value
	switch {
	case strings.ContainsFunc(id+i.url, func(r rune) bool { return unicode.IsSpace(r) || hidden(r) }), strings.ContainsFunc(given, hidden):
		return ""
	case k.Kind == revocation.KindIssuer && i.configured != nil:
		return "authctl restore issuer" + given + " " + i.configured.Name
	case k.Kind == revocation.KindIssuer:
		return "authctl restore issuer" + given + i.flags()
	case strings.HasPrefix(id, "-"):
		id = "-- " + quote(id)
	default:
		id = quote(id)
	}
	return "authctl restore " + wordOf(k.Kind) + given + i.flags() + " " + id
}

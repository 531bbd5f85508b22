package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func contextFor(c *cobra.Command) (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.Context(), keyPatience)
}

// keyID is the id of the command line. A whole API key stands for its id.
func (k *keyKind) keyID(arg string) string {
	if m := wholeKey.FindStringSubmatch(arg); m != nil && k == apiKeys {
		return m[1]
	}
	return arg
}

func oneKey(k *keyKind) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("which %s? give one id, as authctl %s list shows it", k.noun, k.command)
		}
		return nil
	}
}

// rotateFlags are the flags of rotate.
type rotateFlags struct {
	keyFlags
	grace string
	yes   bool
}

func (t *tool) keyRotate(k *keyKind) *cobra.Command {
	var f rotateFlags
	c := &cobra.Command{
		Use:   "rotate ID",
		Short: "give " + article(k.noun) + " a new secret, and accept the old one for a while",
		Long: fmt.Sprintf(`Rotate gives %s a new secret and prints what the client gets,
once. The old one is accepted until its grace is over, so that clients change
without a refusal. --grace 0s ends it at once: for a secret that has leaked.

A key has one old secret. Where that of an earlier rotation is still accepted,
it would end now: rotate asks first.`, article(k.noun)),
		Example: fmt.Sprintf("  authctl %[1]s rotate %[2]s\n  authctl %[1]s rotate %[2]s --grace 0s", k.command, k.example),
		Args:    oneKey(k),
		RunE:    func(c *cobra.Command, args []string) error { return t.runKeyRotate(c, k, args[0], f) },
	}
	f.keyFlags.flags(c, k, true)
	c.Flags().StringVar(&f.grace, "grace", "24h", "how `long` the old secret is accepted: 24h, 7d, 0s")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask before the secret of an earlier rotation ends early")
	return c
}

func (t *tool) runKeyRotate(c *cobra.Command, k *keyKind, arg string, f rotateFlags) error {
	grace, ok := duration(f.grace)
	if !ok || grace < 0 {
		return usage("--grace is a duration such as 24h, 7d or 0s")
	}
	p, err := t.keyPlace(c, k, f.keyFlags)
	if err != nil {
		return err
	}
	ctx, cancel := contextFor(c)
	defer cancel()
	l, err := p.find(ctx, k.keyID(arg))
	if err != nil {
		return err
	}
	if err := t.confirmRotation(k, l, f); err != nil {
		return err
	}
	turned, err := p.do.Rotate(ctx, l.Secret, l.ID, grace)
	if err != nil {
		return p.failure(err)
	}
	l.PreviousUntil = momentOrNone(turned.Until)
	if l.State != active {
		p.note("the key is refused as it is: %s", l.State)
	}
	if !turned.CutShort.IsZero() {
		p.note("the secret of an earlier rotation, accepted until %s, ends with this one", moment(turned.CutShort))
	}
	a := p.answer("rotate", "rotated", *l, f.dryRun)
	if turned.Until.IsZero() {
		a.row("old secret", "ends %s", p.within(t.now()))
	} else {
		a.row("old secret", "accepted until %s", moment(turned.Until))
	}
	if f.dryRun {
		return t.finish(a)
	}
	a.row("in force", "%s", inForceNew)
	return t.hand(a, p, *l, turned.Text)
}

// confirmRotation asks where a secret would end that clients may still use.
func (t *tool) confirmRotation(k *keyKind, l *listedKey, f rotateFlags) error {
	if f.dryRun || !l.previousUntil.After(t.now()) {
		return nil
	}
	return t.confirm(f.yes, fmt.Sprintf("%s %s has a secret of an earlier rotation that is accepted until %s, and would end now",
		k.noun, l.ID, l.PreviousUntil))
}

// position is what tells disable and enable apart.
type position struct {
	word, done, already, short, long string
	on                               bool
	do                               func(keyOperator, context.Context, string, string) error
}

var (
	disabling = position{
		word: "disable", done: "disabled", already: "disabled already", on: true, do: keyOperator.Disable,
		short: "refuse %s until it is enabled again",
		long: `Disable has %[1]s refused, as soon as the functions read its
secret anew. It keeps its record. To refuse it sooner, revoke it:
authctl revoke %[2]s ID.`,
	}
	enabling = position{
		word: "enable", done: "enabled", already: "enabled already", do: keyOperator.Enable,
		short: "accept %s that was disabled",
		long: `Enable accepts %[1]s again that was disabled, as soon as the
functions read its secret anew. One that was revoked stays so: see
authctl check %[2]s ID.`,
	}
)

func (t *tool) keySwitch(k *keyKind, to position) *cobra.Command {
	var f keyFlags
	c := &cobra.Command{
		Use:     to.word + " ID",
		Short:   fmt.Sprintf(to.short, article(k.noun)),
		Long:    fmt.Sprintf(to.long, article(k.noun), k.revoke),
		Example: fmt.Sprintf("  authctl %s %s %s", k.command, to.word, k.example),
		Args:    oneKey(k),
		RunE:    func(c *cobra.Command, args []string) error { return t.runKeySwitch(c, k, to, args[0], f) },
	}
	f.flags(c, k, true)
	return c
}

func (t *tool) runKeySwitch(c *cobra.Command, k *keyKind, to position, arg string, f keyFlags) error {
	p, err := t.keyPlace(c, k, f)
	if err != nil {
		return err
	}
	ctx, cancel := contextFor(c)
	defer cancel()
	l, err := p.find(ctx, k.keyID(arg))
	if err != nil {
		return err
	}
	if l.Disabled == to.on {
		a := p.answer(to.word, to.already, *l, false)
		a.doc["changed"] = false
		return t.finish(a)
	}
	if err := to.do(p.do, ctx, l.Secret, l.ID); err != nil {
		return p.failure(err)
	}
	l.Disabled = to.on
	a := p.answer(to.word, to.done, *l, f.dryRun)
	a.doc["changed"] = !f.dryRun
	if f.dryRun {
		return t.finish(a)
	}
	a.row("in force", "%s", p.within(t.now()))
	if to.on {
		a.row("sooner", "authctl revoke %s %s", k.revoke, quote(l.ID))
		a.row("undo", "authctl %s enable %s", k.command, quote(l.ID))
	}
	return t.finish(a)
}

// inForceNew is since when a new id or secret is accepted (secrets.Reader).
const inForceNew = "within 30 s: what it does not know, a function looks for in the secret, at most every 30 s"

// within is by when a change of a known key is in force.
func (p *keyPlace) within(now time.Time) string {
	if p.cfg == nil {
		return "once secrets.refresh and gateway.cache_ttl have passed: without a configuration nobody knows them"
	}
	refresh, ttl := p.cfg.Secrets.Refresh, p.cfg.Gateway.CacheTTL
	text := fmt.Sprintf("by %s: a function believes what it read for up to %s (secrets.refresh)", moment(secondAfter(now.Add(refresh+ttl))), refresh)
	if ttl > 0 {
		text += fmt.Sprintf(", API Gateway keeps an answer for up to %s (gateway.cache_ttl)", ttl)
	}
	return text + "; while Secrets Manager fails, a function goes on for up to 24h"
}

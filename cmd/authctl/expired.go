package main

import (
	"context"
	"time"
)

// accepted is until when functions accept the token.
func (g *target) accepted() time.Time { return g.token.Expires.Add(g.issuer.leeway()) }

// outlived is until when API Gateway may let the token through all the same:
// an answer that it cached at the last moment outlives the token.
func (s *settings) outlived(g *target) bound {
	b := bound{Gateway: maxGatewayTTL}
	if s.cfg != nil {
		b = bound{Gateway: s.cfg.Gateway.CacheTTL, Known: true}
	}
	b.By = secondAfter(g.accepted().Add(b.Gateway))
	return b
}

// refusedAnyway says what an expired token can still do.
func (s *settings) refusedAnyway(g *target, now time.Time) string {
	b := s.outlived(g)
	if b.By.Before(now) {
		return "it is refused anyway"
	}
	return "functions refuse it, but API Gateway may still answer from its cache until " + moment(b.By)
}

// expired is for a token that needs no entry any more. What API Gateway has
// cached of it is flushed where that was asked for.
func (t *tool) expired(ctx context.Context, x *intent, f revokeFlags, gates []gate, s *settings) error {
	g, now := x.target, t.now()
	text := "the token says that it expired at " + moment(g.token.Expires) + ": " + s.refusedAnyway(g, now)
	b := s.outlived(g)
	if len(gates) == 0 || f.dryRun {
		if len(gates) == 0 && !b.By.Before(now) {
			text += "; to end that, add --flush rest:<api>/<stage> or --flush http:<api>/<stage>"
		}
		return refused("%s; nothing was written; to revoke it all the same, give --ttl none", text)
	}
	acc, err := f.place.account(ctx)
	if err != nil {
		return err
	}
	a := newAnswer("revoke", s.notes)
	a.doc["outcome"] = "expired"
	a.doc["in_force"] = b.document()
	a.token(g, now)
	a.row("expired", "%s", g)
	a.row("entry", "none is needed: %s", text)
	t.show(a)
	// No function has let it in since then, whatever it believes of the table.
	return t.flushAndFinish(ctx, acc, a, gates, s, b, g.accepted().Add(-s.cfg.Revocation.CacheTTL))
}

package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"lambda-authorizer/revocation"
)

// lines turns records into entries. What a record does not say, the command
// line does.
type lines struct {
	settings *settings
	kind     string // the default
	flags    revokeFlags
	by       string
	began    time.Time // the first run: what --before now means
	now      func() time.Time
	restore  bool
	broad    bool // issuers, clients and keys have been confirmed
}

// errBroad is a line that locks out many, and nobody has said yes.
var errBroad = errors.New("revokes a whole issuer, client or key: to let that be, give --yes")

func (l *lines) entry(r record) (revocation.Entry, error) {
	if r.err != nil {
		return revocation.Entry{}, r.err
	}
	kind, err := l.kindOf(r)
	if err != nil {
		return revocation.Entry{}, err
	}
	selected, err := l.selection(kind, r)
	if err != nil {
		return revocation.Entry{}, err
	}
	g, err := l.target(kind, r, selected)
	if err != nil {
		return revocation.Entry{}, err
	}
	switch {
	case l.restore:
		return revocation.Entry{Kind: g.key.Kind, Issuer: g.key.Issuer, Value: g.key.Value}, nil
	case broad(kind) && !l.broad:
		return revocation.Entry{}, errBroad
	}
	return l.terms(g, r)
}

// writable is why the table would not take e. What has expired needs no entry.
func (l *lines) writable(e revocation.Entry) error {
	if l.restore {
		_, err := e.Key().PK()
		return err
	}
	if err := e.Check(l.now()); !errors.Is(err, revocation.ErrExpired) {
		return err
	}
	return nil
}

func (l *lines) kindOf(r record) (revocation.Kind, error) {
	word := r.fields["kind"]
	if word == "" {
		word = l.kind
	}
	if word == "" && r.fields["token"] != "" {
		return revocation.KindToken, nil
	}
	kind, ok := kindOf(word)
	if !ok {
		return "", fmt.Errorf("kind is missing, or none of %s", strings.Join(kindWords(), ", "))
	}
	return kind, nil
}

// selection is the issuer that the line names, else the command line.
func (l *lines) selection(kind revocation.Kind, r record) (selection, error) {
	name := r.fields["issuer"]
	switch {
	case !ofIssuer(kind) && name != "":
		return selection{}, fmt.Errorf("a %s has no issuer", wordOf(kind))
	case !ofIssuer(kind):
		return selection{}, nil
	case name == "":
		return selection{issuer: l.flags.issuer, issuerURL: l.flags.issuerURL}, nil
	case l.settings.cfg == nil || name == l.flags.issuerURL:
		return selection{issuerURL: name}, nil
	}
	if i, _ := l.settings.byName(name); i.configured == nil {
		return selection{}, fmt.Errorf("issuer %s is not configured: %s, or --issuer-url", clean(name), l.settings.known())
	}
	return selection{issuer: name}, nil
}

func (l *lines) target(kind revocation.Kind, r record, f selection) (*target, error) {
	id, token := r.fields["value"], r.fields["token"]
	switch {
	case id != "" && token != "":
		return nil, errors.New("value and token are both there")
	case token != "" && !ofIssuer(kind):
		return nil, fmt.Errorf("a token says nothing about a %s", wordOf(kind))
	case kind == revocation.KindIssuer && id != "" && r.fields["issuer"] == "":
		f = selection{} // the line names it, not the command line
	}
	return l.settings.target(kind, id, token, f)
}

// terms completes the entry: what the line says exactly, else the flags.
func (l *lines) terms(g *target, r record) (revocation.Entry, error) {
	w := l.flags.terms
	if !g.key.Kind.Dated() || r.fields["not_before"] != "" {
		w.before = ""
	}
	reason := r.fields["reason"]
	if reason == "" {
		reason = l.flags.reason
	}
	x, err := w.intent(g, reason, l.began, l.now())
	if err != nil {
		return revocation.Entry{}, err
	}
	e := x.entry
	e.RevokedBy = l.by
	for name, at := range map[string]*time.Time{"not_before": &e.NotBefore, "expires_at": &e.ExpiresAt} {
		text := r.fields[name]
		if text == "" {
			continue
		}
		if *at, err = time.Parse(time.RFC3339, text); err != nil {
			return revocation.Entry{}, fmt.Errorf("%s is not a time such as 2026-11-21T12:00:00Z", name)
		}
	}
	return e, nil
}

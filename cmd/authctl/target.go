package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lambda-authorizer/jwks"
	"lambda-authorizer/revocation"
)

// kindOf is the kind that a word of the command line or of a file means.
func kindOf(word string) (revocation.Kind, bool) {
	k := revocation.Kind(strings.ReplaceAll(word, "-", "_"))
	return k, slices.Contains(revocation.Kinds(), k)
}

// wordOf is the kind as it is written on the command line.
func wordOf(k revocation.Kind) string { return strings.ReplaceAll(string(k), "_", "-") }

// kindWords are all kinds.
func kindWords() []string {
	var words []string
	for _, k := range revocation.Kinds() {
		words = append(words, wordOf(k))
	}
	return words
}

// ofIssuer tells the kinds whose ids are an issuer's own.
func ofIssuer(k revocation.Kind) bool {
	return k != revocation.KindAPIKey && k != revocation.KindSigningKey
}

// broad tells the kinds that lock out many users at once.
func broad(k revocation.Kind) bool {
	return k == revocation.KindIssuer || k == revocation.KindClient || k == revocation.KindKey
}

// target is what a command is about.
type target struct {
	key    revocation.Key
	issuer issuer        // of the key's
	token  *jwks.Claimed // where a whole token was given
}

// selection is how the command line names a target beside kind and id.
type selection struct {
	issuer, issuerURL, token string
}

func (f *selection) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.issuer, "issuer", "", "the `name` of a configured issuer (default: the only one, or the token's)")
	c.Flags().StringVar(&f.issuerURL, "issuer-url", "", "an issuer as `iss` spells it, configured or not")
	c.Flags().StringVar(&f.token, "token", "", "take the id from a whole `JWT`; - reads it from standard input")
	c.MarkFlagsMutuallyExclusive("issuer", "issuer-url")
}

// targetArgs completes and checks KIND [ID].
func targetArgs(c *cobra.Command) {
	c.ValidArgs = kindWords()
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 2 {
			return usage("%d arguments: give the kind and one id, an id with blanks in quotes", len(args))
		}
		return nil
	}
}

// target reads the command line. Nothing is called yet.
func (t *tool) target(args []string, f selection, s *settings) (*target, error) {
	kind, id, err := kindAndID(args, f)
	if err != nil {
		return nil, err
	}
	text, id, err := t.tokenText(kind, id, f)
	if err != nil {
		return nil, err
	}
	if id == "-" && kind == revocation.KindAPIKey {
		if id, err = t.readSecret("API key"); err != nil {
			return nil, err
		}
	}
	if text == "" && kind != revocation.KindAPIKey && wholeKey.MatchString(id) {
		return nil, usage("this is a whole API key, not the id of a %s: give the kind api-key", wordOf(kind))
	}
	if text == "" && wholeToken(id) {
		next := "give it with --token, or on standard input as --token -"
		if !ofIssuer(kind) {
			next = "give the key's own"
		}
		return nil, usage("this is a whole token, not the id of a %s: %s", wordOf(kind), next)
	}
	return s.target(kind, id, text, f)
}

// wholeToken tells a token that was pasted where an id belongs. Looked up as an
// id it would be found nowhere, and pass for not revoked.
func wholeToken(id string) bool {
	id = bare(id)
	return strings.Count(id, ".") == 2 && strings.HasPrefix(id, "eyJ")
}

// target is what kind and id mean, or kind and the text of a whole token.
func (s *settings) target(kind revocation.Kind, id, text string, f selection) (*target, error) {
	switch {
	case text != "":
		return s.tokenTarget(kind, text, f)
	case !ofIssuer(kind):
		return keyTarget(kind, id, f)
	case kind == revocation.KindIssuer:
		return s.issuerTarget(id, f)
	case id == "":
		return nil, usage("which %s? give its id, or a whole token of it with --token", wordOf(kind))
	}
	i, err := s.issuer(f, "")
	if err != nil {
		return nil, err
	}
	return &target{key: revocation.Key{Kind: kind, Issuer: i.url, Value: id}, issuer: i}, nil
}

func kindAndID(args []string, f selection) (revocation.Kind, string, error) {
	if len(args) == 0 && f.token != "" {
		return revocation.KindToken, "", nil
	}
	if len(args) == 0 {
		return "", "", usage("what? say one of %s, then its id", strings.Join(kindWords(), ", "))
	}
	kind, ok := kindOf(args[0])
	if !ok {
		// It may be a token that stands in the wrong place: it is not repeated.
		return "", "", usage("the first word is one of %s", strings.Join(kindWords(), ", "))
	}
	if len(args) == 1 {
		return kind, "", nil
	}
	return kind, args[1], nil
}

// tokenText is the whole token, where one was given, else the id.
func (t *tool) tokenText(kind revocation.Kind, id string, f selection) (text, rest string, err error) {
	switch {
	case f.token != "" && id != "":
		return "", "", usage("give the id or --token, not both")
	case f.token != "" && !ofIssuer(kind):
		return "", "", usage("a token says nothing about %ss: give the id", strings.ReplaceAll(string(kind), "_", " "))
	case f.token == "-", kind == revocation.KindToken && f.token == "" && (id == "" || id == "-"):
		if onTerminal(t.in) && id == "" && f.token == "" {
			return "", "", usage("which token? give its id (jti), or the whole token on standard input or with --token")
		}
		text, err = t.readSecret("token")
		return text, "", err
	case f.token != "":
		return f.token, "", nil
	case kind == revocation.KindToken && wholeToken(id):
		return id, "", nil // pasted whole where the id belongs
	}
	return "", id, nil
}

// maxPasted is many times the longest token that anybody accepts.
const maxPasted = 1 << 20

// readSecret reads what should not stand on a command line, where others on
// the machine and the shell's history see it.
func (t *tool) readSecret(what string) (string, error) {
	data, err := unlessStopped(t, func() ([]byte, error) { return io.ReadAll(io.LimitReader(t.in, maxPasted)) })
	if errors.Is(err, errStopped) {
		return "", refused("stopped before the %s was read: nothing was changed", what)
	}
	if err != nil {
		return "", usage("the %s cannot be read from standard input: %v", what, err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", usage("no %s on standard input", what)
	}
	return text, nil
}

// bare takes off what is copied along with a token.
func bare(text string) string {
	text = strings.TrimSpace(text)
	if scheme, rest, ok := strings.Cut(text, " "); ok && strings.EqualFold(scheme, "bearer") {
		text = strings.TrimSpace(rest)
	}
	return text
}

// tokenTarget is what kind means of a whole token.
func (s *settings) tokenTarget(kind revocation.Kind, text string, f selection) (*target, error) {
	said, err := jwks.Unverified(bare(text))
	if err != nil {
		return nil, usage("this is no token that any authorizer would accept: %v", err)
	}
	i, err := s.issuer(f, said.Issuer)
	if err != nil {
		return nil, err
	}
	said.Expires, said.IssuedAt = tellable(said.Expires), tellable(said.IssuedAt)
	g := &target{key: revocation.Key{Kind: kind, Issuer: i.url}, issuer: i, token: said}
	switch kind {
	case revocation.KindToken:
		if g.key.Value = said.ID; said.ID == "" {
			g.key.Value = revocation.TokenValue(said.SigningInputSHA256)
		}
		return g, nil
	case revocation.KindIssuer:
		return g, nil
	case revocation.KindSubject:
		g.key.Value = said.Subject
	case revocation.KindSession:
		g.key.Value = said.SessionID
	case revocation.KindClient:
		g.key.Value = said.ClientID
	case revocation.KindKey:
		g.key.Value = said.KeyID
	}
	if g.key.Value == "" {
		return nil, usage("the token names no %s: revoke the token itself, or give the id", wordOf(kind))
	}
	return g, nil
}

// wholeKey is an API key as it is presented (package apikey). Only its id is
// taken.
var wholeKey = regexp.MustCompile(`^ak_([a-z0-9]{1,32})_[0-9A-Za-z]{49}$`)

func keyTarget(kind revocation.Kind, id string, f selection) (*target, error) {
	if f.issuer != "" || f.issuerURL != "" {
		return nil, usage("this kind, %s, has no issuer: leave it out", wordOf(kind))
	}
	if m := wholeKey.FindStringSubmatch(id); m != nil && kind == revocation.KindAPIKey {
		id = m[1]
	}
	if id == "" {
		return nil, usage("which %s? give its id", wordOf(kind))
	}
	return &target{key: revocation.Key{Kind: kind, Value: id}}, nil
}

// issuerTarget is a whole issuer: by name, or by URL.
func (s *settings) issuerTarget(id string, f selection) (*target, error) {
	switch {
	case id != "" && (f.issuer != "" || f.issuerURL != ""):
		return nil, usage("the issuer is named twice: leave the flag out")
	case id == "" && f.issuer == "" && f.issuerURL == "":
		return nil, usage("which issuer? %s", s.known())
	case id != "":
		f.issuer = id
	}
	i, err := s.issuer(f, "")
	if err != nil {
		return nil, err
	}
	return &target{key: revocation.Key{Kind: revocation.KindIssuer, Issuer: i.url}, issuer: i}, nil
}

// credential is the whole token as a check sees it.
func (g *target) credential() revocation.Credential {
	return revocation.Credential{
		Kind: revocation.KindToken, ID: g.token.ID, SigningInputSHA256: g.token.SigningInputSHA256,
		Issuer: g.issuer.url, Subject: g.token.Subject, Session: g.token.SessionID,
		Client: g.token.ClientID, KeyID: g.token.KeyID, IssuedAt: g.token.IssuedAt,
	}
}

// String names the target for people.
func (g *target) String() string { return describeKey(g.key, g.issuer) }

// describeKey names an entry for people.
func describeKey(k revocation.Key, i issuer) string {
	switch {
	case k.Kind == revocation.KindIssuer:
		return "issuer " + i.String()
	case ofIssuer(k.Kind):
		return fmt.Sprintf("%s %s of issuer %s", wordOf(k.Kind), clean(k.Value), i)
	}
	return wordOf(k.Kind) + " " + clean(k.Value)
}

// saysOf tells what a whole token says of itself.
func saysOf(said *jwks.Claimed, now time.Time) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+" "+clean(value))
		}
	}
	add("iss", said.Issuer)
	add("jti", said.ID)
	add("sub", said.Subject)
	add("sid", said.SessionID)
	add("client", said.ClientID)
	add("kid", said.KeyID)
	if !said.IssuedAt.IsZero() {
		add("iat", moment(said.IssuedAt))
	}
	when := "exp"
	if said.Expires.Before(now) {
		when = "expired"
	}
	add(when, moment(said.Expires))
	return strings.Join(parts, ", ") + " (its signature was not checked)"
}

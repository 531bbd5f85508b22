package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// answer begins what a change prints.
func (p *keyPlace) answer(action, done string, l listedKey, dryRun bool) *answer {
	a := newAnswer(p.kind.command+" "+action, p.notes)
	a.doc["dry_run"], a.doc["key"] = dryRun, l
	if dryRun {
		done = "would be " + done
	}
	a.row(done, "%s %s in secret %s", p.kind.noun, l.ID, l.Secret)
	for _, row := range [][2]string{
		{"principal", clean(l.Principal)}, {"scopes", strings.Join(l.Scopes, " ")}, {"networks", strings.Join(l.Networks, " ")},
		{"not before", l.NotBefore}, {"expires", l.ExpiresAt},
	} {
		if row[1] != "" {
			a.row(row[0], "%s", row[1])
		}
	}
	if l.UsagePlan {
		a.row("usage plan", "counted under its usage identifier key")
	}
	if dryRun {
		a.row("in force", "nothing was written: run it again without --dry-run")
	}
	return a
}

// hand prints what the client gets, past the writers that cut secrets. It is
// the last line of the output, alone.
func (t *tool) hand(a *answer, p *keyPlace, l listedKey, credential string) error {
	a.notes = append(a.notes, fmt.Sprintf("the %s is shown this once: hand it over now", p.kind.gets))
	var err error
	if t.json {
		a.doc["credential"], a.doc["notes"] = credential, a.notes
		var text []byte
		if text, err = json.MarshalIndent(a.doc, "", "  "); err == nil {
			_, err = t.out.Write(append(escapeHidden(text), '\n'))
		}
	} else {
		t.show(a)
		_, err = fmt.Fprintf(t.out, "\n%s\n", credential)
	}
	if err != nil {
		return failed("%s %s is written and could not be printed: rotate it", p.kind.noun, l.ID)
	}
	return nil
}

func (t *tool) keyList(k *keyKind) *cobra.Command {
	var f keyFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "list " + k.noun + "s: whose they are, what they may do and until when",
		Long: fmt.Sprintf(`List shows the %ss of all secrets that the configuration lists, or of the
one that --secret names, with their state: active, or why they are refused. What
is revoked in the table it does not know: see authctl list --kind %s.

With --output json it prints one key per line.`, k.noun, k.revoke),
		Example: fmt.Sprintf("  authctl %[1]s list\n  authctl %[1]s list --output json", k.command),
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return t.runKeyList(c, k, f) },
	}
	f.flags(c, k, false)
	return c
}

func (t *tool) runKeyList(c *cobra.Command, k *keyKind, f keyFlags) error {
	p, err := t.keyPlace(c, k, f)
	if err != nil {
		return err
	}
	searched := p.all
	if f.secret != "" {
		searched = []string{p.secret}
	}
	ctx, cancel := contextFor(c)
	defer cancel()
	var all []listedKey
	for _, secret := range searched {
		some, err := p.do.list(ctx, secret)
		if err != nil {
			return p.failure(err)
		}
		all = append(all, some...)
	}
	p.twice(all)
	if t.json {
		for _, l := range all {
			if err := writeJSON(t.out, l, ""); err != nil {
				return err
			}
		}
	} else if len(all) > 0 {
		t.keyTable(all, len(searched) > 1)
	}
	for _, note := range p.notes {
		fmt.Fprintf(t.err, "note: %s\n", shown(note))
	}
	for _, l := range all {
		if l.Problem != "" {
			fmt.Fprintf(t.err, "note: %s %s in secret %s is not used: %s\n", k.noun, dash(l.ID), shown(l.Secret), l.Problem)
		}
	}
	fmt.Fprintln(t.err, counted(len(all), k.noun))
	return nil
}

// twice marks the keys whose id is in two secrets: none of them is used.
func (p *keyPlace) twice(all []listedKey) {
	first := make(map[string]int)
	for i := range all {
		id := all[i].ID
		other, seen := first[id]
		if !seen || id == "" {
			first[id] = i
			continue
		}
		for a, b := range map[int]int{i: other, other: i} {
			all[a].State, all[a].Problem = string(p.kind.unknown), "its id is in secret "+all[b].Secret+" too"
		}
	}
}

func (t *tool) keyTable(all []listedKey, severalSecrets bool) {
	rows := [][]string{{"ID", "STATE", "PRINCIPAL", "SCOPES", "NETWORKS", "NOT BEFORE", "EXPIRES", "OLD SECRET UNTIL", "SECRET"}}
	for _, l := range all {
		state := l.State
		if l.Problem != "" {
			state = "not used"
		}
		rows = append(rows, []string{
			dash(l.ID), state, dash(clean(l.Principal)), dash(strings.Join(l.Scopes, " ")), dash(strings.Join(l.Networks, " ")),
			dash(l.NotBefore), dash(l.ExpiresAt), dash(l.PreviousUntil), l.Secret,
		})
	}
	if !severalSecrets {
		for i := range rows {
			rows[i] = rows[i][:len(rows[i])-1]
		}
	}
	t.table(rows)
}

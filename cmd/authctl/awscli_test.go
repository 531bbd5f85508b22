//go:build awscli

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// documented is where the commands stand that operators copy.
const documented = "../../README.md"

// row is one action: with authctl, and with the AWS CLI.
type row struct{ what, authctl, aws string }

var commandRow = regexp.MustCompile("(?m)^\\| ([^|]+) \\| `(authctl [^`]+)`[^|]* \\| `([^`]*aws [^`]+)` \\|$")

func documentedRows(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile(documented)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\n| | with authctl | with the AWS CLI |\n")
	body, _, _ := strings.Cut(after, "\n\n")
	var rows []row
	for _, m := range commandRow.FindAllStringSubmatch(body, -1) {
		rows = append(rows, row{m[1], m[2], m[3]})
	}
	if table := strings.Count(body, "\n| "); len(rows) != table || table < 17 {
		t.Fatalf("%d rows can be read of %d", len(rows), table)
	}
	return rows
}

var partitionKey = regexp.MustCompile(`"pk": \{"S": "([^"]*)"\}`)

func (r row) pk() string { return partitionKey.FindStringSubmatch(r.aws)[1] }

// about is the row's AWS command for another entry.
func (r row) about(pk string) string { return strings.ReplaceAll(r.aws, r.pk(), pk) }

// shell runs a documented command as it stands.
func (o *operator) shell(command string) (string, error) {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), "bash", "-c", command)
	cmd.Dir = o.dir
	cmd.Env = append(os.Environ(), "REVOCATIONS_TABLE="+o.stand.table, "AWS_PAGER=", "AWS_DEFAULT_REGION=eu-central-1")
	for name, value := range o.stand.environment() {
		if value != "" { // awscli takes an empty session token for one
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		o.t.Fatal(err)
	}
	return string(out), err
}

func (o *operator) must(command string) string {
	o.t.Helper()
	out, err := o.shell(command)
	if err != nil {
		o.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return out
}

// refuses tells what the authorizer's own check says of a caller who has all
// that the documented commands name.
func refuses(t *testing.T, c *revocation.Checker, r row) revocation.Kind {
	t.Helper()
	token := revocation.Credential{
		Kind: revocation.KindToken, ID: "4f1c9a", Issuer: "https://idp.example.com/", Subject: "alice",
		Session: "s-81", Client: "web", KeyID: "key-2026-01", IssuedAt: time.Now().Add(-time.Minute),
	}
	if strings.Contains(r.aws, "#sha256:") {
		token.ID, token.SigningInputSHA256 = "", r.pk()[strings.Index(r.pk(), "#sha256:")+8:]
	}
	if strings.Contains(r.aws, "#mallory") {
		token.Subject = "mallory"
	}
	res, err := c.Check(t.Context(), token,
		revocation.Credential{Kind: revocation.KindAPIKey, ID: "7f3a9c"},
		revocation.Credential{Kind: revocation.KindSigningKey, ID: "partner-1"})
	if err != nil && !errors.Is(err, reason.Revoked) {
		t.Fatal(err)
	}
	return res.Revoked
}

// What authctl does the AWS CLI does, what one writes the other sees, and the
// authorizer's check sees both. It needs the command aws:
//
//	go test -tags awscli -run AWSCLI ./cmd/authctl
func TestAWSCLIDoesWhatIsDocumented(t *testing.T) {
	s := newStand(startDynamo(t))
	o := newOperator(t, s, strings.Replace(bulkConfig, "\n", "\nrevocation: {cache_ttl: 0s}\n", 1))
	cfg := revocation.Config{Timeout: 2 * time.Second}
	cfg.SetDefaults()
	cfg.CacheTTL = 0
	checker, err := revocation.New(s.server.Client(), s.table, cfg, revocation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := documentedRows(t)
	find := func(verb string) row {
		for _, r := range rows {
			if strings.Contains(r.aws, verb) {
				return r
			}
		}
		t.Fatalf("no row with %s", verb)
		return row{}
	}
	restore, look := find("delete-item"), find("get-item")
	kinds := make(map[revocation.Kind]bool)
	for _, r := range rows {
		if !strings.HasPrefix(r.aws, "aws dynamodb put-item") {
			continue
		}
		t.Run(r.what, func(t *testing.T) {
			o := &operator{t: t, dir: o.dir, stand: s}
			k, ok := revocation.ParsePK(r.pk())
			if !ok {
				t.Fatalf("%s is no key of an entry", r.pk())
			}
			kinds[k.Kind] = true
			target := regexp.MustCompile(`^authctl revoke (\S+ \S+)( --issuer main)?`).FindStringSubmatch(r.authctl)
			check := "authctl check " + target[1] + target[2]
			for _, revoke := range []string{r.aws, r.authctl} {
				o.must(revoke)
				if got := refuses(t, checker, r); got != k.Kind {
					t.Errorf("after %s the check says %q, want %q", revoke, got, k.Kind)
				}
				if out, err := o.shell(check); err == nil || !strings.Contains(out, r.pk()) {
					t.Errorf("after %s: %s: %v\n%s", revoke, check, err, out)
				}
				if out := o.must(look.about(r.pk())); !strings.Contains(out, r.pk()) {
					t.Errorf("after %s get-item says %q", revoke, out)
				}
				o.must(restore.about(r.pk()))
				if got := refuses(t, checker, r); got != "" {
					t.Errorf("restored, and the check says %q", got)
				}
				o.must(check)
			}
		})
	}
	for _, k := range revocation.Kinds() {
		if !kinds[k] {
			t.Errorf("no row revokes a %s", k)
		}
	}
}

// The rest of the table: many, the list, and what restores.
func TestAWSCLIListsAndRestores(t *testing.T) {
	s := newStand(startDynamo(t))
	o := newOperator(t, s, bulkConfig)
	o.write("jtis.txt", "j1\nj2\n")
	o.write("jtis.csv", "value\nj2\nj3\n")
	for _, r := range documentedRows(t) {
		switch {
		case strings.Contains(r.aws, "revoked_at"):
			o.must(r.aws)
			o.must(r.authctl) // is there already
		case strings.HasPrefix(r.aws, "xargs"):
			o.must(r.aws)
			says(t, o.must(r.authctl), `^revoked +1$`, `^extended +1$`)
			if _, err := o.shell("authctl check token j1 --issuer main"); err == nil {
				t.Error("j1 is not revoked")
			}
		case strings.Contains(r.aws, "query"):
			for _, command := range []string{r.aws, r.authctl} {
				says(t, o.must(command), "s-81", "laptop stolen", "alice")
			}
		case strings.Contains(r.aws, "delete-item"):
			o.must("authctl revoke subject alice --issuer main")
			says(t, o.must(r.authctl), "^restored +subject alice")
		case strings.Contains(r.aws, "-cache "):
			o.must(r.aws)
			says(t, o.must(r.authctl), "flushed at")
		}
	}
}

// The condition of the documented command keeps a stronger entry.
func TestAWSCLIWeakensNothing(t *testing.T) {
	o := newOperator(t, newStand(startDynamo(t)), bulkConfig)
	o.must("authctl revoke subject alice --issuer main")
	o.must("authctl revoke client web --issuer main --yes")
	limited := 0
	for _, r := range documentedRows(t) {
		if !strings.Contains(r.aws, "put-item") || !strings.Contains(r.aws, `"not_before"`) && !strings.Contains(r.aws, `"expires_at"`) {
			continue
		}
		limited++
		if out, err := o.shell(r.aws); err == nil || !strings.Contains(out, "ConditionalCheckFailedException") {
			t.Errorf("%s: %v\n%s", r.aws, err, out)
		}
	}
	if limited < 2 {
		t.Errorf("%d rows with a limit, want those of not_before and expires_at", limited)
	}
	says(t, o.must("authctl check subject alice --issuer main || true"), "^refuses +every token")
	says(t, o.must("authctl check client web --issuer main || true"), "^until +restored")
}

// The documented stages are those of make run.
func TestAWSCLICommandsNameStagesOfMakeRun(t *testing.T) {
	stages, err := os.ReadFile(filepath.Join("..", "..", "local", "stages.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range documentedRows(t) {
		if _, target, ok := strings.Cut(r.authctl, "--flush "); ok {
			_, target, _ = strings.Cut(target, ":")
			api, stage, _ := strings.Cut(target, "/")
			if !strings.Contains(string(stages), `{"`+stage+`", "`+api+`"`) {
				t.Errorf("make run has no %s of %s", stage, api)
			}
		}
	}
}

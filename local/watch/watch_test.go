package watch_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"lambda-authorizer/local/watch"
)

const full = `{"time":"2026-11-21T12:34:56.789Z","outcome":"deny","decision":"deny","reason":"scope_insufficient",
	"event":"rest_request","api_id":"a","stage":"rest","method":"POST","route":"POST /items","principal":"main|alice",
	"issuer":"main","key_id":"k1","token":"sha256:0011","source_ip":"203.0.113.10","Latency":0.84,"steps_us":{"credential":12}}`

func TestDecisionLineIsReadable(t *testing.T) {
	t.Parallel()
	got := watch.Style{}.Decision("rest", []byte(full))
	want := "12:34:56 deny         /rest       POST /items          main|alice scope_insufficient 203.0.113.10  0.8 ms"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestClockIsTheLocalOne(t *testing.T) {
	t.Parallel()
	style := watch.Style{Location: time.FixedZone("CET", 3600)}
	if got := style.Decision("rest", []byte(full)); !strings.HasPrefix(got, "13:34:56 ") {
		t.Errorf("got %q", got)
	}
}

func TestMissingMembersLeaveNoHole(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"decision":"allow"}`:                                                 "--:--:-- allow        /http       -",
		`{"outcome":"fault","method":"GET"}`:                                   "--:--:-- fault        /http       GET",
		`{"outcome":"fault","detail":"jwks_unavailable: fetch"}`:               "--:--:-- fault        /http       -                    jwks_unavailable: fetch",
		`{"outcome":"deny","reason":"revoked","detail":"revoked"}`:             "--:--:-- deny         /http       -                    revoked",
		`{"outcome":"deny","reason":"revoked","detail":"revoked: by key"}`:     "--:--:-- deny         /http       -                    revoked: by key",
		`{"outcome":"deny","reason":"revoked","detail":"other"}`:               "--:--:-- deny         /http       -                    revoked: other",
		`{"outcome":"allow","route":"GET /items","cold_start":true,"new":[1]}`: "--:--:-- allow        /http       GET /items           cold start",
	} {
		if got := (watch.Style{}).Decision("http", []byte(raw)); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", raw, got, want)
		}
	}
}

func TestLineThatIsNoDecisionIsShownAsItCame(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`panic: oh no`, `{"level":"info"}`, `{"outcome":`, `[]`, ``} {
		if got := (watch.Style{}).Decision("rest", []byte(raw)); got != raw {
			t.Errorf("%q is shown as %q", raw, got)
		}
	}
}

func TestColourMarksTheOutcome(t *testing.T) {
	t.Parallel()
	for outcome, code := range map[string]string{"allow": "32", "deny": "33", "unauthorized": "33", "fault": "31"} {
		got := watch.Style{Color: true}.Decision("rest", []byte(`{"outcome":"`+outcome+`"}`))
		if !strings.Contains(got, "\x1b["+code+"m"+outcome) {
			t.Errorf("%s: %q", outcome, got)
		}
	}
}

func TestAnswerOfTheGatewayItselfSaysSo(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	got := watch.Style{}.Gateway(at, "rest-token", "GET", "GET /items", 200, "from API Gateway's cache")
	if want := "12:00:00 allow        /rest-token GET /items           from API Gateway's cache"; got != want {
		t.Errorf("got %q", got)
	}
	if got := (watch.Style{}).Gateway(at, "rest", "GET", "", 401, ""); !strings.Contains(got, "unauthorized") {
		t.Errorf("got %q", got)
	}
}

func TestRequestThatWasRefusedUnaskedIsNoDecision(t *testing.T) {
	t.Parallel()
	got := watch.Style{Color: true}.Refused(time.Time{}, "http", "GET", "", "no such route")
	if want := "--:--:-- \x1b[33mrefused     \x1b[0m /http       GET                  \x1b[2mno such route\x1b[0m"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What a request can influence must not reach the terminal as an escape.
func FuzzNoLineWritesToTheTerminal(f *testing.F) {
	f.Add(`{"outcome":"allow","principal":"\u001b[2Jmallory","route":"GET \u009b2J\nallow"}`)
	f.Add("\x1b[2J")
	f.Fuzz(func(t *testing.T, raw string) {
		got := watch.Style{}.Decision("rest", []byte(raw))
		if i := strings.IndexFunc(got, unicode.IsControl); i >= 0 {
			t.Errorf("%q is shown as %q", raw, got)
		}
	})
}

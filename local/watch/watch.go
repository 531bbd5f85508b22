// Package watch makes decision lines readable for a person. It renders what is
// there and passes on what it does not know: a line that cannot be read is
// shown as it came.
package watch

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Style is how lines are shown.
type Style struct {
	// Color marks the decision in colour, by ANSI escapes.
	Color bool
	// Location is the time zone of the clock shown. Nil: UTC.
	Location *time.Location
}

// line holds the members that are shown. All are optional.
type line struct {
	Time      time.Time `json:"time"`
	Outcome   string    `json:"outcome"`
	Decision  string    `json:"decision"`
	Reason    string    `json:"reason"`
	Detail    string    `json:"detail"`
	Stage     string    `json:"stage"`
	Method    string    `json:"method"`
	Route     string    `json:"route"`
	Principal string    `json:"principal"`
	SourceIP  string    `json:"source_ip"`
	Latency   *float64  `json:"Latency"`
	ColdStart bool      `json:"cold_start"`
}

// Decision renders one decision line. stage is used where the line has none.
func (s Style) Decision(stage string, raw []byte) string {
	var l line
	if err := json.Unmarshal(raw, &l); err != nil || l.Outcome == "" && l.Decision == "" {
		return clean(string(raw))
	}
	for _, field := range []*string{&l.Outcome, &l.Decision, &l.Reason, &l.Detail, &l.Stage, &l.Method, &l.Route, &l.Principal, &l.SourceIP} {
		*field = clean(*field)
	}
	if l.Stage == "" {
		l.Stage = stage
	}
	outcome := l.Outcome
	if outcome == "" {
		outcome = l.Decision
	}
	fields := []string{s.clock(l.Time), s.outcome(outcome), pad("/"+l.Stage, 11), pad(l.where(), 20)}
	if l.Principal != "" {
		fields = append(fields, l.Principal)
	}
	if why := l.why(); why != "" {
		fields = append(fields, s.paint(bold, why))
	}
	fields = append(fields, s.paint(dim, l.small()))
	return strings.TrimRight(strings.Join(fields, " "), " ")
}

// IsFault tells whether a decision line is of a fault: what answered 500.
func IsFault(raw []byte) bool {
	var l line
	return json.Unmarshal(raw, &l) == nil && l.Outcome == "fault"
}

// Gateway renders a request that API Gateway decided without asking the
// authorizer, which therefore wrote no line.
func (s Style) Gateway(at time.Time, stage, method, route string, status int, why string) string {
	outcome := "allow"
	switch {
	case status == 401:
		outcome = "unauthorized"
	case status == 403:
		outcome = "deny"
	case status >= 500:
		outcome = "fault"
	}
	return s.gateway(at, outcome, stage, method, route, why)
}

// Refused renders a request that API Gateway turned down before anything was
// decided about it, such as one that fits no route.
func (s Style) Refused(at time.Time, stage, method, route, why string) string {
	return s.gateway(at, "refused", stage, method, route, why)
}

func (s Style) gateway(at time.Time, outcome, stage, method, route, why string) string {
	where := strings.TrimSpace(route)
	if where == "" {
		where = method
	}
	return strings.TrimRight(strings.Join([]string{
		s.clock(at), s.outcome(outcome), pad("/"+stage, 11), pad(clean(where), 20), s.paint(dim, clean(why)),
	}, " "), " ")
}

// where is the route template, or what stands for it.
func (l line) where() string {
	switch {
	case l.Route != "":
		return l.Route
	case l.Method != "":
		return l.Method
	}
	return "-"
}

// why is the reason and what is known of it. A detail begins with the reason.
func (l line) why() string {
	if l.Reason == "" || strings.HasPrefix(l.Detail, l.Reason) {
		return l.Detail
	}
	return strings.TrimSuffix(l.Reason+": "+l.Detail, ": ")
}

func (l line) small() string {
	var parts []string
	if l.SourceIP != "" {
		parts = append(parts, l.SourceIP)
	}
	if l.Latency != nil {
		parts = append(parts, fmt.Sprintf("%.1f ms", *l.Latency))
	}
	if l.ColdStart {
		parts = append(parts, "cold start")
	}
	return strings.Join(parts, "  ")
}

func (s Style) clock(t time.Time) string {
	if t.IsZero() {
		return "--:--:--"
	}
	location := s.Location
	if location == nil {
		location = time.UTC
	}
	return t.In(location).Format(time.TimeOnly)
}

// ANSI SGR parameters.
const (
	green  = "32"
	yellow = "33"
	red    = "31"
	bold   = "1"
	dim    = "2"
)

func (s Style) outcome(outcome string) string {
	color := map[string]string{"allow": green, "deny": yellow, "unauthorized": yellow, "refused": yellow, "fault": red}[outcome]
	return s.paint(color, pad(outcome, 12))
}

// Paint colours text where the style has colours.
func (s Style) paint(code, text string) string {
	if !s.Color || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func pad(text string, width int) string { return fmt.Sprintf("%-*s", width, text) }

// clean takes control characters out: a request must not be able to write to
// the terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, text)
}

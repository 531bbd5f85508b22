package authorizer

import (
	"fmt"
	"strings"
	"time"

	"lambda-authorizer/reason"
)

// Reason is the code of a check that did not pass, empty for one that did.
func (s Step) Reason() reason.Code {
	if s.Err == nil {
		return ""
	}
	return reason.Of(s.Err)
}

// Says tells people what a check found out: for one that passed from the
// trace, for any other what its error says. It holds no secret, but a
// stranger's text.
func (t *Trace) Says(s Step) string {
	switch {
	case s.Err != nil:
		return s.Err.Error()
	case s.Name == "event":
		return t.Request.says()
	case s.Name == "api":
		return t.Request.ARN.API + "/" + t.Request.ARN.Stage
	case s.Name == "credential":
		return t.Caller.says()
	case s.Name == "revocation":
		return t.revocationSays()
	case s.Name == "address":
		return t.addressSays()
	case s.Name == "route":
		return t.Template
	case s.Name == "grants":
		return "an entry of its require is met"
	case s.Name == "replay" && t.Caller.Signature == nil:
		return "there is no signature"
	case s.Name == "replay":
		return "the first use of this signature"
	case s.Name == "answer":
		return t.answerSays()
	}
	return ""
}

func (r *Request) says() string {
	path := r.ARN.Path
	if !r.ARN.WebSocket() {
		path = r.ARN.Method + " /" + path
	}
	if r.Source.IsValid() {
		path += " from " + r.Source.String()
	}
	return string(r.Kind) + ", " + path
}

func (c Caller) says() string {
	scopes := "without scopes"
	if all := c.scopes(); len(all) > 0 {
		scopes = "scopes " + strings.Join(all, " ")
	}
	text := fmt.Sprintf("%s of %s, %s", c.methods(), c.principal(), scopes)
	if ends := c.expires(); !ends.IsZero() {
		text += ", expires " + ends.UTC().Format(time.RFC3339)
	}
	return text
}

func (t *Trace) addressSays() string {
	switch {
	case t.networks == nil:
		return "no networks are configured"
	case !t.Client.IsValid():
		return "the request has no address"
	}
	return t.Client.String()
}

func (t *Trace) revocationSays() string {
	switch r := t.Revocation; {
	case r.PassedDespite != nil:
		return "not known, let through by revocation.on_error: " + r.PassedDespite.Error()
	case r.Asked == 0:
		return "tables.revocations is none"
	default:
		return fmt.Sprintf("none of %d entries is there", r.Asked)
	}
}

func (t *Trace) answerSays() string {
	switch {
	case t.Outcome == Fault:
		return "an error"
	case t.AnswerErr != nil:
		return "the error " + t.AnswerErr.Error()
	case t.Document != nil:
		return fmt.Sprintf("a policy of %d bytes", len(t.Document.JSON))
	}
	return "a simple answer"
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
)

// verdict is one check in an explanation.
type verdict struct {
	Step string `json:"step"`
	// Verdict is passed, refused, failed or skipped.
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// explained is what explain prints.
type explained struct {
	Request *requestInfo `json:"request,omitempty"`
	// Missing are identity sources that the request lacks: API Gateway answers
	// 401 without calling the function.
	Missing []string  `json:"missing_identity_sources,omitempty"`
	Steps   []verdict `json:"steps"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason,omitempty"`
	// Status is what API Gateway answers; 200 is the backend's to say.
	Status int `json:"status"`
	// Answer or Error is what the function gives API Gateway.
	Answer   json.RawMessage `json:"answer,omitempty"`
	Error    string          `json:"error,omitempty"`
	Document int             `json:"document_bytes,omitempty"`
	Cached   cachedCopy      `json:"cached_copy"`

	dependency bool
}

// requestInfo is the request as far as it was read.
type requestInfo struct {
	Kind   string `json:"kind"`
	API    string `json:"api"`
	Stage  string `json:"stage"`
	Method string `json:"method,omitempty"`
	Path   string `json:"path"`
	Source string `json:"source,omitempty"`
	// Credentials are what stands where a credential may, shortened.
	Credentials []presented `json:"credentials"`
}

// presented is one value of a place where a credential may stand.
type presented struct {
	Where string `json:"where"`
	Value string `json:"value"`
}

func (x *explained) exit() error {
	switch {
	case x.Outcome == string(authorizer.Allow):
		return nil
	case x.dependency:
		return exit{status: exitDependency}
	}
	return exit{status: exitRefused}
}

// skip marks a check that explain was told not to make.
func (x *explained) skip(step, why string) {
	for i := range x.Steps {
		if x.Steps[i].Step == step {
			x.Steps[i].Verdict, x.Steps[i].Detail = "skipped", why
		}
	}
}

// explanation renders a trace. It checks nothing itself.
func explanation(cfg *config.Config, trace *authorizer.Trace) *explained {
	x := &explained{
		Outcome: string(trace.Outcome), Reason: string(trace.Reason), Status: status(trace),
		Answer:     json.RawMessage(shortened(string(trace.Answer))),
		Cached:     cached(cfg, trace),
		dependency: trace.Outcome == authorizer.Fault && trace.Reason.Dependency(),
	}
	if trace.AnswerErr != nil {
		x.Error = shortened(trace.AnswerErr.Error())
	}
	if trace.Request != nil {
		x.Request = requested(cfg, trace.Request)
	}
	if trace.Document != nil {
		x.Document = len(trace.Document.JSON)
	}
	for _, s := range trace.Steps {
		v := verdict{Step: s.Name, Verdict: "passed", Reason: string(s.Reason()), Detail: shortened(trace.Says(s))}
		switch {
		case s.Err == nil:
		case s.Reason().Status() == 500:
			v.Verdict = "failed"
		default:
			v.Verdict = "refused"
		}
		x.Steps = append(x.Steps, v)
	}
	return x
}

// status is API Gateway's for the answer: its own 401 for one error text, 500
// for any other.
func status(trace *authorizer.Trace) int {
	switch {
	case trace.AnswerErr != nil && trace.Outcome == authorizer.Unauthorized:
		return 401
	case trace.AnswerErr != nil:
		return 500
	case trace.Outcome == authorizer.Allow:
		return 200
	}
	return 403
}

// requested tells what was asked for and what stands where a credential may.
func requested(cfg *config.Config, req *authorizer.Request) *requestInfo {
	info := &requestInfo{
		Kind: string(req.Kind), API: req.ARN.API, Stage: req.ARN.Stage,
		Method: req.ARN.Method, Path: shortened(req.ARN.Path), Credentials: []presented{},
	}
	if !req.ARN.WebSocket() {
		info.Path = "/" + info.Path
	}
	if req.Source.IsValid() {
		info.Source = req.Source.String()
	}
	if req.Kind == authorizer.RESTToken {
		info.present("authorizationToken", req.Value)
		return info
	}
	for _, carrier := range append(cfg.BearerCarriers(), cfg.APIKeyCarriers()...) {
		values := req.Header(carrier.Source.Name)
		switch {
		case carrier.Source.Kind == "querystring":
			values = req.Query(carrier.Source.Name)
		case carrier.Key == "bearer.cookie":
			values = ofCookie(req.Cookies(), cfg.Bearer.Cookie)
		}
		info.present(carrier.Key, values...)
	}
	if cfg.Signatures != nil {
		info.present("Signature", req.Header("Signature")...)
	}
	return info
}

func (info *requestInfo) present(where string, values ...string) {
	for _, v := range values {
		p := presented{where, glimpse(v)}
		if v != "" && !slices.Contains(info.Credentials, p) {
			info.Credentials = append(info.Credentials, p)
		}
	}
}

// ofCookie picks the values of one cookie: the others are no business of
// whoever reads the explanation.
func ofCookie(lines []string, name string) []string {
	var out []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			if n, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && n == name {
				out = append(out, value)
			}
		}
	}
	return out
}

// glimpse is what stands where a credential may: a scheme and little more, for
// even what is malformed may be somebody's secret.
func glimpse(value string) string {
	scheme, rest, ok := strings.Cut(value, " ")
	if !ok || len(scheme) > 16 {
		scheme, rest = "", value
	}
	text := rest
	if n := []rune(rest); len(n) > 8 {
		text = fmt.Sprintf("%s… (%d characters)", string(n[:8]), len(n))
	}
	return strings.TrimSpace(scheme + " " + text)
}

func (t *tool) printExplanation(x *explained) {
	if len(x.Missing) > 0 {
		t.printf("API Gateway answers 401 by itself, by gateway.identity_sources: the request lacks %s\nif the function were called:\n\n", strings.Join(x.Missing, ", "))
	}
	if x.Request != nil {
		for _, c := range x.Request.Credentials {
			t.table([][]string{{c.Where, c.Value}})
		}
		t.printf("\n")
	}
	rows := [][]string{{"CHECK", "VERDICT", ""}}
	for _, s := range x.Steps {
		rows = append(rows, []string{s.Step, s.Verdict, s.Detail})
	}
	t.table(rows)
	t.printf("\ndecision  %s", x.Outcome)
	if x.Reason != "" {
		t.printf(", %s", x.Reason)
	}
	t.printf(": %s\n", map[int]string{
		200: "API Gateway asks the backend", 401: "API Gateway answers 401",
		403: "API Gateway answers 403", 500: "API Gateway answers 500",
	}[x.Status])
	t.printAnswer(x)
	t.printCached(x.Cached)
}

func (t *tool) printAnswer(x *explained) {
	if x.Error != "" {
		t.printf("\nthe function's error\n  %s\n", x.Error)
		return
	}
	var text bytes.Buffer
	if err := json.Indent(&text, x.Answer, "  ", "  "); err != nil {
		text.Write(x.Answer)
	}
	t.printf("\nthe function's answer\n  %s\n", text.String())
	if x.Document > 0 {
		t.printf("\nits policy has %d bytes\n", x.Document)
	}
}

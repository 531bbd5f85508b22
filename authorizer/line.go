package authorizer

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/reason"
)

// metricsNamespace is where CloudWatch files the metrics.
const metricsNamespace = "LambdaAuthorizer"

// invocation is one call of the function, to be written as one line.
type invocation struct {
	trace    *Trace
	start    time.Time
	took     time.Duration
	lambdaID string
	cold     bool
	// jwksRefresh counts the key sets fetched since the last line.
	jwksRefresh int64
	// secretFaults and secretRecordsSkipped count as Counters says, since the
	// last line.
	secretFaults, secretRecordsSkipped int64
}

// decisionLine is the audit record and, through _aws, CloudWatch Embedded
// Metric Format. It holds no token, key, secret, signature, query string or
// unlisted claim.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type decisionLine struct {
	AWS       emf         `json:"_aws"`
	Time      string      `json:"time"`
	Outcome   Outcome     `json:"outcome"`
	Decision  Outcome     `json:"decision"`
	Reason    reason.Code `json:"reason,omitempty"`
	Detail    string      `json:"detail,omitempty"`
	RequestID string      `json:"request_id,omitempty"`
	LambdaID  string      `json:"lambda_request_id,omitempty"`
	Event     Kind        `json:"event,omitempty"`
	APIID     string      `json:"api_id,omitempty"`
	Stage     string      `json:"stage,omitempty"`
	Method    string      `json:"method,omitempty"`
	Route     string      `json:"route,omitempty"`
	Principal string      `json:"principal,omitempty"`
	Issuer    string      `json:"issuer,omitempty"`
	KeyID     string      `json:"key_id,omitempty"`
	// Methods are the kinds of credential that were presented. Where there is
	// more than one, KeyID is the principal's and these two name the others.
	Methods    string `json:"auth_method,omitempty"`
	APIKey     string `json:"api_key_id,omitempty"`
	SigningKey string `json:"signing_key_id,omitempty"`
	Token      string `json:"token,omitempty"`
	SourceIP   string `json:"source_ip,omitempty"`

	TokenCached  bool `json:"token_cached,omitzero"`
	PolicyCached bool `json:"policy_cached,omitzero"`
	// RevocationCached counts the entries that were at hand, RevocationPassed
	// says why a request was let through unchecked.
	RevocationCached int    `json:"revocation_cached,omitzero"`
	RevocationPassed string `json:"revocation_passed,omitempty"`
	// NetworksStale counts allow-lists that could not be read anew.
	NetworksStale int `json:"networks_stale,omitzero"`
	// SecretFaults counts reads of secrets that failed. SecretRecordsSkipped
	// is no metric: a bad record is one key's trouble until somebody corrects
	// it, and must not sound an alarm for all that time.
	SecretFaults         int64            `json:"secret_faults,omitzero"`
	SecretRecordsSkipped int64            `json:"secret_records_skipped,omitzero"`
	Steps                map[string]int64 `json:"steps_us,omitempty"`
	ColdStart            bool             `json:"cold_start,omitzero"`

	Decisions       int     `json:"Decisions"`
	Latency         float64 `json:"Latency"`
	JWKSRefresh     int64   `json:"JwksRefresh,omitzero"`
	RevocationReads int     `json:"RevocationReads,omitzero"`
	DependencyFault int     `json:"DependencyFault,omitzero"`
	BreakerOpen     int     `json:"BreakerOpen,omitzero"`
}

type emf struct {
	Timestamp int64       `json:"Timestamp"`
	Metrics   []emfMetric `json:"CloudWatchMetrics"`
}

type emfMetric struct {
	Namespace  string       `json:"Namespace"`
	Dimensions [][]string   `json:"Dimensions"`
	Metrics    []metricUnit `json:"Metrics"`
}

type metricUnit struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

// lineWriter writes one whole line at a time, whoever else writes.
type lineWriter struct {
	mu            sync.Mutex
	out           io.Writer
	hashPrincipal bool
}

// write renders and writes one line. A line that cannot be written must not
// change a decision, so errors end here; Lambda's own log has the invocation.
func (w *lineWriter) write(i invocation) {
	if w.out == nil {
		return
	}
	// A byte that is no UTF-8 must not cost the audit record its line.
	text, err := json.Marshal(w.render(i), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return
	}
	text = append(text, '\n')
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.out.Write(text)
}

func (w *lineWriter) render(i invocation) *decisionLine {
	t := i.trace
	l := &decisionLine{
		Time:    i.start.UTC().Format(time.RFC3339Nano),
		Outcome: t.Outcome, Decision: Deny, Reason: t.Reason,
		LambdaID: i.lambdaID, ColdStart: i.cold,
		PolicyCached: t.DocumentCached,
		Steps:        make(map[string]int64, len(t.Steps)),
		Decisions:    1, Latency: float64(i.took.Microseconds()) / 1000,
		JWKSRefresh: i.jwksRefresh, SecretFaults: i.secretFaults, SecretRecordsSkipped: i.secretRecordsSkipped,
	}
	if t.Outcome == Allow {
		l.Decision = Allow
	}
	if t.Err != nil {
		l.Detail = faultError(t.Err).Error()
	}
	for _, s := range t.Steps {
		l.Steps[s.Name] = s.Took.Microseconds()
	}
	w.renderRequest(l, t)
	l.renderDependencies(t)
	l.AWS = l.metrics(i.start)
	return l
}

func (w *lineWriter) renderRequest(l *decisionLine, t *Trace) {
	if r := t.Request; r != nil {
		l.RequestID, l.Event = r.ID, r.Kind
		l.APIID, l.Stage, l.Method = r.ARN.API, r.ARN.Stage, r.ARN.Method
		if r.Source.IsValid() {
			l.SourceIP = r.Source.String()
		}
	}
	l.Route = t.Template
	if t.Client.IsValid() {
		l.SourceIP = t.Client.String()
	}
	if t.Caller == (Caller{}) {
		return
	}
	l.KeyID, l.Principal, l.Methods = t.Caller.keyID(), t.Caller.principal(), t.Caller.methods()
	if w.hashPrincipal {
		l.Principal = digest(l.Principal)
	}
	if k := t.Caller.APIKey; k != nil {
		l.APIKey = k.ID
	}
	if s := t.Caller.Signature; s != nil {
		l.SigningKey = s.Key.ID
	}
	if token := t.Caller.Token; token != nil {
		l.Issuer, l.TokenCached = token.Issuer, token.Cached
		id := token.ID
		if id == "" {
			id = token.SigningInputSHA256
		}
		l.Token = digest(id)
	}
}

// renderDependencies tells what a decision cost others and what they failed
// to do. A request that was let through unchecked, or decided by an old list,
// is a dependency's fault, whatever was decided; so is a secret that was not
// read, which hides what was rotated, disabled or added since.
func (l *decisionLine) renderDependencies(t *Trace) {
	r := t.Revocation
	l.RevocationReads, l.RevocationCached = r.Reads, r.Cached
	if r.BreakerOpen {
		l.BreakerOpen = 1
	}
	if r.PassedDespite != nil {
		l.RevocationPassed = faultError(r.PassedDespite).Error()
	}
	if t.networks != nil {
		l.NetworksStale = t.networks.Stale
	}
	if r.PassedDespite != nil || l.NetworksStale > 0 || l.SecretFaults > 0 || t.Outcome == Fault && t.Reason.Dependency() {
		l.DependencyFault = 1
	}
}

// metrics declares the metrics of this line. A dimension must have a value,
// and an allowed request has no reason.
func (l *decisionLine) metrics(start time.Time) emf {
	dimensions := [][]string{{"outcome"}}
	if l.Reason != "" {
		dimensions = append(dimensions, []string{"outcome", "reason"})
	}
	metrics := []metricUnit{{"Decisions", "Count"}, {"Latency", "Milliseconds"}}
	for _, m := range []struct {
		name string
		n    int64
	}{
		{"JwksRefresh", l.JWKSRefresh}, {"RevocationReads", int64(l.RevocationReads)},
		{"DependencyFault", int64(l.DependencyFault)}, {"BreakerOpen", int64(l.BreakerOpen)},
	} {
		if m.n > 0 {
			metrics = append(metrics, metricUnit{m.name, "Count"})
		}
	}
	return emf{
		Timestamp: start.UnixMilli(),
		Metrics:   []emfMetric{{Namespace: metricsNamespace, Dimensions: dimensions, Metrics: metrics}},
	}
}

// digest is the prefix of a SHA-256 that tells values apart in a log without
// telling them: 64 bits.
func digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return "sha256:" + hex.EncodeToString(sum[:8])
}

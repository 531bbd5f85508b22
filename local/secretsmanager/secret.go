package secretsmanager

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The staging labels that the service itself moves.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// Quotas: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const (
	// maxSecret is the largest value, in bytes.
	maxSecret = 65_536
	// maxLabels is how many labels all versions of a secret may have.
	maxLabels = 20
)

type secret struct {
	name, arn        string
	created, changed time.Time
	versions         map[string]*version
	rotated          bool // a rotation was asked for at least once
}

// version is one value of a secret. One that a rotation has begun and not
// filled yet has neither text nor binary.
type version struct {
	id      string
	text    *string
	binary  []byte
	created time.Time
	stages  []string
}

// object is a JSON object of an answer.
type object = map[string]any

func (s *Server) create(in input) (any, error) {
	if in.Name == "" {
		return nil, invalid("You must provide a Name.")
	}
	if s.secrets[in.Name] != nil {
		return nil, fault{"ResourceExistsException", "The operation failed because the secret " + in.Name + " already exists."}
	}
	now := s.Now()
	created := &secret{
		name:    in.Name,
		arn:     fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", s.Region, s.Account, in.Name, rand.Text()[:6]),
		created: now, changed: now,
		versions: make(map[string]*version),
	}
	out := object{"ARN": created.arn, "Name": created.name}
	if in.SecretString != nil || in.SecretBinary != nil {
		in.VersionStages = nil
		put, err := created.put(in, now)
		if err != nil {
			return nil, err
		}
		out["VersionId"] = put["VersionId"]
	}
	s.secrets[in.Name] = created
	return out, nil
}

// get finds a version by id, by label, or by both, which must agree.
func (s *secret) get(in input) (any, error) {
	v := s.versions[in.VersionID]
	if in.VersionID == "" {
		if in.VersionStage == "" {
			in.VersionStage = current
		}
		v = s.labelled(in.VersionStage)
	}
	switch {
	case v == nil && in.VersionID == "":
		return nil, notFound("secret value for staging label: " + in.VersionStage)
	case v == nil || v.empty():
		return nil, notFound("secret value for VersionId: " + in.VersionID)
	case in.VersionStage != "" && !slices.Contains(v.stages, in.VersionStage):
		return nil, notFound("secret value for staging label: " + in.VersionStage)
	}
	out := object{
		"ARN": s.arn, "Name": s.name, "VersionId": v.id,
		"VersionStages": v.stages, "CreatedDate": epoch(v.created),
	}
	if v.text != nil {
		out["SecretString"] = *v.text
	} else {
		out["SecretBinary"] = v.binary
	}
	return out, nil
}

// put adds a version, or fills the one that a rotation has begun. The same
// token with the same value again is the same version; with another value it
// is refused.
func (s *secret) put(in input, now time.Time) (object, error) {
	if (in.SecretString == nil) == (in.SecretBinary == nil) {
		return nil, invalid("You must provide either SecretString or SecretBinary.")
	}
	if err := checkToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	v := &version{id: in.ClientRequestToken, text: in.SecretString, binary: in.SecretBinary, created: now}
	if v.size() > maxSecret {
		return nil, fault{"ValidationException", fmt.Sprintf("1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to %d", maxSecret)}
	}
	old := s.versions[v.id]
	switch {
	case old != nil && !old.empty() && !old.same(v):
		return nil, fault{"ResourceExistsException", "A resource with the ID you requested already exists: a version with the token " + v.id + " holds another value."}
	case old != nil && !old.empty():
		return s.version(old), nil
	case old != nil:
		v.stages = old.stages
	}
	stages := in.VersionStages
	if len(stages) == 0 || len(s.versions) == 0 && !slices.Contains(stages, current) {
		stages = append(slices.Clone(stages), current)
	}
	if s.labels(stages...) > maxLabels {
		return nil, tooManyLabels
	}
	s.versions[v.id] = v
	for _, stage := range stages {
		s.label(stage, v)
	}
	s.changed = now
	return s.version(v), nil
}

func (s *secret) version(v *version) object {
	return object{"ARN": s.arn, "Name": s.name, "VersionId": v.id, "VersionStages": v.stages}
}

func checkToken(token string) error {
	switch {
	case token == "":
		return fault{"InvalidRequestException", "You must provide a ClientRequestToken value. We recommend a UUID-type value."}
	case len(token) < 32 || len(token) > 64:
		return invalid("ClientRequestToken must be 32-64 characters long.")
	}
	return nil
}

func (s *secret) describe() object {
	out := object{
		"ARN": s.arn, "Name": s.name,
		"CreatedDate": epoch(s.created), "LastChangedDate": epoch(s.changed),
	}
	if s.rotated {
		out["RotationEnabled"] = true
	}
	if len(s.versions) > 0 {
		out["VersionIdsToStages"] = s.stages()
	}
	return out
}

// stages leaves out the versions without a label: the service counts them as
// deprecated.
func (s *secret) stages() map[string][]string {
	out := make(map[string][]string)
	for _, v := range s.versions {
		if len(v.stages) > 0 {
			out[v.id] = v.stages
		}
	}
	return out
}

func (s *secret) listVersions(in input) object {
	versions := []object{}
	for _, v := range slices.SortedFunc(maps.Values(s.versions), byAge) {
		if len(v.stages) > 0 || in.IncludeDeprecated {
			versions = append(versions, object{"VersionId": v.id, "VersionStages": v.stages, "CreatedDate": epoch(v.created)})
		}
	}
	return object{"ARN": s.arn, "Name": s.name, "Versions": versions}
}

func byAge(a, b *version) int {
	if d := a.created.Compare(b.created); d != 0 {
		return d
	}
	return strings.Compare(a.id, b.id)
}

// list has all secrets on one page.
func (s *Server) list() any {
	out := []object{}
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		entry := s.secrets[name].describe()
		if stages, ok := entry["VersionIdsToStages"]; ok {
			entry["SecretVersionsToStages"] = stages
			delete(entry, "VersionIdsToStages")
		}
		out = append(out, entry)
	}
	return object{"SecretList": out}
}

func (v *version) empty() bool { return v.text == nil && v.binary == nil }

func (v *version) size() int {
	if v.text != nil {
		return len(*v.text)
	}
	return len(v.binary)
}

func (v *version) same(other *version) bool {
	if v.text == nil || other.text == nil {
		return v.text == other.text && bytes.Equal(v.binary, other.binary)
	}
	return *v.text == *other.text
}

// epoch is how JSON 1.1 writes a time.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

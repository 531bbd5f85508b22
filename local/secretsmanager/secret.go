package secretsmanager

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"time"
)

// The staging labels that the service itself moves.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// maxSecret is the largest value, in bytes.
const maxSecret = 65_536

type secret struct {
	name, arn        string
	created, changed time.Time
	versions         map[string]*version
}

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
	if v == nil || in.VersionStage != "" && !slices.Contains(v.stages, in.VersionStage) {
		return nil, notFound("secret value for staging label or version")
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

// put adds a version. The same token with the same value again is the same
// version; with another value it is refused.
func (s *secret) put(in input, now time.Time) (object, error) {
	if (in.SecretString == nil) == (in.SecretBinary == nil) {
		return nil, invalid("You must provide either SecretString or SecretBinary.")
	}
	v := &version{id: in.ClientRequestToken, text: in.SecretString, binary: in.SecretBinary, created: now}
	if v.size() > maxSecret {
		return nil, invalid("The secret value is longer than %d bytes.", maxSecret)
	}
	if v.id == "" {
		v.id = rand.Text() + rand.Text()[:6] // 32 characters at least, as the service asks for
	}
	stages := in.VersionStages
	if len(stages) == 0 || len(s.versions) == 0 && !slices.Contains(stages, current) {
		stages = append(slices.Clone(stages), current)
	}
	if old := s.versions[v.id]; old != nil {
		if !old.same(v) {
			return nil, fault{"ResourceExistsException", "A version with the token " + v.id + " holds another value."}
		}
		v = old
	} else {
		s.versions[v.id] = v
		for _, stage := range stages {
			s.label(stage, v)
		}
		s.changed = now
	}
	return object{"ARN": s.arn, "Name": s.name, "VersionId": v.id, "VersionStages": v.stages}, nil
}

func (s *secret) describe() any {
	stages := make(map[string][]string)
	for _, v := range s.versions {
		if len(v.stages) > 0 {
			stages[v.id] = v.stages
		}
	}
	return object{
		"ARN": s.arn, "Name": s.name, "VersionIdsToStages": stages,
		"CreatedDate": epoch(s.created), "LastChangedDate": epoch(s.changed),
	}
}

// move attaches, moves or removes a label. A label that another version has is
// only moved where the caller names that version: of two writers who read the
// same one, the second is refused.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (s *secret) move(in input, now time.Time) (any, error) {
	if in.VersionStage == "" {
		return nil, invalid("You must provide a VersionStage.")
	}
	holder := s.labelled(in.VersionStage)
	target := s.versions[in.MoveToVersionID]
	switch {
	case in.MoveToVersionID != "" && target == nil:
		return nil, notFound("secret version")
	case in.RemoveFromVersionID != "" && s.versions[in.RemoveFromVersionID] == nil:
		return nil, notFound("secret version")
	case target == nil && in.RemoveFromVersionID == "":
		return nil, invalid("You must provide MoveToVersionId or RemoveFromVersionId.")
	case in.RemoveFromVersionID != "" && (holder == nil || holder.id != in.RemoveFromVersionID):
		return nil, invalid("The staging label %s is not attached to version %s.", in.VersionStage, in.RemoveFromVersionID)
	case target != nil && holder != nil && holder != target && in.RemoveFromVersionID == "":
		return nil, invalid("The staging label %s is attached to version %s: you must provide it as RemoveFromVersionId.", in.VersionStage, holder.id)
	case target == nil && in.VersionStage == current:
		return nil, invalid("You can only move the staging label %s to another version.", current)
	case target == nil:
		s.unlabel(in.VersionStage)
	default:
		s.label(in.VersionStage, target)
	}
	s.changed = now
	return object{"ARN": s.arn, "Name": s.name}, nil
}

// label attaches a label to v alone. Where AWSCURRENT moves, AWSPREVIOUS
// follows to the version it left.
func (s *secret) label(stage string, v *version) {
	holder := s.labelled(stage)
	if holder == v {
		return
	}
	s.unlabel(stage)
	v.stages = append(v.stages, stage)
	if stage == current && holder != nil {
		s.label(previous, holder)
	}
}

func (s *secret) unlabel(stage string) {
	if holder := s.labelled(stage); holder != nil {
		holder.stages = slices.DeleteFunc(slices.Clone(holder.stages), func(have string) bool { return have == stage })
	}
}

func (s *secret) labelled(stage string) *version {
	for _, v := range s.versions {
		if slices.Contains(v.stages, stage) {
			return v
		}
	}
	return nil
}

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

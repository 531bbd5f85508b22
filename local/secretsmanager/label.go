package secretsmanager

import (
	"slices"
	"time"
)

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
		return nil, notFound("secret version: " + in.MoveToVersionID)
	case in.RemoveFromVersionID != "" && s.versions[in.RemoveFromVersionID] == nil:
		return nil, notFound("secret version: " + in.RemoveFromVersionID)
	case target == nil && in.RemoveFromVersionID == "":
		return nil, invalid("You must provide MoveToVersionId or RemoveFromVersionId.")
	case in.RemoveFromVersionID != "" && (holder == nil || holder.id != in.RemoveFromVersionID):
		return nil, invalid("The staging label %s is not attached to version %s.", in.VersionStage, in.RemoveFromVersionID)
	case target != nil && holder != nil && holder != target && in.RemoveFromVersionID == "":
		return nil, invalid("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", in.VersionStage, holder.id)
	case target == nil && in.VersionStage == current:
		return nil, invalid("You can only move the staging label %s to another version.", current)
	case target != nil && s.labels(in.VersionStage) > maxLabels:
		return nil, tooManyLabels
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

var tooManyLabels = fault{"LimitExceededException", "You exceeded the maximum number of staging labels allowed on a secret."}

// labels counts the labels in use and those of more that are not.
func (s *secret) labels(more ...string) int {
	all := make(map[string]bool)
	for _, v := range s.versions {
		for _, stage := range v.stages {
			all[stage] = true
		}
	}
	for _, stage := range more {
		all[stage] = true
	}
	return len(all)
}

package secretsmanager

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
)

// Step is the event that a rotation function is called with.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
type Step struct {
	Step               string `json:"Step"`
	SecretID           string `json:"SecretId"`
	ClientRequestToken string `json:"ClientRequestToken"`
}

// steps are a rotation's, in their order.
var steps = []string{"createSecret", "setSecret", "testSecret", "finishSecret"}

// rotate begins a version without a value under AWSPENDING and has the
// function called. A rotation that failed leaves that label behind; as with the
// service, it must be removed or finished before the next one.
func (s *Server) rotate(of *secret, in input) (any, error) {
	if s.Rotate == nil {
		return nil, fault{"InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."}
	}
	if err := checkToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	holder := of.labelled(pending)
	again := holder != nil && holder.id == in.ClientRequestToken
	if holder != nil && holder != of.labelled(current) && !again {
		return nil, fault{"InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted."}
	}
	of.rotated = true
	if in.RotateImmediately != nil && !*in.RotateImmediately {
		return object{"ARN": of.arn, "Name": of.name}, nil
	}
	v := of.versions[in.ClientRequestToken]
	if v == nil {
		v = &version{id: in.ClientRequestToken, created: s.Now()}
		of.versions[v.id] = v
	}
	if !slices.Contains(v.stages, current) {
		of.label(pending, v)
	}
	go s.run(Step{SecretID: of.arn, ClientRequestToken: v.id})
	return object{"ARN": of.arn, "Name": of.name, "VersionId": v.id}, nil
}

func (s *Server) run(e Step) {
	for _, e.Step = range steps {
		if s.Rotate(context.Background(), e) != nil {
			return
		}
	}
}

// uuid is a version id like those the service's clients make (RFC 9562,
// version 4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
